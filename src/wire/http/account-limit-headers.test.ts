import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAccountLimits, readReset } from "./account-limit-headers.ts";
import { formatReset } from "./rate-limit-headers.ts";

const NOW_MS = Date.UTC(2026, 0, 31, 9, 0, 0);
const DAY_MS = 86_400_000;

const headOf = (fields: Readonly<Record<string, string>>) => ({
  get: (name: string): string | undefined => fields[name],
});

describe("readReset", () => {
  it.each([
    ["6m0s", 360_000],
    ["17ms", 17],
    ["1s", 1000],
    ["7.66s", 7660],
    ["2m59.56s", 179_560],
    ["1h2m3s", 3_723_000],
    ["1d", DAY_MS],
    ["30d", DAY_MS],
    ["120µs", 0.12],
    ["0s", 0],
    ["10", 10_000],
    ["0.5", 500],
    ["2026-01-31T09:00:30Z", 30_000],
    ["2026-01-31T10:00:30.250+01:00", 30_250],
    ["2026-01-31T08:00:00Z", 0],
    ["", null],
    ["soon", null],
    ["-5s", null],
    ["5 s", null],
    ["1700000000", null],
    ["2026-13-99T99:00:00Z", null],
    ["1s, 2s", null],
    [undefined, null],
  ])("reads %j as %s", (text, expected) => {
    const read = readReset(text, NOW_MS);
    if (expected === null) expect(read).toBeNull();
    else expect(read).toBeCloseTo(expected, 6);
  });

  it("reads what this gateway writes itself, and nothing out of noise", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_599_000 }), (ms) => {
        const read = readReset(formatReset(ms), NOW_MS);
        expect(read).toBeGreaterThanOrEqual(ms);
        expect(read).toBeLessThan(ms + 1000);
      }),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const read = readReset(text, NOW_MS);
        if (read !== null) expect(read >= 0 && read <= DAY_MS).toBe(true);
      }),
    );
  });
});

describe("readAccountLimits", () => {
  it("reads OpenAI's headers", () => {
    const headers = {
      "x-ratelimit-limit-requests": "5000",
      "x-ratelimit-remaining-requests": "4999",
      "x-ratelimit-reset-requests": "12ms",
      "x-ratelimit-limit-tokens": "160000",
      "x-ratelimit-remaining-tokens": "159976",
      "x-ratelimit-reset-tokens": "9ms",
    };
    expect(readAccountLimits(headOf(headers), NOW_MS)).toEqual({
      requests: { limit: 5000, remaining: 4999, resetMs: 12 },
      tokens: { limit: 160_000, remaining: 159_976, resetMs: 9 },
    });
  });

  it("reads Anthropic's, of tokens the most restrictive", () => {
    const headers = {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-01-31T09:00:01Z",
      "anthropic-ratelimit-input-tokens-limit": "1000",
      "anthropic-ratelimit-input-tokens-remaining": "900",
      "anthropic-ratelimit-input-tokens-reset": "2026-01-31T09:00:06Z",
      "anthropic-ratelimit-output-tokens-limit": "1000",
      "anthropic-ratelimit-output-tokens-remaining": "100",
      "anthropic-ratelimit-output-tokens-reset": "2026-01-31T09:00:54Z",
    };
    expect(readAccountLimits(headOf(headers), NOW_MS)).toEqual({
      requests: { limit: 50, remaining: 49, resetMs: 1000 },
      tokens: { limit: 1000, remaining: 100, resetMs: 54_000 },
    });
  });

  it.each([
    {},
    { "x-ratelimit-limit-requests": "5000" },
    { "x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0" },
    { "x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "1" },
    { "x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "-1" },
    { "x-ratelimit-limit-requests": "10, 20", "x-ratelimit-remaining-requests": "1" },
  ])("takes %j for no word", (headers) => {
    expect(readAccountLimits(headOf(headers), NOW_MS)).toEqual({});
  });

  it("does not take more to be left than there is", () => {
    const headers = { "x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "99" };
    expect(readAccountLimits(headOf(headers), NOW_MS).requests).toEqual({
      limit: 10,
      remaining: 10,
      resetMs: null,
    });
  });
});
