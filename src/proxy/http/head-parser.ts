import { METHODS } from "node:http";
import { PLACES, SPACE, TARGET } from "./bytes.ts";
import {
  HeadLines,
  MAX_HEAD_BYTES,
  MAX_HEADER_FIELDS,
  readField,
  skipToken,
} from "./head-lines.ts";
import { HeaderFields } from "./header-fields.ts";
import { malformed, type RawRefusal } from "./raw-refusal.ts";
import { readHead, type RequestHead, type RequestLine } from "./request-head.ts";

/**
 * Reads one request's head out of bytes that may come in pieces of any size. It takes what can be read in one way only:
 * lines end with CR LF, fields are not folded, nothing stands between a name and its colon, and no control character
 * stands anywhere. What can be no head is refused as soon as its first wrong byte is there.
 */
export class HeadParser {
  readonly #lines = new HeadLines();
  #line: RequestLine | undefined;
  #fields = new HeaderFields();

  /** Behind the head, once it was read. */
  get end(): number {
    return this.#lines.position;
  }

  /** Ready for the next head. */
  reset(): void {
    this.#lines.reset();
    this.#line = undefined;
    this.#fields = new HeaderFields();
  }

  /** `bytes` is all that came since the last head's end, at each call more of it. Undefined while the head is not whole. */
  parse(bytes: Buffer): RequestHead | RawRefusal | undefined {
    const lines = this.#lines;
    for (;;) {
      const found = lines.next(bytes);
      if (found === "incomplete") return undefined;
      if (found !== "line") return found === "too-large" ? HEAD_TOO_LARGE : NO_REQUEST;
      const isEmpty = lines.start === lines.end;
      if (this.#line === undefined) {
        // Before a request, empty lines are let pass (RFC 9112, section 2.2).
        if (isEmpty) continue;
        this.#line = readRequestLine(bytes, lines.start, lines.end);
        if (this.#line === undefined) return NO_REQUEST;
      } else if (isEmpty) {
        return readHead(this.#line, this.#fields);
      } else {
        if (this.#fields.count === MAX_HEADER_FIELDS) return TOO_MANY_FIELDS;
        if (!readField(bytes, lines, this.#fields)) return NO_REQUEST;
      }
    }
  }
}

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);
const VERSION = Buffer.from(" HTTP/1.");
const DIGIT_0 = 0x30;
const DIGIT_1 = 0x31;

/** `METHOD target HTTP/1.x`, with one space each (RFC 9112, section 3). */
function readRequestLine(bytes: Buffer, start: number, end: number): RequestLine | undefined {
  const methodEnd = skipToken(bytes, start, end);
  const targetStart = methodEnd + 1;
  const targetEnd = skipTarget(bytes, targetStart, end);
  if (bytes[methodEnd] !== SPACE || targetEnd + VERSION.length + 1 !== end) return undefined;
  for (let i = 0; i < VERSION.length; i += 1) {
    if (bytes[targetEnd + i] !== VERSION[i]) return undefined;
  }
  const minor = bytes[end - 1];
  if (minor !== DIGIT_0 && minor !== DIGIT_1) return undefined;
  const method = bytes.toString("latin1", start, methodEnd);
  const target = bytes.toString("latin1", targetStart, targetEnd);
  if (!KNOWN_METHODS.has(method) || !isTarget(method, target)) return undefined;
  return { method, target, isHttp10: minor === DIGIT_0 };
}

/** A path, a whole URL, `*`; an authority with CONNECT alone (RFC 9112, section 3.2). */
function isTarget(method: string, target: string): boolean {
  if (target.startsWith("/")) return true;
  return target === "*" || method === "CONNECT" || /^https?:\/\/./i.test(target);
}

function skipTarget(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && ((PLACES[bytes[at] as number] as number) & TARGET) !== 0) at += 1;
  return at;
}

const NO_REQUEST = malformed(
  "What came is not an HTTP/1.1 request that can be read in one way only.",
);
const HEAD_TOO_LARGE: RawRefusal = {
  code: "headers_too_large",
  message: `The request's head is larger than ${MAX_HEAD_BYTES} bytes.`,
};
const TOO_MANY_FIELDS: RawRefusal = {
  code: "headers_too_large",
  message: `The request has more than ${MAX_HEADER_FIELDS} header fields.`,
};
