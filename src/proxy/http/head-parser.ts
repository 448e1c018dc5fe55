import { METHODS } from "node:http";
import { COLON, CR, LF, PLACES, SPACE, TAB, TARGET, TEXT, TOKEN } from "./bytes.ts";
import { HeaderFields } from "./header-fields.ts";
import { readFieldName } from "./header-names.ts";
import { malformed, type RawRefusal } from "./raw-refusal.ts";
import { readHead, type RequestHead, type RequestLine } from "./request-head.ts";

export const MAX_HEAD_BYTES = 32 * 1024;
export const MAX_HEADER_FIELDS = 200;

/**
 * Reads one request's head out of bytes that may come in pieces of any size. It takes what can be read in one way only:
 * lines end with CR LF, fields are not folded, nothing stands between a name and its colon, and no control character
 * stands anywhere. What can be no head is refused as soon as its first wrong byte is there.
 */
export class HeadParser {
  /** Behind the head, once it was read. */
  end = 0;
  #line: RequestLine | undefined;
  #fields = new HeaderFields();
  #lineStart = 0;
  #at = 0;

  /** Ready for the next head. */
  reset(): void {
    this.end = 0;
    this.#line = undefined;
    this.#fields = new HeaderFields();
    this.#lineStart = 0;
    this.#at = 0;
  }

  /** `bytes` is all that came since the last head's end, at each call more of it. Undefined while the head is not whole. */
  parse(bytes: Buffer): RequestHead | RawRefusal | undefined {
    for (;;) {
      const lineEnd = this.#findLineEnd(bytes);
      if (this.#at > MAX_HEAD_BYTES) return HEAD_TOO_LARGE;
      if (lineEnd === INCOMPLETE) return undefined;
      if (lineEnd === MALFORMED) return NO_REQUEST;
      const start = this.#lineStart;
      this.#lineStart = lineEnd + 2;
      this.#at = this.#lineStart;
      const isEmpty = start === lineEnd;
      if (this.#line === undefined) {
        // Before a request, empty lines are let pass (RFC 9112, section 2.2).
        if (isEmpty) continue;
        this.#line = readRequestLine(bytes, start, lineEnd);
        if (this.#line === undefined) return NO_REQUEST;
      } else if (isEmpty) {
        this.end = this.#lineStart;
        return readHead(this.#line, this.#fields);
      } else {
        if (this.#fields.count === MAX_HEADER_FIELDS) return TOO_MANY_FIELDS;
        if (!readField(bytes, { start, end: lineEnd }, this.#fields)) return NO_REQUEST;
      }
    }
  }

  /** Each byte is looked at once, however small the pieces are. */
  #findLineEnd(bytes: Buffer): number {
    let at = this.#at;
    while (at < bytes.length && ((PLACES[bytes[at] as number] as number) & TEXT) !== 0) at += 1;
    this.#at = at;
    if (at === bytes.length) return INCOMPLETE;
    if (bytes[at] !== CR) return MALFORMED;
    if (at + 1 === bytes.length) return INCOMPLETE;
    return bytes[at + 1] === LF ? at : MALFORMED;
  }
}

const INCOMPLETE = -1;
const MALFORMED = -2;

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

/** False where the line is no field. */
function readField(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  fields: HeaderFields,
): boolean {
  const nameEnd = skipToken(bytes, start, end);
  if (nameEnd === start || bytes[nameEnd] !== COLON) return false;
  let valueStart = nameEnd + 1;
  let valueEnd = end;
  while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart += 1;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
  fields.add(readFieldName(bytes, start, nameEnd), bytes.toString("latin1", valueStart, valueEnd));
  return true;
}

function skipToken(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && ((PLACES[bytes[at] as number] as number) & TOKEN) !== 0) at += 1;
  return at;
}

function skipTarget(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && ((PLACES[bytes[at] as number] as number) & TARGET) !== 0) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
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
