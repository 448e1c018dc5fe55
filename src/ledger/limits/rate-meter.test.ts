import { describe, expect, it } from "vitest";
import type { PermitGrant } from "../../core/limits/take-permits.ts";
import { RateMeter } from "./rate-meter.ts";

const STORE_MS = 1_000_000;

function granted(change: Partial<PermitGrant>): PermitGrant {
  const nothing = { atMs: 0, amount: 0 };
  return {
    window: [],
    forWaiting: nothing,
    inAdvance: nothing,
    inAdvanceValidMs: 1_000,
    usedAtMs: [],
    isTight: false,
    ...change,
  };
}

describe("a rate meter", () => {
  it("counts a permit's life from when it was asked for, however late the answer came", () => {
    const meter = new RateMeter(10);
    meter.hear(
      meter.ask(0),
      granted({
        forWaiting: { atMs: 1_001_000, amount: 1 },
        inAdvance: { atMs: 1_010_000, amount: 2 },
        inAdvanceValidMs: 10_000,
      }),
      { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 200 },
    );
    expect([meter.has(3, 249), meter.has(3, 250), meter.has(2, 250)]).toEqual([true, false, true]);
    expect([meter.has(2, 9_999), meter.has(1, 10_000)]).toEqual([true, false]);
    expect(meter.ask(10_000).returned).toEqual([
      { atMs: 1_001_000, amount: 1 },
      { atMs: 1_010_000, amount: 2 },
    ]);
    expect(meter.hasNews(10_000)).toBe(false);
  });

  it("gives back from where a permit is recorded, also when it was moved", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    const inAdvance = { atMs: 1_010_000, amount: 5 };
    meter.hear(meter.ask(0), granted({ inAdvance, inAdvanceValidMs: 10_000 }), moment);
    const early = meter.take(2, 100);
    const told = meter.ask(3_000);
    expect(told.used).toEqual([{ atMs: 1_010_000, amount: 2, agoMs: 2_900 }]);
    // The store has not said yet where it is now.
    meter.correct(early, 1);
    expect(meter.ask(3_000).returned).toEqual([]);
  });

  it("tells when permits were used that are recorded ahead, and gives back from there", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    const inAdvance = { atMs: 1_010_000, amount: 5 };
    meter.hear(meter.ask(0), granted({ inAdvance, inAdvanceValidMs: 10_000 }), moment);
    const early = meter.take(2, 100);
    expect([meter.hasNews(900), meter.hasNews(1_000)]).toEqual([false, true]);
    const request = meter.ask(1_000);
    meter.correct(early, 1);
    const later = { sentAtMs: 1_000, storeNowMs: STORE_MS + 1_000, heardAtMs: 1_000 };
    meter.hear(request, granted({ usedAtMs: [1_000_100] }), later);
    const late = meter.take(2, 1_100);
    meter.correct(late, 1);
    const { returned, used } = meter.ask(2_500);
    expect(returned).toEqual([
      { atMs: 1_000_100, amount: 1 },
      { atMs: 1_010_000, amount: 1 },
    ]);
    expect(used).toEqual([{ atMs: 1_010_000, amount: 1, agoMs: 1_400 }]);
  });

  it("tells of what was used also when the other permits of its batch are over", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    const inAdvance = { atMs: 1_001_000, amount: 5 };
    meter.hear(meter.ask(0), granted({ inAdvance, inAdvanceValidMs: 1_000 }), moment);
    meter.take(2, 100);
    expect(meter.has(1, 1_000)).toBe(false);
    expect(meter.ask(1_000)).toMatchObject({
      returned: [{ atMs: 1_001_000, amount: 3 }],
      used: [{ atMs: 1_001_000, amount: 2, agoMs: 900 }],
    });
    expect(meter.isIdle(1_000)).toBe(true);
  });

  it("gives back what nobody needs after a while, and at once where there is little", () => {
    for (const [isTight, idleMs] of [
      [false, 2_000],
      [true, 0],
    ] as const) {
      const meter = new RateMeter(100);
      const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
      const inAdvance = { atMs: 1_010_000, amount: 5 };
      meter.wait(1);
      meter.hear(meter.ask(0), granted({ inAdvance, inAdvanceValidMs: 10_000, isTight }), moment);
      // It is for the call that waits.
      meter.hasNews(idleMs);
      expect(meter.has(5, idleMs)).toBe(true);
      meter.waitNoMore(1);
      meter.hasNews(idleMs - 1);
      expect(meter.has(5, idleMs)).toBe(!isTight);
      meter.hasNews(idleMs);
      expect(meter.ask(idleMs).returned).toEqual([{ atMs: 1_010_000, amount: 5 }]);
    }
  });

  it("says at most 60 seconds", () => {
    const meter = new RateMeter(5);
    const window = [{ atMs: STORE_MS + 9_000, amount: 5 }];
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    meter.hear(meter.ask(0), granted({ window }), moment);
    expect([meter.refusalMs(1, 0), meter.stateAt(0).resetMs]).toEqual([60_000, 60_000]);
  });

  it("has a permit again that was not used after all, as long as it is good", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    meter.hear(meter.ask(0), granted({ forWaiting: { atMs: 1_000_250, amount: 1 } }), moment);
    const taken = meter.take(1, 100);
    expect(meter.has(1, 100)).toBe(false);
    meter.undo(taken, 100);
    meter.undo(meter.take(1, 100), 100);
    expect([meter.has(1, 100), meter.has(1, 250)]).toEqual([true, false]);
    expect(meter.ask(250).returned).toEqual([{ atMs: 1_000_250, amount: 1 }]);
  });

  it("tells a debt again when nothing was heard of it, and a return never", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    meter.hear(meter.ask(0), granted({ forWaiting: { atMs: 1_001_000, amount: 2 } }), moment);
    meter.correct(meter.take(1, 100), 8);
    const request = meter.ask(1_500);
    expect([request.debt, request.returned.length]).toEqual([7, 1]);
    meter.hearNothing(request);
    const again = meter.ask(2_000);
    expect([again.debt, again.returned.length]).toEqual([7, 0]);
  });
});
