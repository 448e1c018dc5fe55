import { describe, expect, it } from "vitest";
import { SlotMeter } from "./slot-meter.ts";

const MOMENT = { sentAtMs: 0, storeNowMs: 0, heardAtMs: 0 };

function holding(held: number, change: { free?: number; isShared?: boolean } = {}): SlotMeter {
  const meter = new SlotMeter(10, "prc_1");
  meter.ask(0);
  meter.hear({ slots: {}, held, free: 0, isShared: true, ...change }, MOMENT);
  return meter;
}

describe("a slot meter", () => {
  it("takes nothing meanwhile of what it says that it does not keep", () => {
    const meter = holding(5);
    meter.take();
    expect(meter.ask(0)).toMatchObject({ kept: 1, waiting: 0 });
    expect(meter.has()).toBe(false);
    meter.hear({ slots: {}, held: 2, free: 3, isShared: true }, MOMENT);
    expect(meter.has()).toBe(true);
  });

  it("keeps what it needed lately where nobody else may need it", () => {
    const meter = holding(5, { isShared: false });
    for (let i = 0; i < 3; i += 1) meter.take();
    for (let i = 0; i < 3; i += 1) meter.release();
    expect(meter.ask(0).kept).toBe(3);
    expect(meter.hasNews(100)).toBe(false);
    expect(meter.hasNews(200)).toBe(true);
    expect(meter.ask(200).kept).toBe(0);
  });

  it("gives back at once what somebody else may be waiting for", () => {
    const meter = holding(1);
    meter.take();
    expect(meter.hasNews(0)).toBe(false);
    meter.release();
    expect(meter.hasNews(0)).toBe(true);
  });

  it("says from time to time what it holds: others may have taken its process for dead", () => {
    const meter = holding(1);
    meter.take();
    meter.ask(0);
    expect([meter.hasNews(9_999), meter.hasNews(10_000)]).toEqual([false, true]);
  });

  it("says again what it holds when nothing was heard of it", () => {
    const meter = holding(1, { free: 4 });
    meter.take();
    meter.ask(0);
    meter.hearNothing();
    expect(meter.hasNews(0)).toBe(true);
    expect(meter.ask(0).kept).toBe(1);
  });
});
