import { COLON, CR, LF, PLACES, SPACE, TAB, TEXT, TOKEN } from "./bytes.ts";
import type { HeaderFields } from "./header-fields.ts";
import { readFieldName } from "./header-names.ts";

export const MAX_HEAD_BYTES = 32 * 1024;
export const MAX_HEADER_FIELDS = 200;

/**
 * Finds the lines of a head in bytes that may come in pieces of any size. A line ends with CR LF, and no other control
 * character stands in it. What can be no line is told of as soon as its first wrong byte is there.
 */
export class HeadLines {
  /** Of the line that `next` came upon last. */
  start = 0;
  end = 0;
  #at = 0;
  #lineStart = 0;

  /** Where the next line begins; behind the head once its last line, the empty one, was read. */
  get position(): number {
    return this.#at;
  }

  reset(): void {
    this.start = 0;
    this.end = 0;
    this.#at = 0;
    this.#lineStart = 0;
  }

  /** `bytes` is all that came since the head began, at each call more of it. Each byte is looked at once. */
  next(bytes: Buffer): "line" | "incomplete" | "malformed" | "too-large" {
    let at = this.#at;
    while (at < bytes.length && ((PLACES[bytes[at] as number] as number) & TEXT) !== 0) at += 1;
    this.#at = at;
    if (at > MAX_HEAD_BYTES) return "too-large";
    if (at === bytes.length) return "incomplete";
    if (bytes[at] !== CR) return "malformed";
    if (at + 1 === bytes.length) return "incomplete";
    if (bytes[at + 1] !== LF) return "malformed";
    this.start = this.#lineStart;
    this.end = at;
    this.#at = at + 2;
    this.#lineStart = this.#at;
    return "line";
  }
}

/** False where the line is no field: fields are not folded, and nothing stands between a name and its colon. */
export function readField(bytes: Buffer, { start, end }: HeadLines, fields: HeaderFields): boolean {
  const nameEnd = skipToken(bytes, start, end);
  if (nameEnd === start || bytes[nameEnd] !== COLON) return false;
  let valueStart = nameEnd + 1;
  let valueEnd = end;
  while (valueStart < valueEnd && isBlank(bytes[valueStart])) valueStart += 1;
  while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1])) valueEnd -= 1;
  fields.add(readFieldName(bytes, start, nameEnd), bytes.toString("latin1", valueStart, valueEnd));
  return true;
}

export function skipToken(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && ((PLACES[bytes[at] as number] as number) & TOKEN) !== 0) at += 1;
  return at;
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
