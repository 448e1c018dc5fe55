import { describe, expect, test } from "vitest";
import { afterLateLook, afterLateTrouble, firstLateLook } from "./late-look.ts";

const ENDED_MS = 1_000_000;
const TROUBLE = { problem: "no answer", isFinal: false } as const;

describe("looking after what has ended", () => {
  test("is done three times within a quarter of an hour, and once where nobody was there for longer", () => {
    const times: number[] = [];
    let look = firstLateLook(ENDED_MS);
    while (look.atMs !== null) {
      times.push(look.atMs - ENDED_MS);
      look = afterLateLook(look, ENDED_MS, look.atMs);
    }
    expect(times).toEqual([20_000, 120_000, 900_000]);
    expect(afterLateLook(firstLateLook(ENDED_MS), ENDED_MS, ENDED_MS + 3_600_000).atMs).toBeNull();
  });

  test("is put off while the provider cannot be asked, at most five minutes, and given up after a week", () => {
    let look = firstLateLook(ENDED_MS);
    let nowMs = look.atMs ?? 0;
    let longestMs = 0;
    while (look.atMs !== null) {
      nowMs = look.atMs;
      look = afterLateTrouble(look, { endedAtMs: ENDED_MS, trouble: TROUBLE }, nowMs);
      longestMs = Math.max(longestMs, (look.atMs ?? nowMs) - nowMs);
    }
    expect(longestMs).toBe(5 * 60_000);
    expect(nowMs - ENDED_MS).toBeGreaterThanOrEqual(7 * 24 * 3600_000);
    expect(look.problem).toBe("no answer");
  });

  test("goes on from where it was once the provider answers again", () => {
    const nowMs = ENDED_MS + 25_000;
    const put = afterLateTrouble(
      firstLateLook(ENDED_MS),
      { endedAtMs: ENDED_MS, trouble: TROUBLE },
      nowMs,
    );
    expect(put).toMatchObject({ atMs: nowMs + 2_000, failures: 1 });
    expect(afterLateLook(put, ENDED_MS, nowMs + 2_000)).toMatchObject({
      atMs: ENDED_MS + 120_000,
      failures: 0,
      problem: null,
    });
  });
});
