/** What a client is told of the rate that it may call at, as OpenAI's `x-ratelimit-*` headers have it. */
interface Rate {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

export interface Rates {
  readonly requests?: Rate | undefined;
  readonly tokens?: Rate | undefined;
}

/** A flat list of names and values; of a rate that is not limited, nothing. */
export function createRateLimitHeaders({ requests, tokens }: Rates): readonly string[] {
  const headers: string[] = [];
  if (requests !== undefined) pushRate(headers, REQUESTS, requests);
  if (tokens !== undefined) pushRate(headers, TOKENS, tokens);
  return headers;
}

/** Written out: names that are put together anew for each reply cost more than the rest of it. */
interface RateNames {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

const REQUESTS: RateNames = {
  limit: "x-ratelimit-limit-requests",
  remaining: "x-ratelimit-remaining-requests",
  reset: "x-ratelimit-reset-requests",
};

const TOKENS: RateNames = {
  limit: "x-ratelimit-limit-tokens",
  remaining: "x-ratelimit-remaining-tokens",
  reset: "x-ratelimit-reset-tokens",
};

function pushRate(headers: string[], names: RateNames, { limit, remaining, resetMs }: Rate): void {
  headers.push(
    names.limit,
    String(limit),
    names.remaining,
    String(remaining),
    names.reset,
    formatReset(resetMs),
  );
}

/** As Go writes durations, which is how OpenAI writes this header: `17ms`, `8s`, `6m0s`. */
export function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
