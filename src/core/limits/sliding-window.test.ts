import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countedAt,
  emptyAtMs,
  freeAtMs,
  giveBack,
  LONG_VALID_MS,
  record,
  stepOf,
  totalOf,
  type SlidingWindow,
} from "./sliding-window.ts";

const at = (...pairs: readonly (readonly [number, number])[]): SlidingWindow =>
  pairs.map(([second, amount]) => ({ atMs: second * 1000, amount }));

describe("a sliding window", () => {
  it("counts a moment until no permit of it can have been used within the last 60 seconds", () => {
    const window = at([1000, 5]);
    expect(totalOf(countedAt(window, 1_060_000))).toBe(5);
    expect(totalOf(countedAt(window, 1_060_001))).toBe(0);
    expect(emptyAtMs(window)).toBe(1_060_001);
    expect(emptyAtMs([])).toBe(0);
  });

  it("says when an amount is free again: as soon as enough of the oldest has left", () => {
    const window = at([1000, 5], [1010, 3], [1020, 2]);
    expect(freeAtMs(window, 12, 2)).toBe(0);
    expect(freeAtMs(window, 10, 5)).toBe(1_060_001);
    expect(freeAtMs(window, 10, 6)).toBe(1_070_001);
    expect(freeAtMs(window, 10, 10)).toBe(1_080_001);
    expect(freeAtMs(window, 10, 11)).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives back where it was recorded, never below nothing, and not at all what has left", () => {
    const window = at([1000, 5], [1010, 3]);
    expect(giveBack(window, { atMs: 1_000_000, amount: 2 })).toEqual(at([1000, 3], [1010, 3]));
    expect(giveBack(window, { atMs: 1_010_000, amount: 9 })).toEqual(at([1000, 5]));
    expect(giveBack(window, { atMs: 1_005_000, amount: 1 })).toEqual(window);
  });

  it("does not hold a limit up when the clock steps back: what is ahead counts as now", () => {
    const window = at([5000, 5], [5001, 4]);
    const stepped = countedAt(window, 1_000_000);
    expect(stepped).toEqual([{ atMs: 1_000_000 + LONG_VALID_MS, amount: 9 }]);
    expect(emptyAtMs(stepped)).toBe(1_000_000 + LONG_VALID_MS + 60_001);
  });

  it("counts what falls into a tenth of a second as one, at the latest of its moments", () => {
    const burst = [1_000_010, 1_000_090, 1_000_050].map((atMs) => ({ atMs, amount: 1 }));
    let window: SlidingWindow = [];
    for (const one of burst) window = record(window, one);
    expect(window).toEqual([{ atMs: 1_000_090, amount: 3 }]);
    expect(giveBack(window, { atMs: 1_000_010, amount: 1 })).toEqual([
      { atMs: 1_000_090, amount: 2 },
    ]);
  });

  it("keeps its moments in order, each step of time once, whatever is recorded", () => {
    const counted = fc.record({ atMs: fc.nat(2_000), amount: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(counted), (all) => {
        let window: SlidingWindow = [];
        for (const one of all) window = record(window, one);
        const steps = window.map(({ atMs }) => stepOf(atMs));
        expect(steps).toEqual([...new Set(steps)].toSorted((a, b) => a - b));
        expect(totalOf(window)).toBe(totalOf(all));
        expect(window.every(({ amount }) => amount > 0)).toBe(true);
      }),
    );
  });
});
