import { describe, expect, it } from "vitest";
import { totalOf, type SlidingWindow } from "./sliding-window.ts";
import { takePermits, type PermitRequest } from "./take-permits.ts";

const NOW_MS = 1_000_500;

function ask(change: Partial<PermitRequest>, window: SlidingWindow = [], isShared = false) {
  const request: PermitRequest = {
    limit: 100,
    waiting: [],
    waitingValidMs: 250,
    inHand: 0,
    expectedPerSecond: 0,
    perCall: 1,
    returned: [],
    used: [],
    debt: 0,
    ...change,
  };
  return takePermits(window, request, { nowMs: NOW_MS, isShared });
}

const left = (amount: number): SlidingWindow => [{ atMs: 990_000, amount: 100 - amount }];

describe("taking permits", () => {
  it("grants to each call that waits what it needs, and no part of it", () => {
    expect(ask({ waiting: [60, 50, 40] }).forWaiting).toEqual({ atMs: 1_000_750, amount: 100 });
    expect(ask({ waiting: [101] }).forWaiting.amount).toBe(0);
    expect(ask({ waiting: [30], inHand: 10 }).forWaiting.amount).toBe(20);
    expect(ask({ waiting: [30], inHand: 40 }).forWaiting.amount).toBe(0);
  });

  it("grants in advance what is expected for longer while there is plenty, and less as the limit is near", () => {
    const plenty = ask({ expectedPerSecond: 2 });
    expect(plenty.inAdvance).toEqual({ atMs: 1_010_500, amount: 20 });
    expect(plenty.inAdvanceValidMs).toBe(10_000);
    const scarce = ask({ expectedPerSecond: 50 }, [{ atMs: 990_000, amount: 80 }]);
    expect(scarce.inAdvance).toEqual({ atMs: 1_001_500, amount: 5 });
    const nearlyFull = ask({ expectedPerSecond: 50 }, [{ atMs: 990_000, amount: 97 }]);
    expect(nearlyFull.inAdvance.amount).toBe(0);
    expect(ask({ expectedPerSecond: 2, inHand: 20 }).inAdvance.amount).toBe(0);
  });

  it("hands out what is left last call by call, where other processes want some too", () => {
    expect(ask({ expectedPerSecond: 50 }, left(40), true)).toMatchObject({
      inAdvance: { amount: 2 },
      isTight: false,
    });
    const few = ask({ waiting: [1], expectedPerSecond: 50 }, left(33), true);
    expect(few).toMatchObject({ forWaiting: { amount: 1 }, inAdvance: { amount: 0 } });
    expect(few.isTight).toBe(true);
    const large = ask({ expectedPerSecond: 500, perCall: 3 }, left(96), true);
    expect(large).toMatchObject({ inAdvance: { amount: 0 }, isTight: true });
  });

  it("takes back first, so that what one call gave back another can have at once", () => {
    const full = [{ atMs: 999_000, amount: 100 }];
    const { window, forWaiting } = ask(
      { returned: [{ atMs: 999_000, amount: 40 }], waiting: [40] },
      full,
    );
    expect(forWaiting.amount).toBe(40);
    expect(totalOf(window)).toBe(100);
  });

  it("counts what was used from when that was, and says where it is recorded now", () => {
    const used = [{ atMs: 1_008_000, amount: 3, agoMs: 700 }];
    const { window, usedAtMs } = ask({ used }, [{ atMs: 1_008_000, amount: 5 }]);
    expect(window).toEqual([
      { atMs: 999_800, amount: 3 },
      { atMs: 1_008_000, amount: 2 },
    ]);
    expect(usedAtMs).toEqual([999_800]);
    // What is not recorded there (the clock has stepped) is not made up.
    expect(ask({ used }).window).toEqual([]);
    // Nothing is moved to a later moment.
    const over = [{ atMs: 999_000, amount: 5 }];
    expect(ask({ used: [{ atMs: 999_000, amount: 5, agoMs: 700 }] }, over).window).toEqual(over);
  });

  it("counts debt beyond the limit, and grants nothing until it is made up for", () => {
    const { window, forWaiting } = ask({ debt: 130, waiting: [1], expectedPerSecond: 5 });
    expect(window).toEqual([{ atMs: 1_000_500, amount: 130 }]);
    expect(forWaiting.amount).toBe(0);
  });
});
