import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CHECK_HORIZON_MS,
  firstCheckDelayMs,
  isHopeless,
  nextCheckDelayMs,
} from "./deferred-schedule.ts";

const HOUR_MS = 3_600_000;
const asked = { checks: 1, retryAfterMs: undefined, random: 0.5 };

const delays = (kind: "response" | "batch") =>
  [1, 2, 3, 20, 1_000_000].map((checks) => nextCheckDelayMs(kind, { ...asked, checks }));

describe("the time between two checks", () => {
  it("grows from seconds to half a minute for a response, and to five minutes for a batch", () => {
    expect(firstCheckDelayMs("response")).toBe(2_000);
    expect(delays("response")).toEqual([3_000, 4_500, 6_750, 30_000, 30_000]);
    expect(delays("batch")).toEqual([22_500, 33_750, 50_625, 300_000, 300_000]);
  });

  it("is no shorter than the provider asks for, up to an hour", () => {
    const retryAfterMs = 90_000;
    expect(nextCheckDelayMs("response", { ...asked, retryAfterMs })).toBe(retryAfterMs);
    const forever = { ...asked, retryAfterMs: 1e12 };
    expect(nextCheckDelayMs("response", forever)).toBe(HOUR_MS);
  });

  it("is never beyond the horizon behind which a time is taken for one of another clock", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("response" as const, "batch" as const, "thread_run" as const),
        fc.nat(),
        fc.nat(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (kind, checks, retryAfterMs, random) => {
          const delayMs = nextCheckDelayMs(kind, { checks, retryAfterMs, random });
          expect(delayMs).toBeGreaterThan(0);
          expect(delayMs).toBeLessThan(CHECK_HORIZON_MS);
        },
      ),
    );
  });
});

describe("what is given up", () => {
  const running = { problem: "not_finished", checks: 20, ageMs: 49 * HOUR_MS } as const;

  it("is a response after two days, and a batch after eight", () => {
    expect(isHopeless("response", running)).toBe(true);
    expect(isHopeless("response", { ...running, ageMs: 48 * HOUR_MS })).toBe(false);
    expect(isHopeless("batch", { ...running, ageMs: 191 * HOUR_MS })).toBe(false);
    expect(isHopeless("batch", { ...running, ageMs: 193 * HOUR_MS })).toBe(true);
  });

  it("is nothing for its age alone: the clock may have jumped, or Keyward may have been off for a week", () => {
    expect(isHopeless("response", { ...running, checks: 19, ageMs: 1e15 })).toBe(false);
  });

  it("is what its provider does not know, when it was asked five times", () => {
    const missing = { problem: "not_found", checks: 4, ageMs: 0 } as const;
    expect(isHopeless("response", missing)).toBe(false);
    expect(isHopeless("response", { ...missing, checks: 5 })).toBe(true);
  });
});
