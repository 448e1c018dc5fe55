import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HeldSlots } from "./limit-use.ts";
import { takeSlots, type SlotRequest } from "./take-slots.ts";

const RUNNING = new Set(["prc_1", "prc_2", "prc_3"]);

function ask(change: Partial<SlotRequest>, before: Readonly<Record<string, number>> = {}) {
  const request = { processId: "prc_1", limit: 10, kept: 0, inFlight: 0, waiting: 0, ...change };
  const slots = Object.entries(before).map(([id, held]) => [id, { held, inFlight: held }]);
  return takeSlots(Object.fromEntries(slots) as HeldSlots, request, RUNNING);
}

describe("taking slots", () => {
  it("grants to calls that wait what other processes do not hold", () => {
    expect(ask({ waiting: 4 }, { prc_2: 8 })).toMatchObject({ held: 2, free: 0 });
    expect(ask({ kept: 3, inFlight: 2, waiting: 1 }, { prc_2: 2, prc_1: 9 })).toEqual({
      slots: { prc_2: { held: 2, inFlight: 2 }, prc_1: { held: 4, inFlight: 2 } },
      held: 4,
      free: 4,
      isTight: true,
    });
  });

  it("takes nothing from processes that are gone for theirs", () => {
    expect(ask({ waiting: 10 }, { prc_9: 10 })).toMatchObject({
      slots: { prc_1: { held: 10 } },
      held: 10,
    });
  });

  it("leaves calls in flight when the limit was lowered, and grants no more", () => {
    expect(ask({ limit: 2, kept: 5, waiting: 1 })).toMatchObject({ held: 5, free: 0 });
  });

  it("keeps some ready only where there are many", () => {
    expect(ask({ limit: 31, waiting: 20 }).held).toBe(20);
    expect(ask({ limit: 100, waiting: 20 }).held).toBe(25);
    expect(ask({ limit: 100, waiting: 20 }, { prc_2: 72 }).held).toBe(22);
    expect(ask({ limit: 100, waiting: 20 }, { prc_2: 80 }).held).toBe(20);
  });

  it("calls slots tight that are few for the processes that share them, or all held", () => {
    expect(ask({ limit: 11 }).isTight).toBe(true);
    expect(ask({ limit: 12, waiting: 11 }).isTight).toBe(false);
    expect(ask({ limit: 12, waiting: 12 }).isTight).toBe(true);
    const alone = { processId: "prc_1", limit: 1, kept: 1, inFlight: 1, waiting: 0 };
    expect(takeSlots({}, alone, new Set(["prc_1"])).isTight).toBe(false);
  });

  it("never lets processes that keep what they were granted hold more than the limit together", () => {
    const step = fc.record({
      process: fc.integer({ min: 1, max: 3 }),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
      waiting: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(step), (limit, steps) => {
        let slots: HeldSlots = {};
        for (const { process, kept, waiting } of steps) {
          const processId = `prc_${process}`;
          const held = slots[processId]?.held ?? 0;
          const keeps = Math.floor(held * kept);
          const request = { processId, limit, kept: keeps, inFlight: keeps + waiting, waiting };
          ({ slots } = takeSlots(slots, request, RUNNING));
          const total = Object.values(slots).reduce((sum, one) => sum + one.held, 0);
          expect(total).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});
