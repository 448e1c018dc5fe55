import { assert, bigInt, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Picos, picos } from "../money/picos.ts";
import { DAY_MS } from "./alert-period.ts";
import { forecastBudget, percentSpent, reachedThreshold } from "./budget-watch.ts";

const usd = (text: string): Picos => parseUsd(text) as Picos;
const amount = bigInt({ min: 0n, max: 10n ** 24n }).map(picos);

const spent = (spentPicos: bigint, limitPicos = 100n) => ({
  spentPicos: picos(spentPicos),
  limitPicos: picos(limitPicos),
});

const pace = {
  spentPicos: usd("40"),
  limitPicos: usd("100"),
  startsAtMs: 1_000,
  endsAtMs: 1_000 + 10 * DAY_MS,
};
const at = (days: number) => ({ nowMs: 1_000 + days * DAY_MS, afterPercent: 10 });

describe("reachedThreshold", () => {
  it("is the highest share that is reached, from its very pico-dollar on", () => {
    const percentages = [80, 50, 100, 120];
    expect(reachedThreshold(percentages, spent(49n))).toBeUndefined();
    expect(reachedThreshold(percentages, spent(50n))).toBe(50);
    expect(reachedThreshold(percentages, spent(79n))).toBe(50);
    expect(reachedThreshold(percentages, spent(100n))).toBe(100);
    expect(reachedThreshold(percentages, spent(7_000n))).toBe(120);
    const [limit, third] = [999_999_999_999_999_999n, 33];
    expect(reachedThreshold([third], spent((limit * 33n) / 100n, limit))).toBeUndefined();
    expect(reachedThreshold([third], spent((limit * 33n) / 100n + 1n, limit))).toBe(third);
  });

  it("says nothing where nothing was spent, also of a limit of nothing", () => {
    expect(reachedThreshold([1], spent(0n))).toBeUndefined();
    expect(reachedThreshold([100], spent(0n, 0n))).toBeUndefined();
    expect(reachedThreshold([100], spent(1n, 0n))).toBe(100);
    expect(reachedThreshold([], spent(1n))).toBeUndefined();
  });

  it("never sinks while spending rises", () => {
    assert(
      property(amount, amount, amount, (limit, less, more) => {
        const percentages = [10, 50, 80, 100];
        const before = reachedThreshold(percentages, spent(less, limit)) ?? 0;
        const after = reachedThreshold(percentages, spent(less + more, limit)) ?? 0;
        expect(after).toBeGreaterThanOrEqual(before);
        expect(percentSpent(picos(less), limit)).toBeGreaterThanOrEqual(
          BigInt(before === 0 ? 0 : 10),
        );
      }),
    );
  });
});

describe("forecastBudget", () => {
  it("goes on at the pace so far, and names the instant at which the limit is reached", () => {
    expect(forecastBudget(pace, at(2))).toEqual({
      atEndPicos: usd("200"),
      exceedsAtMs: 1_000 + 5 * DAY_MS,
    });
  });

  it("is silent where the money lasts, to the pico-dollar", () => {
    expect(forecastBudget(pace, at(4))).toBeUndefined();
    const more = { ...pace, spentPicos: picos(pace.spentPicos + 1n) };
    expect(forecastBudget(more, at(4))).toBeDefined();
  });

  it("is silent too early, outside of the period, with nothing spent, and once the limit is reached", () => {
    expect(forecastBudget(pace, at(0.99))).toBeUndefined();
    expect(forecastBudget(pace, at(1))).toBeDefined();
    expect(forecastBudget(pace, at(-1))).toBeUndefined();
    expect(forecastBudget(pace, at(10))).toBeUndefined();
    expect(forecastBudget({ ...pace, spentPicos: usd("0") }, at(2))).toBeUndefined();
    expect(forecastBudget({ ...pace, spentPicos: usd("100") }, at(2))).toBeUndefined();
  });

  it("never names an instant outside of the period", () => {
    assert(
      property(
        amount,
        amount,
        integer({ min: 0, max: 40 * DAY_MS }),
        (spentPicos, limitPicos, passedMs) => {
          const window = { spentPicos, limitPicos, startsAtMs: 0, endsAtMs: 31 * DAY_MS };
          const forecast = forecastBudget(window, { nowMs: passedMs, afterPercent: 0 });
          if (forecast === undefined) return;
          expect(forecast.atEndPicos).toBeGreaterThan(limitPicos);
          expect(forecast.exceedsAtMs).toBeGreaterThanOrEqual(passedMs);
          expect(forecast.exceedsAtMs).toBeLessThanOrEqual(window.endsAtMs);
        },
      ),
    );
  });
});
