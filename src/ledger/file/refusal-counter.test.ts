import { describe, expect, test } from "vitest";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import { RefusalCounter } from "./refusal-counter.ts";

const HOUR_MS = 3_600_000;
const keyId = "key_0" as GatewayKeyId;
const refusal = (customer: string | null, gatewayKeyId: GatewayKeyId | null = keyId) => ({
  code: "model_not_allowed",
  gatewayKeyId,
  customer,
});

const total = (counts: readonly { readonly count: number }[]) =>
  counts.reduce((sum, { count }) => sum + count, 0);

describe("RefusalCounter", () => {
  test("adds up equal refusals of one hour and keeps different ones apart", () => {
    const counter = new RefusalCounter(10);
    counter.count(refusal("a"), 5 * HOUR_MS);
    counter.count(refusal("a"), 6 * HOUR_MS - 1);
    counter.count(refusal("a"), 6 * HOUR_MS);
    counter.count(refusal(null), 5 * HOUR_MS);
    expect(counter.take(10)).toEqual([
      { ...refusal("a"), hourMs: 5 * HOUR_MS, count: 2 },
      { ...refusal("a"), hourMs: 6 * HOUR_MS, count: 1 },
      { ...refusal(null), hourMs: 5 * HOUR_MS, count: 1 },
    ]);
    expect(counter.size).toBe(0);
  });

  test("keeps the windows of budgets apart, until there are too many of them", () => {
    const counter = new RefusalCounter(2);
    const by = (budgetWindowId: string) => ({ ...refusal(null), budgetWindowId });
    for (const window of ["a", "b", "a", "c", "d"]) counter.count(by(window), 0);
    expect(counter.take(10)).toEqual([
      { ...by("a"), hourMs: 0, count: 2 },
      { ...by("b"), hourMs: 0, count: 1 },
      { ...refusal(null), hourMs: 0, count: 2 },
    ]);
  });

  test("counts to the hour the clock shows, also when it steps back", () => {
    const counter = new RefusalCounter(10);
    counter.count(refusal("a"), 6 * HOUR_MS);
    counter.count(refusal("a"), 5 * HOUR_MS);
    counter.count(refusal("a"), 6 * HOUR_MS);
    expect(counter.take(10).map(({ hourMs, count }) => [hourMs, count])).toEqual([
      [6 * HOUR_MS, 2],
      [5 * HOUR_MS, 1],
    ]);
  });

  test("leaves out invented customers beyond its limit, then keys, and counts them all the same", () => {
    const counter = new RefusalCounter(100);
    for (let i = 0; i < 10_000; i += 1) counter.count(refusal(`customer ${i}`), 0);
    expect(counter.size).toBe(101);
    for (let i = 0; i < 10_000; i += 1) {
      counter.count(refusal(null, `key_${i}` as GatewayKeyId), 0);
    }
    expect(counter.size).toBe(201);
    counter.count(refusal("customer 5"), 0);
    const counts = counter.take(1_000);
    expect(total(counts)).toBe(20_001);
    expect(counts.find(({ customer }) => customer === "customer 5")?.count).toBe(2);
  });

  test("gives out a bounded number at a time and takes back what did not arrive", () => {
    const counter = new RefusalCounter(100);
    for (let i = 0; i < 30; i += 1) counter.count(refusal(`customer ${i}`), 0);
    const first = counter.take(20);
    expect(first).toHaveLength(20);
    counter.count(refusal("customer 0"), 0);
    counter.restore(first);
    const all = counter.take(100);
    expect(all).toHaveLength(30);
    expect(total(all)).toBe(31);
  });
});
