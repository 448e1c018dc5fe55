/**
 * Names of fields that most requests, or providers' answers, have. They are found by their bytes and shared, so that reading a head makes no
 * string for them, and comparing them later is comparing references.
 */
export const COMMON_NAMES = [
  "accept",
  "accept-encoding",
  "accept-language",
  "alt-svc",
  "anthropic-beta",
  "anthropic-version",
  "api-key",
  "authorization",
  "cache-control",
  "cf-cache-status",
  "cf-ray",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "date",
  "expect",
  "forwarded",
  "host",
  "http-referer",
  "idempotency-key",
  "keep-alive",
  "openai-beta",
  "openai-organization",
  "openai-processing-ms",
  "openai-project",
  "openai-version",
  "origin",
  "pragma",
  "referer",
  "sec-fetch-mode",
  "server",
  "set-cookie",
  "strict-transport-security",
  "traceparent",
  "tracestate",
  "transfer-encoding",
  "user-agent",
  "via",
  "x-api-key",
  "x-content-type-options",
  "x-envoy-upstream-service-time",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-keyward-customer",
  "x-keyward-feature",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
  "x-real-ip",
  "x-request-id",
  "x-stainless-arch",
  "x-stainless-lang",
  "x-stainless-os",
  "x-stainless-package-version",
  "x-stainless-retry-count",
  "x-stainless-runtime",
  "x-stainless-runtime-version",
  "x-stainless-timeout",
] as const;

interface CommonName {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BY_LENGTH: readonly (readonly CommonName[])[] = groupByLength();

function groupByLength(): CommonName[][] {
  const groups: CommonName[][] = [];
  for (const name of COMMON_NAMES) {
    (groups[name.length] ??= []).push({ name, bytes: Buffer.from(name, "latin1") });
  }
  return groups;
}

/** The name that stands in these bytes, in lower case. They are a token: its capitals differ by one bit, and only they. */
export function readFieldName(bytes: Buffer, start: number, end: number): string {
  const candidates = BY_LENGTH[end - start];
  if (candidates !== undefined) {
    for (const { name, bytes: known } of candidates) if (isAt(bytes, start, known)) return name;
  }
  return bytes.toString("latin1", start, end).toLowerCase();
}

const CASE_BIT = 0x20;

function isAt(bytes: Buffer, start: number, known: Uint8Array): boolean {
  for (let i = 0; i < known.length; i += 1) {
    if (((bytes[start + i] as number) | CASE_BIT) !== known[i]) return false;
  }
  return true;
}
