import { describe, expect, it } from "vitest";
import { SlotMeter } from "./slot-meter.ts";

function holding(held: number, isTight = false): SlotMeter {
  const meter = new SlotMeter(10, "prc_1");
  meter.ask(0);
  meter.hear({ slots: {}, held, free: 0, isTight });
  return meter;
}

describe("a slot meter", () => {
  it("takes nothing meanwhile of what it says that it does not keep", () => {
    const meter = holding(5);
    meter.take();
    expect(meter.ask(0)).toMatchObject({ kept: 1, waiting: 0 });
    expect(meter.has()).toBe(false);
    meter.hear({ slots: {}, held: 2, free: 3, isTight: false });
    expect(meter.has()).toBe(true);
  });

  it("keeps what it needed lately where there are many, and gives all of it back when nothing comes", () => {
    const meter = holding(5);
    for (let i = 0; i < 3; i += 1) meter.take();
    for (let i = 0; i < 3; i += 1) meter.release();
    expect(meter.ask(0).kept).toBe(3);
    expect(meter.hasNews(100)).toBe(false);
    expect(meter.hasNews(200)).toBe(true);
    expect(meter.ask(200).kept).toBe(0);
    expect([meter.hasNews(1_000), meter.isIdle()]).toEqual([false, true]);
  });

  it("has nothing to say while each slot is needed now and then, and soon when one is not", () => {
    const meter = holding(2);
    const takeBoth = (): void => {
      for (let i = 0; i < 2; i += 1) meter.take();
      for (let i = 0; i < 2; i += 1) meter.release();
    };
    // Shorter than what is told after a second, for people to see.
    for (const nowMs of [200, 400, 600]) {
      takeBoth();
      expect(meter.hasNews(nowMs)).toBe(false);
    }
    meter.take();
    expect([meter.hasNews(799), meter.hasNews(800)]).toEqual([false, true]);
    expect(meter.ask(800).kept).toBe(1);
  });

  it("keeps for a second what is few beside what others can still take", () => {
    const meter = holding(3);
    meter.hear({ slots: {}, held: 3, free: 16, isTight: false });
    meter.take();
    meter.take();
    meter.release();
    // One of the three was not needed.
    expect([meter.hasNews(200), meter.hasNews(600)]).toEqual([false, true]);
    meter.hear({ slots: {}, held: 2, free: 16, isTight: false });
    expect([meter.hasNews(900), meter.hasNews(1_000)]).toEqual([false, true]);
  });

  it("gives back what is beyond a limit that was lowered, though it was needed", () => {
    const meter = holding(2);
    for (let i = 0; i < 2; i += 1) meter.take();
    meter.limit = 1;
    meter.release();
    expect(meter.hasNews(200)).toBe(true);
    expect(meter.ask(200).kept).toBe(1);
  });

  it("gives back at once what somebody else may be waiting for, but keeps it for calls that wait here", () => {
    const meter = holding(1, true);
    meter.take();
    expect(meter.hasNews(0)).toBe(false);
    meter.wait();
    meter.release();
    expect(meter.hasNews(0)).toBe(false);
    expect(meter.ask(0)).toMatchObject({ kept: 1, waiting: 0, inFlight: 1 });
    meter.waitNoMore();
    expect(meter.hasNews(0)).toBe(true);
    expect(meter.ask(0).kept).toBe(0);
  });

  it("wakes as many of those that wait as it has slots for, in their order", () => {
    const meter = holding(1, true);
    meter.take();
    const woken: string[] = [];
    meter.onFree(() => woken.push("left"))();
    for (const name of ["a", "b", "c", "d"]) meter.onFree(() => woken.push(name));
    meter.release();
    expect(woken).toEqual(["a"]);
    meter.hear({ slots: {}, held: 2, free: 0, isTight: true });
    expect(woken).toEqual(["a", "b", "c"]);
  });

  it("gives up at once only where it knows of as many calls as the limit allows", () => {
    const meter = holding(9, true);
    for (let i = 0; i < 9; i += 1) meter.take();
    expect(meter.refusalMs()).toBeUndefined();
    meter.hear({ slots: {}, held: 10, free: 0, isTight: true });
    meter.take();
    expect(meter.refusalMs()).toBe(1_000);
  });

  it("says from time to time what it holds, and how much of it is in use", () => {
    const meter = holding(1);
    meter.take();
    expect([meter.hasNews(999), meter.hasNews(1_000)]).toEqual([false, true]);
    expect(meter.ask(1_000)).toMatchObject({ kept: 1, inFlight: 1 });
    expect([meter.hasNews(10_999), meter.hasNews(11_000)]).toEqual([false, true]);
  });

  it("says again what it holds when nothing was heard of it", () => {
    const meter = holding(1);
    meter.take();
    meter.ask(0);
    meter.hearNothing();
    expect(meter.hasNews(0)).toBe(true);
    expect(meter.ask(0).kept).toBe(1);
  });
});
