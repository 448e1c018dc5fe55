/** What a client is told of the rate that it may call at, as OpenAI's `x-ratelimit-*` headers have it. */
export interface Rate {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** A flat list of names and values; of a rate that is not limited, nothing. */
export function createRateLimitHeaders(rates: {
  readonly requests?: Rate | undefined;
  readonly tokens?: Rate | undefined;
}): string[] {
  const headers: string[] = [];
  if (rates.requests !== undefined) push(headers, "requests", rates.requests);
  if (rates.tokens !== undefined) push(headers, "tokens", rates.tokens);
  return headers;
}

function push(headers: string[], of: "requests" | "tokens", rate: Rate): void {
  headers.push(
    `x-ratelimit-limit-${of}`,
    String(rate.limit),
    `x-ratelimit-remaining-${of}`,
    String(rate.remaining),
    `x-ratelimit-reset-${of}`,
    formatReset(rate.resetMs),
  );
}

/** As Go writes durations, which is how OpenAI writes this header: `17ms`, `8s`, `6m0s`. */
export function formatReset(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
