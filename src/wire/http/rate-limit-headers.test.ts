import { expect, it } from "vitest";
import { createRateLimitHeaders, formatReset } from "./rate-limit-headers.ts";

it("writes the time until a reset as OpenAI does", () => {
  const times = [0, 16.2, 999, 999.5, 1000, 1001, 59_999, 60_001, 3_600_000];
  expect(times.map(formatReset)).toEqual([
    "0ms",
    "17ms",
    "999ms",
    "1000ms",
    "1s",
    "2s",
    "1m0s",
    "1m1s",
    "60m0s",
  ]);
});

it("tells of what is limited, and of nothing else", () => {
  expect(createRateLimitHeaders({})).toEqual([]);
  const tokens = { limit: 1000, remaining: 12, resetMs: 500 };
  expect(createRateLimitHeaders({ tokens })).toEqual([
    "x-ratelimit-limit-tokens",
    "1000",
    "x-ratelimit-remaining-tokens",
    "12",
    "x-ratelimit-reset-tokens",
    "500ms",
  ]);
});
