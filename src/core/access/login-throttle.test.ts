import { describe, expect, it } from "vitest";
import { afterAttempt, type Attempts, waitMs } from "./login-throttle.ts";

const MINUTE = 60_000;

describe("delays between attempts to log in", () => {
  it("begin at the fifth failure of an account and double up to a quarter of an hour", () => {
    let attempts: Attempts | undefined;
    let nowMs = 0;
    const delays: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      attempts = afterAttempt("account", attempts, nowMs);
      delays.push(waitMs(attempts, nowMs));
      nowMs += waitMs(attempts, nowMs);
    }
    expect(delays.slice(0, 8)).toEqual([0, 0, 0, 0, 1000, 2000, 4000, 8000]);
    expect(delays.at(-1)).toBe(15 * MINUTE);
  });

  it("end by themselves, and are forgotten after a day", () => {
    let attempts: Attempts | undefined;
    for (let i = 0; i < 40; i += 1) attempts = afterAttempt("account", attempts, 0);
    expect(waitMs(attempts, 15 * MINUTE - 1)).toBe(1);
    expect(waitMs(attempts, 15 * MINUTE)).toBe(0);
    expect(afterAttempt("account", attempts, 25 * 60 * MINUTE).failures).toBe(1);
  });

  it("lock nobody out for longer when the clock steps back", () => {
    const attempts = { failures: 9, lastAtMs: 1e12, blockedUntilMs: 1e12 + MINUTE };
    expect(waitMs(attempts, 1e12 - 60 * MINUTE)).toBe(0);
    expect(waitMs(undefined, 0)).toBe(0);
  });
});
