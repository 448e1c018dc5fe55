/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,256}$/;
/** What a header may hold, and nothing that could end it. */
const HEADER_VALUE = /^[\x20-\x7e]{0,4096}$/;
const MAX_CHARACTERS = 1024;

type Pair = readonly [name: string, value: string];

/**
 * `name=value,name=value`, values percent-encoded, as OpenTelemetry's variables have them; undefined when it is not.
 * Source: OpenTelemetry specification, "Resource SDK", and W3C Baggage.
 */
export function parsePairs(text: string): Pair[] | undefined {
  const pairs: Pair[] = [];
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    const value = decode(part.slice(equals + 1).trim());
    if (name === "" || value === undefined || name.length > MAX_CHARACTERS) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

/** The same for headers, whose names come out in lower case. */
export function parseOtlpHeaders(text: string): Pair[] | undefined {
  const pairs = parsePairs(text);
  if (pairs === undefined) return undefined;
  const isHeader = ([name, value]: Pair) => HEADER_NAME.test(name) && HEADER_VALUE.test(value);
  return pairs.every(isHeader)
    ? pairs.map(([name, value]) => [name.toLowerCase(), value])
    : undefined;
}

export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
