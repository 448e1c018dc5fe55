import { describe, expect, it } from "vitest";
import { readRetryAfterMs } from "./retry-after.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 9, 0, 0);

describe("readRetryAfterMs", () => {
  it.each([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "1.5" }, 1500],
    [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
    [{ "retry-after-ms": "soon", "retry-after": "1" }, 1000],
    [{ "retry-after": "Sat, 31 Jan 2026 09:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sat, 31 Jan 2026 08:00:00 GMT" }, 0],
  ])("reads %j as %i ms", (headers, expected) => {
    expect(readRetryAfterMs(headers, NOW_MS)).toBe(expected);
  });

  it.each([
    {},
    { "retry-after": "" },
    { "retry-after": "-1" },
    { "retry-after": "soon" },
    { "retry-after": "2026" + "0".repeat(20) },
    { "retry-after": "1e9" },
    { "retry-after": ["1", "2"] },
  ])("takes %j for no answer", (headers) => {
    expect(readRetryAfterMs(headers, NOW_MS)).toBeUndefined();
  });
});
