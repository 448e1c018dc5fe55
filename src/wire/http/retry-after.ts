type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * How long a server asks to be left alone, in milliseconds; undefined when it does not say. `retry-after-ms` (OpenAI
 * and Azure send it) is finer than `retry-after`, which holds seconds or an HTTP date (RFC 9110, section 10.2.3).
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const fine = readNumber(headers["retry-after-ms"]);
  if (fine !== undefined) return fine;
  const coarse = headers["retry-after"];
  const seconds = readNumber(coarse);
  if (seconds !== undefined) return seconds * 1000;
  if (typeof coarse !== "string" || !/[a-z]/i.test(coarse)) return undefined;
  const atMs = Date.parse(coarse);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function readNumber(value: string | string[] | undefined): number | undefined {
  if (typeof value !== "string" || !/^\s*\d{1,12}(?:\.\d{1,9})?\s*$/.test(value)) return undefined;
  return Number(value);
}
