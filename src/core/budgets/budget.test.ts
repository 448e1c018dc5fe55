import { describe, expect, it } from "vitest";
import type { BudgetId, BudgetIncreaseId } from "../ids/ids.ts";
import { picos } from "../money/picos.ts";
import type { ScopedCall } from "../scopes/scope.ts";
import { BudgetRules } from "./budget-rules.ts";
import {
  type Budget,
  carryOver,
  countedAmount,
  increaseEndAt,
  isHolding,
  limitAt,
} from "./budget.ts";

const BUDGET: Budget = {
  id: "bud_1" as BudgetId,
  name: null,
  scope: { kind: "organization", id: null },
  measure: "cost",
  models: null,
  period: "day",
  timeZone: "UTC",
  anchor: null,
  rollsOver: false,
  limitPicos: picos(100n),
  enforcement: "hard",
  onTightBudget: "refuse",
  pausedAtMs: null,
  archivedAtMs: null,
  createdBy: "local",
  createdAtMs: 0,
  increases: [],
};

function increase(amount: bigint, fromMs: number, untilMs: number) {
  const made = { reason: null, createdBy: "local", createdAtMs: 0 };
  return { id: "inc_1" as BudgetIncreaseId, amountPicos: picos(amount), fromMs, untilMs, ...made };
}

const window = (spent: bigint, leased = 0n, carried = 0n) => ({
  spentPicos: picos(spent),
  leasedPicos: picos(leased),
  carriedPicos: picos(carried),
});

const amounts = (cost: bigint | null, price: bigint | null, hold: bigint | null) => {
  const [costPicos, pricePicos, holdPicos] = [cost, price, hold].map((amount) =>
    amount === null ? null : picos(amount),
  );
  const event = {
    costPicos: costPicos ?? null,
    pricePicos: pricePicos ?? null,
    holdPicos: holdPicos ?? null,
  };
  return [countedAmount("cost", event), countedAmount("price", event)];
};

describe("a budget", () => {
  it("refuses calls only when it is hard and stands", () => {
    expect(isHolding(BUDGET)).toBe(true);
    expect(isHolding({ ...BUDGET, enforcement: "soft" })).toBe(false);
    expect(isHolding({ ...BUDGET, pausedAtMs: 1 })).toBe(false);
    expect(isHolding({ ...BUDGET, archivedAtMs: 1 })).toBe(false);
  });

  it("has the limit that increases leave it with at an instant, their end excluded", () => {
    const raised = { ...BUDGET, increases: [increase(10n, 5, 10), increase(7n, 8, 9)] };
    const limits = [4, 5, 8, 9, 10].map((atMs) => limitAt(raised, picos(100n), atMs));
    expect(limits).toEqual([200n, 210n, 217n, 210n, 200n]);
    const ends = [4, 5, 8, 9, 10].map((atMs) => increaseEndAt(raised, atMs));
    expect(ends).toEqual([null, 10, 9, 10, null]);
  });

  it("counts what was carried over up to the limit once more, also after it was lowered", () => {
    const lowered = { ...BUDGET, rollsOver: true, limitPicos: picos(1n) };
    expect(limitAt(lowered, picos(99n), 0)).toBe(2n);
    expect(limitAt(lowered, picos(0n), 0)).toBe(1n);
    expect(carryOver(lowered, window(1n, 0n, 99n))).toBe(1n);
    expect(carryOver(lowered, window(2n, 0n, 99n))).toBe(0n);
  });

  it("hands on what is left, at most the limit, and only when it is to", () => {
    const rolling = { ...BUDGET, rollsOver: true };
    expect(carryOver(BUDGET, window(20n))).toBe(0n);
    expect(carryOver(rolling, window(20n))).toBe(80n);
    expect(carryOver(rolling, window(20n, 30n))).toBe(50n);
    expect(carryOver(rolling, window(20n, 0n, 60n))).toBe(100n);
    expect(carryOver(rolling, window(120n))).toBe(0n);
  });

  it("counts the cost, else what was held; as a price, the price, else those", () => {
    expect(amounts(1n, 2n, 3n)).toEqual([1n, 2n]);
    expect(amounts(0n, 0n, 3n)).toEqual([0n, 0n]);
    expect(amounts(null, null, 3n)).toEqual([3n, 3n]);
    expect(amounts(5n, null, 3n)).toEqual([5n, 5n]);
    expect(amounts(null, null, null)).toEqual([0n, 0n]);
  });

  it("counts the calls whose model it is for", () => {
    const rules = new BudgetRules([{ ...BUDGET, models: ["gpt-4o", "o1*"] }]);
    const call = {
      projectId: "prj_1",
      environmentId: "env_1",
      gatewayKeyId: "key_1",
      customer: null,
      feature: null,
      providerAccountId: null,
    } as unknown as ScopedCall;
    const models = ["gpt-4o", "gpt-4o-mini", "o1-mini", null, "GPT-4o", " gpt-4o\t", "O1-Mini"];
    const counted = models.filter((model) => rules.windowsOf(call, model, 0).length > 0);
    expect(counted).toEqual(["gpt-4o", "o1-mini", "GPT-4o", " gpt-4o\t", "O1-Mini"]);
  });

  it("gives the same windows for calls that are alike, until one of them is over", () => {
    const hourly = { ...BUDGET, id: "bud_2" as BudgetId, period: "hour" } as const;
    const rules = new BudgetRules([BUDGET, hourly]);
    const call = { gatewayKeyId: "key_1", customer: "acme" } as unknown as ScopedCall;
    const HOUR_MS = 3_600_000;
    const first = rules.windowsOf(call, null, 0);
    expect(first.map(({ id }) => id)).toEqual(["bud_1/0/", "bud_2/0/"]);
    expect(rules.windowsOf({ ...call }, null, HOUR_MS - 1)).toBe(first);
    const second = rules.windowsOf(call, null, HOUR_MS);
    expect(second.map(({ id }) => id)).toEqual(["bud_1/0/", `bud_2/${HOUR_MS}/`]);
    expect(rules.windowsOf(call, null, HOUR_MS - 1)).toEqual(first);
    expect(rules.windowsOf({ ...call, customer: "other" }, null, 0)).not.toBe(first);
  });
});
