import { describe, expect, it } from "vitest";
import type { PermitGrant } from "../../core/limits/take-permits.ts";
import { RateMeter } from "./rate-meter.ts";

const STORE_MS = 1_000_000;

function granted(change: Partial<PermitGrant>): PermitGrant {
  const nothing = { second: 0, amount: 0 };
  return {
    window: [],
    forWaiting: nothing,
    inAdvance: nothing,
    inAdvanceValidSeconds: 1,
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
        forWaiting: { second: 1001, amount: 1 },
        inAdvance: { second: 1010, amount: 2 },
        inAdvanceValidSeconds: 10,
      }),
      { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 900 },
    );
    expect([meter.has(3, 999), meter.has(3, 1000), meter.has(2, 1000)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([meter.has(2, 9_999), meter.has(1, 10_000)]).toEqual([true, false]);
    expect(meter.ask(10_000).returned).toEqual([
      { second: 1001, amount: 1 },
      { second: 1010, amount: 2 },
    ]);
    expect(meter.hasNews(10_000)).toBe(false);
  });

  it("gives back out of the second in which a permit is recorded, also when it was moved", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    const inAdvance = { second: 1010, amount: 5 };
    meter.hear(meter.ask(0), granted({ inAdvance, inAdvanceValidSeconds: 10 }), moment);
    const early = meter.take(2, 100);
    expect(meter.ask(3_000).used).toEqual([{ second: 1010, amount: 2 }]);
    const late = meter.take(2, 3_100);
    meter.correct(early, 1);
    meter.correct(late, 1);
    const { returned, used } = meter.ask(4_000);
    expect(returned).toEqual([
      { second: 1003, amount: 1 },
      { second: 1010, amount: 1 },
    ]);
    expect(used).toEqual([{ second: 1010, amount: 1 }]);
  });

  it("has a permit again that was not used after all, as long as it is good", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    meter.hear(meter.ask(0), granted({ forWaiting: { second: 1001, amount: 1 } }), moment);
    const taken = meter.take(1, 100);
    expect(meter.has(1, 100)).toBe(false);
    meter.undo(taken, 100);
    meter.undo(meter.take(1, 100), 100);
    expect([meter.has(1, 100), meter.has(1, 1_000)]).toEqual([true, false]);
    expect(meter.ask(1_000).returned).toEqual([{ second: 1001, amount: 1 }]);
  });

  it("tells a debt again when nothing was heard of it, and a return never", () => {
    const meter = new RateMeter(10);
    const moment = { sentAtMs: 0, storeNowMs: STORE_MS, heardAtMs: 0 };
    meter.hear(meter.ask(0), granted({ forWaiting: { second: 1001, amount: 2 } }), moment);
    meter.correct(meter.take(1, 100), 8);
    const request = meter.ask(1_500);
    expect([request.debt, request.returned.length]).toEqual([7, 1]);
    meter.hearNothing(request);
    const again = meter.ask(2_000);
    expect([again.debt, again.returned.length]).toEqual([7, 0]);
  });
});
