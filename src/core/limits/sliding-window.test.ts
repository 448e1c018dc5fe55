import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countedAt,
  emptyAtMs,
  freeAtMs,
  giveBack,
  LONG_VALID_SECONDS,
  record,
  totalOf,
  type SlidingWindow,
} from "./sliding-window.ts";

const at = (...pairs: readonly (readonly [number, number])[]): SlidingWindow =>
  pairs.map(([second, amount]) => ({ second, amount }));

describe("a sliding window", () => {
  it("counts a second until no permit of it can have been used within the last 60", () => {
    const window = at([1000, 5]);
    expect(totalOf(countedAt(window, 1_060_999))).toBe(5);
    expect(totalOf(countedAt(window, 1_061_000))).toBe(0);
    expect(emptyAtMs(window)).toBe(1_061_000);
    expect(emptyAtMs([])).toBe(0);
  });

  it("says when an amount is free again: as soon as enough of the oldest has left", () => {
    const window = at([1000, 5], [1010, 3], [1020, 2]);
    expect(freeAtMs(window, 12, 2)).toBe(0);
    expect(freeAtMs(window, 10, 5)).toBe(1_061_000);
    expect(freeAtMs(window, 10, 6)).toBe(1_071_000);
    expect(freeAtMs(window, 10, 10)).toBe(1_081_000);
    expect(freeAtMs(window, 10, 11)).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives back where it was recorded, never below nothing, and not at all what has left", () => {
    const window = at([1000, 5], [1010, 3]);
    expect(giveBack(window, { second: 1000, amount: 2 })).toEqual(at([1000, 3], [1010, 3]));
    expect(giveBack(window, { second: 1010, amount: 9 })).toEqual(at([1000, 5]));
    expect(giveBack(window, { second: 1005, amount: 1 })).toEqual(window);
  });

  it("does not hold a limit up when the clock steps back: what is ahead counts as now", () => {
    const window = at([5000, 5], [5001, 4]);
    const stepped = countedAt(window, 1_000_000);
    expect(stepped).toEqual(at([1000 + LONG_VALID_SECONDS, 9]));
    expect(emptyAtMs(stepped)).toBe((1000 + LONG_VALID_SECONDS + 61) * 1000);
  });

  it("keeps its seconds in order, each once, whatever is recorded", () => {
    const counted = fc.record({ second: fc.nat(20), amount: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(counted), (all) => {
        let window: SlidingWindow = [];
        for (const one of all) window = record(window, one);
        const seconds = window.map(({ second }) => second);
        expect(seconds).toEqual([...new Set(seconds)].toSorted((a, b) => a - b));
        expect(totalOf(window)).toBe(totalOf(all));
        expect(window.every(({ amount }) => amount > 0)).toBe(true);
      }),
    );
  });
});
