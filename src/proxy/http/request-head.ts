import { hasOption, parseLength } from "./field-text.ts";
import type { HeaderFields } from "./header-fields.ts";
import { malformed, type RawRefusal } from "./raw-refusal.ts";

/** Everything of a request but its body. */
export interface RequestHead {
  readonly method: string;
  /** As it came: nothing is decoded or resolved. */
  readonly target: string;
  readonly headers: HeaderFields;
  readonly isHttp10: boolean;
  /** How many bytes the body has, as its head says it. */
  readonly bodyLength: number | "chunked";
  /** Whether the client can take another answer on this connection. */
  readonly isKeptAlive: boolean;
  /** The client sends its body when it is told to go on. */
  readonly expectsContinue: boolean;
}

export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly isHttp10: boolean;
}

/**
 * Which of these counts would be a guess, and a proxy in front may have checked the other one: each may come once.
 * Those of the body's framing among them (RFC 9112, section 6.3).
 */
const SINGLE_FIELDS: ReadonlyMap<string, number> = new Map(
  [
    "host",
    "content-length",
    "transfer-encoding",
    "authorization",
    "api-key",
    "x-api-key",
    "content-type",
    "content-encoding",
    "x-keyward-customer",
    "x-keyward-feature",
  ].map((name, index) => [name, 1 << index]),
);

/**
 * What a head says about its connection and its body. Refuses what another server may read in another way (RFC 9112:
 * exactly one host, section 3.2; length and codings, section 6).
 */
export function readHead(line: RequestLine, headers: HeaderFields): RequestHead | RawRefusal {
  const { isHttp10 } = line;
  let seen = 0;
  for (const name of headers.names) {
    const bit = SINGLE_FIELDS.get(name);
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) return malformed(`The header ${name} came more than once.`);
    seen |= bit;
  }
  if (!isHttp10 && !headers.has("host")) return malformed("The request has no host header.");
  const bodyLength = readBodyLength(headers, isHttp10);
  if (typeof bodyLength === "object") return bodyLength;
  const connection = headers.get("connection");
  return {
    ...line,
    headers,
    bodyLength,
    isKeptAlive: isHttp10 ? hasOption(connection, "keep-alive") : !hasOption(connection, "close"),
    expectsContinue: !isHttp10 && headers.get("expect")?.toLowerCase() === "100-continue",
  };
}

function readBodyLength(headers: HeaderFields, isHttp10: boolean): number | "chunked" | RawRefusal {
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== undefined) {
    if (isHttp10 || coding.toLowerCase() !== "chunked") {
      return malformed("No transfer-encoding but chunked is read, and none in HTTP/1.0.");
    }
    if (length !== undefined)
      return malformed("The body has a content-length and comes in chunks.");
    return "chunked";
  }
  if (length === undefined) return 0;
  return parseLength(length) ?? malformed("The content-length is not a number of bytes.");
}
