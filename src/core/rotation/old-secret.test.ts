import { describe, expect, test } from "vitest";
import { awaitsRevocation, nextOldCheckMs, wasRefused } from "./old-secret.ts";
import { OLD_SECRET_FATES } from "./rotation.ts";

describe("a stolen secret that was replaced", () => {
  test("is not forgotten until the provider refuses it, has deleted it, or a person says so", () => {
    const ended = { isCompromise: true, state: "done" } as const;
    const waiting = OLD_SECRET_FATES.filter((oldFate) => awaitsRevocation({ ...ended, oldFate }));
    expect(waiting).toEqual(["valid", "unknown"]);
    const valid = { ...ended, oldFate: "valid" } as const;
    expect(awaitsRevocation({ ...valid, isCompromise: false })).toBe(false);
    expect(awaitsRevocation({ ...valid, state: "cancelled" })).toBe(false);
  });

  test("was refused before when that was not in the same moment", () => {
    expect(wasRefused({ oldRefusedAtMs: null }, 1e10)).toBe(false);
    expect(wasRefused({ oldRefusedAtMs: 1e10 }, 1e10 + 59_999)).toBe(false);
    expect(wasRefused({ oldRefusedAtMs: 1e10 }, 1e10 - 1)).toBe(false);
    expect(wasRefused({ oldRefusedAtMs: 1e10 }, 1e10 + 60_000)).toBe(true);
  });

  test("is tried after a minute, and no more often than every hour in the end, whatever the clock does", () => {
    expect(nextOldCheckMs(0, 0)).toBe(60_000);
    expect(nextOldCheckMs(5_000, 0)).toBe(60_000);
    expect(nextOldCheckMs(0, 3_600_000)).toBe(3_600_000 + 450_000);
    expect(nextOldCheckMs(0, 1e10)).toBe(1e10 + 3_600_000);
  });
});
