import type { ToldLimit, ToldLimits } from "../../core/limits/account-gauge.ts";

/** The fields of a head; what came more than once is joined by commas. */
interface Headers {
  get(name: string): string | undefined;
}

/** A reset that is further away is taken for this: providers count by the minute or by the day. */
const MAX_RESET_MS = 24 * 60 * 60 * 1000;

/**
 * What an answer tells of the limits of the account that it was sent with; nothing where it tells nothing that can be
 * read. Three families: `x-ratelimit-limit-requests` and so on, with the time until the reset as Go writes durations
 * (OpenAI, Azure, Groq and whoever copies them) or in seconds; `anthropic-ratelimit-requests-limit` and so on, with the
 * instant of the reset (RFC 3339).
 */
export function readAccountLimits(headers: Headers, nowMs: number): ToldLimits {
  const requests = read(headers, PLAIN.requests, nowMs) ?? read(headers, ANTHROPIC.requests, nowMs);
  const tokens =
    read(headers, PLAIN.tokens, nowMs) ??
    // What is most restrictive of the two below, where it is told.
    read(headers, ANTHROPIC.tokens, nowMs) ??
    tighter(
      read(headers, ANTHROPIC.inputTokens, nowMs),
      read(headers, ANTHROPIC.outputTokens, nowMs),
    );
  return { requests, tokens };
}

/** The names of the fields that tell of one limit. */
interface LimitFields {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

const PLAIN = { requests: plainFields("requests"), tokens: plainFields("tokens") };
const ANTHROPIC = {
  requests: anthropicFields("requests"),
  tokens: anthropicFields("tokens"),
  inputTokens: anthropicFields("input-tokens"),
  outputTokens: anthropicFields("output-tokens"),
};

function plainFields(of: string): LimitFields {
  return {
    limit: `x-ratelimit-limit-${of}`,
    remaining: `x-ratelimit-remaining-${of}`,
    reset: `x-ratelimit-reset-${of}`,
  };
}

function anthropicFields(of: string): LimitFields {
  const family = `anthropic-ratelimit-${of}`;
  return { limit: `${family}-limit`, remaining: `${family}-remaining`, reset: `${family}-reset` };
}

function read(headers: Headers, fields: LimitFields, nowMs: number): ToldLimit | undefined {
  const told = headers.get(fields.limit);
  if (told === undefined) return undefined;
  const limit = readCount(told);
  const remaining = readCount(headers.get(fields.remaining));
  if (limit === undefined || remaining === undefined || limit === 0) return undefined;
  const resetMs = readReset(headers.get(fields.reset), nowMs);
  return { limit, remaining: Math.min(remaining, limit), resetMs };
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*\d{1,15}\s*$/.test(text)) return undefined;
  return Number(text);
}

function tighter(one: ToldLimit | undefined, other: ToldLimit | undefined): ToldLimit | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.remaining / one.limit <= other.remaining / other.limit ? one : other;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

const DURATION = /^(?:\d{1,12}(?:\.\d{1,12})?(?:ms|us|µs|ns|d|h|m|s)){1,8}$/;
const PART = /([\d.]+)(ms|us|µs|ns|d|h|m|s)/g;
/** Longer numbers are no seconds from now: some servers write the instant since 1970. */
const SECONDS = /^\d{1,6}(?:\.\d{1,9})?$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** The time until a reset; null where it is not said, or cannot be read. */
export function readReset(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (SECONDS.test(text)) return bounded(Number(text) * 1000);
  if (DURATION.test(text)) {
    let ms = 0;
    for (const [, amount, unit] of text.matchAll(PART)) {
      ms += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
    }
    return bounded(ms);
  }
  if (!INSTANT.test(text)) return null;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? null : bounded(atMs - nowMs);
}

function bounded(ms: number): number {
  return Math.min(MAX_RESET_MS, Math.max(0, ms));
}
