/**
 * Names of fields that most requests have. They are found by their bytes and shared, so that reading a head makes no
 * string for them, and comparing them later is comparing references.
 */
const COMMON_NAMES = [
  "accept",
  "accept-encoding",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "api-key",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "http-referer",
  "idempotency-key",
  "openai-beta",
  "openai-organization",
  "openai-project",
  "origin",
  "pragma",
  "referer",
  "sec-fetch-mode",
  "traceparent",
  "tracestate",
  "transfer-encoding",
  "user-agent",
  "via",
  "x-api-key",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-keyward-customer",
  "x-keyward-feature",
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
