import { describe, expect, it } from "vitest";
import { totalOf, type SlidingWindow } from "./sliding-window.ts";
import { takePermits, type PermitRequest } from "./take-permits.ts";

const NOW_MS = 1_000_500;

function ask(change: Partial<PermitRequest>, window: SlidingWindow = [], isShared = false) {
  const request: PermitRequest = {
    limit: 100,
    waiting: [],
    waitingValidSeconds: 1,
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

describe("taking permits", () => {
  it("grants to each call that waits what it needs, and no part of it", () => {
    expect(ask({ waiting: [60, 50, 40] }).forWaiting).toEqual({ second: 1001, amount: 100 });
    expect(ask({ waiting: [101] }).forWaiting.amount).toBe(0);
    expect(ask({ waiting: [30], inHand: 10 }).forWaiting.amount).toBe(20);
    expect(ask({ waiting: [30], inHand: 40 }).forWaiting.amount).toBe(0);
  });

  it("grants in advance what is expected for longer while there is plenty, and less as the limit is near", () => {
    const plenty = ask({ expectedPerSecond: 2 });
    expect(plenty.inAdvance).toEqual({ second: 1010, amount: 20 });
    expect(plenty.inAdvanceValidSeconds).toBe(10);
    const scarce = ask({ expectedPerSecond: 50 }, [{ second: 990, amount: 80 }]);
    expect(scarce.inAdvance).toEqual({ second: 1001, amount: 5 });
    const nearlyFull = ask({ expectedPerSecond: 50 }, [{ second: 990, amount: 97 }]);
    expect(nearlyFull.inAdvance.amount).toBe(0);
    expect(ask({ expectedPerSecond: 2, inHand: 20 }).inAdvance.amount).toBe(0);
  });

  it("hands out what is left last call by call, where other processes want some too", () => {
    const left = (amount: number) => [{ second: 990, amount: 100 - amount }];
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
    const full = [{ second: 999, amount: 100 }];
    const { window, forWaiting } = ask(
      { returned: [{ second: 999, amount: 40 }], waiting: [40] },
      full,
    );
    expect(forWaiting.amount).toBe(40);
    expect(totalOf(window)).toBe(100);
  });

  it("counts what was used by now for no longer than that", () => {
    const { window } = ask({ used: [{ second: 1008, amount: 3 }] }, [{ second: 1008, amount: 5 }]);
    expect(window).toEqual([
      { second: 1000, amount: 3 },
      { second: 1008, amount: 2 },
    ]);
    // What is not recorded there (the clock has stepped) is not made up.
    expect(ask({ used: [{ second: 1008, amount: 3 }] }).window).toEqual([]);
  });

  it("counts debt beyond the limit, and grants nothing until it is made up for", () => {
    const { window, forWaiting } = ask({ debt: 130, waiting: [1], expectedPerSecond: 5 });
    expect(window).toEqual([{ second: 1000, amount: 130 }]);
    expect(forWaiting.amount).toBe(0);
  });
});
