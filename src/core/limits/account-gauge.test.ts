import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  leftOf,
  mergeGauges,
  openInMs,
  readGauge,
  spendFrom,
  type AccountGauge,
} from "./account-gauge.ts";

const toldOf60 = (remaining: number, resetMs: number) => ({ limit: 60, remaining, resetMs });

describe("a gauge", () => {
  it("gives back bit by bit where the reset goes by what is used", () => {
    const gauge = readGauge(undefined, { limit: 600, remaining: 300, resetMs: 30_000 }, 0);
    expect(gauge.refill).toBe("steady");
    expect([0, 1000, 30_000, 90_000].map((ms) => leftOf(gauge, ms))).toEqual([300, 310, 600, 600]);
    expect(openInMs(gauge, 320, 0)).toBe(2000);
    expect(openInMs(gauge, 300, 0)).toBe(0);
    expect(openInMs(gauge, 601, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives back all at the reset where that has nothing to do with what is used", () => {
    const gauge = readGauge(undefined, { limit: 60, remaining: 59, resetMs: 59_000 }, 0);
    const used = spendFrom(gauge, 59, 1000);
    expect([1000, 58_999, 59_000].map((ms) => leftOf(used, ms))).toEqual([0, 0, 60]);
    expect(openInMs(used, 1, 10_000)).toBe(49_000);
    // The next window has begun with what was sent in it.
    expect(leftOf(spendFrom(used, 10, 60_000), 100_000)).toBe(50);
  });

  it("keeps to what it has shown when an answer fits both", () => {
    const told = { limit: 60, remaining: 0, resetMs: 60_000 };
    const steady = readGauge(undefined, { limit: 60, remaining: 59, resetMs: 1000 }, 0);
    expect(readGauge(steady, told, 10).refill).toBe("steady");
    expect(readGauge(undefined, told, 10).refill).toBe("at_once");
  });

  it("is a window's also when as much of it is left as is used, where it has shown that before", () => {
    const window = readGauge(undefined, toldOf60(40, 50_000), 10_000);
    const crossing = readGauge(window, toldOf60(30, 30_000), 30_000);
    expect([30_000, 59_999, 60_000].map((ms) => leftOf(crossing, ms))).toEqual([30, 30, 60]);
    const elsewhere = readGauge(undefined, toldOf60(29, 31_000), 29_000);
    expect(elsewhere.refill).toBe("steady");
    expect([
      mergeGauges(window, elsewhere).refill,
      mergeGauges(elsewhere, crossing).refill,
    ]).toEqual(["at_once", "at_once"]);
    // It is not held to that for ever.
    expect(readGauge(crossing, toldOf60(30, 30_000), 70_001).refill).toBe("steady");
  });

  it("goes by the answer that was counted last, whichever comes first", () => {
    const late = readGauge(readGauge(undefined, toldOf60(9, 50_000), 0), toldOf60(40, 49_990), 10);
    expect(leftOf(late, 10)).toBe(9);
    // The next window begins, sooner than was thought.
    expect(leftOf(readGauge(late, toldOf60(58, 59_990), 40_000), 40_000)).toBe(58);
    expect(leftOf(readGauge(late, toldOf60(30, 59_990), 50_000), 50_000)).toBe(30);
    // A higher tier.
    expect(leftOf(readGauge(late, { limit: 600, remaining: 500, resetMs: 40_000 }, 20), 20)).toBe(
      500,
    );
    const bucket = readGauge(undefined, { limit: 60, remaining: 30, resetMs: 30_000 }, 0);
    const overtaken = readGauge(bucket, { limit: 60, remaining: 40, resetMs: 20_000 }, 1000);
    expect(leftOf(overtaken, 1000)).toBe(31);
  });

  it("keeps to a window when an answer of the one before it comes late", () => {
    const next = readGauge(undefined, { ...toldOf60(40, 59_000), doubtMs: 100 }, 10_000);
    // Sent when 200 ms of its window were left, and answered after the next one had begun.
    const late = { ...toldOf60(0, 200), doubtMs: 900 };
    const gauge = readGauge(next, late, 10_500);
    expect([10_500, 10_701, 68_999].map((ms) => leftOf(gauge, ms))).toEqual([40, 40, 40]);
    expect(leftOf(gauge, 69_000)).toBe(60);
    // The same where another process was told so.
    const elsewhere = readGauge(undefined, late, 10_500);
    expect(mergeGauges(next, elsewhere)).toEqual(next);
    expect(mergeGauges(elsewhere, next)).toEqual(next);
    // Not where both may be one window's: what was told of it first was as old as its call.
    const vague = { ...next, doubtMs: 59_000 };
    expect(leftOf(readGauge(vague, late, 10_500), 10_500)).toBe(0);
  });

  it("reads a daily limit that refills steadily", () => {
    const told = { limit: 14_400, remaining: 14_370, resetMs: 179_560 };
    expect(readGauge(undefined, told, 0).refill).toBe("steady");
  });

  it("believes in an empty window for five minutes at most", () => {
    const told = { limit: 100, remaining: 0, resetMs: 86_400_000 };
    expect(openInMs(readGauge(undefined, told, 0), 1, 0)).toBe(300_000);
  });

  it("takes a limit without a reset for one that comes back within a minute", () => {
    const gauge = readGauge(undefined, { limit: 60, remaining: 0, resetMs: null }, 0);
    expect(openInMs(gauge, 1, 0)).toBe(1000);
  });

  const anyTold = fc
    .record({
      limit: fc.integer({ min: 1, max: 10_000_000 }),
      usedShare: fc.double({ min: 0, max: 1, noNaN: true }),
      resetMs: fc.option(fc.integer({ min: 0, max: 86_400_000 })),
    })
    .map(({ limit, usedShare, resetMs }) => ({
      limit,
      remaining: limit - Math.floor(limit * usedShare),
      resetMs,
    }));
  const anyStep = fc.record({
    waitMs: fc.integer({ min: 0, max: 90_000 }),
    amount: fc.integer({ min: 0, max: 1000 }),
  });

  it("never has more than the limit, loses nothing by waiting, and opens when it says", () => {
    fc.assert(
      fc.property(anyTold, fc.array(anyStep, { maxLength: 20 }), (told, steps) => {
        let gauge: AccountGauge = readGauge(undefined, told, 0);
        let nowMs = 0;
        for (const { waitMs, amount } of steps) {
          const before = leftOf(gauge, nowMs);
          nowMs += waitMs;
          const left = leftOf(gauge, nowMs);
          expect(left).toBeGreaterThanOrEqual(before);
          expect(left).toBeLessThanOrEqual(told.limit);
          gauge = spendFrom(gauge, amount, nowMs);
          expect(leftOf(gauge, nowMs)).toBeCloseTo(left - amount, 3);
          const openMs = openInMs(gauge, 1, nowMs);
          expect(openMs).toBeLessThan(Number.POSITIVE_INFINITY);
          expect(leftOf(gauge, nowMs + openMs + 1)).toBeGreaterThanOrEqual(1 - 1e-6);
        }
      }),
    );
  });
});
