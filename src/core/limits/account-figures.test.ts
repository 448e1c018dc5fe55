import { expect, it } from "vitest";
import type { ProviderAccountId } from "../ids/ids.ts";
import { type AccountPeaks, MINUTE_MS } from "./account-demand.ts";
import { composeRequest, figuresOf, isNearLimit } from "./account-figures.ts";

const AT_MS = 1_769_850_300_000;
const formatMinute = (ms: number): string => `minute ${ms}`;
const ACCOUNT = { provider: "openai", organizationId: "org-acme", providerProjectId: null };

function peaks(change: Partial<AccountPeaks> = {}): AccountPeaks {
  return {
    accountId: "acc_main" as ProviderAccountId,
    model: "gpt-4o",
    requests: { amount: 400, minuteMs: AT_MS },
    tokens: { amount: 9_000, minuteMs: AT_MS },
    waited: 0,
    longestWaitMs: 0,
    refused: 0,
    requestLimit: 500,
    tokenLimit: 30_000,
    ...change,
  };
}

it("brings stretches together by model, and takes the limit that was told last", () => {
  const lastDay = [peaks({ requestLimit: null, tokens: null, waited: 1 })];
  const older = peaks({ requestLimit: 100, waited: 3, refused: 2 });
  const figures = figuresOf({
    lastDay,
    last7Days: [peaks()],
    last30Days: [older, peaks({ model: "gone" })],
  });
  expect(figures.map(({ model }) => model)).toEqual(["gone", "gpt-4o"]);
  expect(figures[1]).toMatchObject({
    requests: { limit: 500 },
    tokens: { limit: 30_000, peaks: { lastDay: null, last7Days: { amount: 9_000 } } },
    waits: { lastDay: { waited: 1 }, last30Days: { waited: 3, refused: 2 } },
  });
  expect(figures[0]).toMatchObject({
    requests: { peaks: { lastDay: null } },
    waits: { lastDay: { waited: 0, longestWaitMs: 0, refused: 0 } },
  });
});

it("is near from 80 % of a limit that is known", () => {
  const peak = { amount: 80, minuteMs: AT_MS };
  expect(isNearLimit(peak, 100)).toBe(true);
  expect(isNearLimit(peak, 101)).toBe(false);
  expect(isNearLimit(peak, null)).toBe(false);
  expect(isNearLimit(null, 100)).toBe(false);
});

it("asks the provider for no more than what was near, with the figures of it", () => {
  const month = peaks({
    requests: { amount: 1_234, minuteMs: AT_MS - 10 * 24 * 60 * MINUTE_MS },
    waited: 1_000,
    longestWaitMs: 9_750,
    refused: 12,
    requestLimit: 500,
  });
  const quiet = peaks({ model: "quiet", requests: { amount: 1, minuteMs: AT_MS } });
  const stretches = { lastDay: [peaks()], last7Days: [peaks()], last30Days: [month, quiet] };
  expect(composeRequest(ACCOUNT, figuresOf(stretches), formatMinute)).toBe(
    "We ask for higher rate limits for our account at openai (organization org-acme). " +
      "For gpt-4o: your answers tell a limit of 500 requests, and in the last 30 days our demand came to " +
      "1,234 requests in one minute (minute 1768986300000), 246 % of it, and to 400 in the last 7 days. " +
      "In these 30 days 1,000 calls waited for room, the longest 9.8 s, and 12 calls were not sent for want of it. " +
      "Demand is counted by the minute in which a call reached our gateway (UTC), tokens as estimated before the call.",
  );
});

it("has nothing to ask for where nothing was near a limit, or none was told", () => {
  const calm = peaks({ requests: { amount: 399, minuteMs: AT_MS } });
  const untold = peaks({ requestLimit: null, tokenLimit: null, waited: 5 });
  for (const one of [calm, untold]) {
    const stretches = { lastDay: [one], last7Days: [one], last30Days: [one] };
    expect(composeRequest(ACCOUNT, figuresOf(stretches), formatMinute)).toBeNull();
  }
});
