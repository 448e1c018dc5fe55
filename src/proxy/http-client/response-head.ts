import type { BodyLength } from "../http/body-framing.ts";
import { SPACE } from "../http/bytes.ts";
import { hasOption, parseLength } from "../http/field-text.ts";
import { HeadLines, readField } from "../http/head-lines.ts";
import { HeaderFields } from "../http/header-fields.ts";
import { ClientError } from "./client-error.ts";

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly bodyLength: BodyLength;
  /** Whether the server can take another request on this connection. */
  readonly isKeptAlive: boolean;
  /** For how long it says that it waits for one. */
  readonly keptForMs: number | undefined;
}

interface StatusLine {
  readonly status: number;
  readonly isHttp10: boolean;
}

/** Reads one answer's head out of bytes that may come in pieces of any size, as strictly as requests are read; of fields it may have as many as fit. */
export class ResponseHeadParser {
  readonly #lines = new HeadLines();
  #statusLine: StatusLine | undefined;
  #fields = new HeaderFields();

  /** Behind the head, once it was read. */
  get end(): number {
    return this.#lines.position;
  }

  reset(): void {
    this.#lines.reset();
    this.#statusLine = undefined;
    this.#fields = new HeaderFields();
  }

  /**
   * `bytes` is all that came since the last answer's end, at each call more of it. Undefined while the head is not whole.
   * Throws at what can be no head.
   */
  parse(bytes: Buffer, method: string): ResponseHead | undefined {
    const lines = this.#lines;
    for (;;) {
      const found = lines.next(bytes);
      if (found === "incomplete") return undefined;
      if (found === "malformed") throw unreadable("its head has a line that is none");
      if (found === "too-large") throw unreadable("its head is too large");
      if (this.#statusLine === undefined) {
        this.#statusLine = readStatusLine(bytes, lines.start, lines.end);
      } else if (lines.start === lines.end) {
        return readHead(this.#statusLine, this.#fields, method);
      } else {
        if (!readField(bytes, lines, this.#fields))
          throw unreadable("its head has a malformed field");
      }
    }
  }
}

const VERSION = Buffer.from("HTTP/1.");
const STATUS_AT = VERSION.length + 2;
const STATUS_END = STATUS_AT + 3;
const DIGIT_0 = 0x30;

/** `HTTP/1.x NNN reason` (RFC 9112, section 4). Some servers leave out the reason and the blank before it. */
function readStatusLine(bytes: Buffer, start: number, end: number): StatusLine {
  for (let i = 0; i < VERSION.length; i += 1) {
    if (bytes[start + i] !== VERSION[i]) throw noAnswer();
  }
  const minor = digitAt(bytes, start + VERSION.length);
  let status = 0;
  for (let at = start + STATUS_AT; at < start + STATUS_END; at += 1) {
    status = status * 10 + digitAt(bytes, at);
  }
  const isWhole = end - start >= STATUS_END && bytes[start + STATUS_AT - 1] === SPACE;
  const isEnded = end - start === STATUS_END || bytes[start + STATUS_END] === SPACE;
  if (!isWhole || !isEnded || minor > 1 || status < 100 || status > 999) throw noAnswer();
  return { status, isHttp10: minor === 0 };
}

function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] ?? 0) - DIGIT_0;
  if (digit < 0 || digit > 9) throw noAnswer();
  return digit;
}

function readHead(
  { status, isHttp10 }: StatusLine,
  headers: HeaderFields,
  method: string,
): ResponseHead {
  const connection = headers.get("connection");
  // Whoever speaks HTTP/1.0 and chunks passes on what it does not know (RFC 9112, section 6.1).
  const isLast = isHttp10
    ? !hasOption(connection, "keep-alive") || headers.has("transfer-encoding")
    : hasOption(connection, "close");
  if (isLast && status < 200) throw unreadable("it ends its connection before the answer has come");
  const bodyLength = readBodyLength(headers, status, method);
  return {
    status,
    headers,
    bodyLength,
    isKeptAlive: !isLast && bodyLength !== "until-close",
    keptForMs: readKeptForMs(headers.get("keep-alive")),
  };
}

/** RFC 9112, section 6.3. What a head says of a body that it hasn't must be sound as well: others may go by it. */
function readBodyLength(fields: HeaderFields, status: number, method: string): BodyLength {
  const framed = readFraming(fields);
  return status < 200 || status === 204 || status === 304 || method === "HEAD" ? 0 : framed;
}

function readFraming(fields: HeaderFields): BodyLength {
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  if (coding !== undefined) {
    // A proxy in between may have gone by the one or by the other.
    if (length !== undefined) throw unreadable("it has a content-length and a transfer-encoding");
    // Nobody asks for another one, and whoever the body is passed on to would not know of it.
    if (coding.toLowerCase() !== "chunked") throw unreadable("its transfer-encoding is unknown");
    return "chunked";
  }
  if (length === undefined) return "until-close";
  const bytes = parseLength(length);
  if (bytes === undefined) throw unreadable("its content-length is not one number of bytes");
  return bytes;
}

function readKeptForMs(keepAlive: string | undefined): number | undefined {
  if (keepAlive === undefined) return undefined;
  const seconds = /(?:^|[\s,;])timeout\s*=\s*(\d{1,9})/i.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function noAnswer(): ClientError {
  return unreadable("it does not begin with a status line");
}

function unreadable(why: string): ClientError {
  return new ClientError("ERR_CLIENT_RESPONSE", `the answer cannot be read: ${why}`);
}
