import { assert, double, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS } from "./alert-period.ts";
import { DELIVERY_HORIZON_MS, deliveryDelayMs, isDeliveryHopeless } from "./delivery-schedule.ts";

describe("the attempts at a delivery", () => {
  it("come at doubled distances up to an hour, scattered, and never before a named time", () => {
    const plain = { retryAfterMs: undefined, random: 0 };
    expect([1, 2, 3, 4].map((n) => deliveryDelayMs(n, plain))).toEqual([
      5_000, 10_000, 20_000, 40_000,
    ]);
    expect(deliveryDelayMs(1_000, plain)).toBe(3_600_000);
    expect(deliveryDelayMs(1, { retryAfterMs: 90_000, random: 0.5 })).toBe(90_000);
    expect(deliveryDelayMs(1, { retryAfterMs: Number.MAX_VALUE, random: 0.5 })).toBe(3_600_000);
    assert(
      property(nat(500), double({ min: 0, max: 0.999, noNaN: true }), (attempts, random) => {
        const delayMs = deliveryDelayMs(attempts, { retryAfterMs: undefined, random });
        expect(delayMs).toBeGreaterThanOrEqual(3_750);
        expect(delayMs).toBeLessThanOrEqual(DELIVERY_HORIZON_MS);
      }),
    );
  });

  it("end after four days, and after so many attempts that a clock must have stood still", () => {
    expect(isDeliveryHopeless({ attempts: 100, ageMs: 4 * DAY_MS - 1 })).toBe(false);
    expect(isDeliveryHopeless({ attempts: 1, ageMs: 4 * DAY_MS })).toBe(true);
    expect(isDeliveryHopeless({ attempts: 150, ageMs: 0 })).toBe(true);
  });
});
