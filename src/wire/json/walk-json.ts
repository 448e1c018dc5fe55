import { isPlainName, type KnownNames } from "./known-names.ts";

/**
 * Walks a JSON value where it stands in a body, without building it: for facts that stand deep inside a body of any
 * size. Unlike a parser it shows every member, also one whose key stands twice. Grammar: RFC 8259.
 */
export interface JsonVisitor {
  /** The members that it looks for: all others are shown as `""`. Absent: every name is shown. */
  readonly names?: KnownNames;
  /** An object or a list begins; `key` is its member's name, null in a list. False: what is in it is passed over. */
  open(key: string | null): boolean;
  close(): void;
  /** A string; `start` and `end` enclose what stands between its quotes, escapes and all. */
  text(key: string | null, start: number, end: number): void;
  /** A number, or a literal. */
  scalar(key: string | null, start: number, end: number): void;
}

/** Deeper than anything that an API takes. */
const MAX_DEPTH = 64;

/** A longer name is none that anybody looks for, even when each character is written as a six-byte escape. */
const MAX_NAME_BYTES = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** False when the bytes from `start` to `end` are not one JSON value, or one that is nested too deeply to be walked. */
export function walkJson(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  visitor: JsonVisitor,
): boolean {
  const walk = new Walk(bytes, end, visitor);
  const after = walk.value(walk.space(start), null, 0);
  return after !== BROKEN && walk.space(after) === end;
}

/**
 * The text between two quotes, as a JSON parser reads it; undefined when it is too long for a name, or malformed:
 * `image\u005furl` is the name `image_url`.
 */
export function readName(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start > MAX_NAME_BYTES) return undefined;
  const raw = bytes.toString("utf8", start, end);
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}

const BROKEN = -1;
const SHORT_STRETCH = 24;

/** Each method takes the offset of its first byte and gives the offset behind its last one, or `BROKEN`. */
class Walk {
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #visitor: JsonVisitor;

  constructor(bytes: Buffer, end: number, visitor: JsonVisitor) {
    this.#bytes = bytes;
    this.#end = end;
    this.#visitor = visitor;
  }

  space(from: number): number {
    return from === BROKEN ? BROKEN : skipSpace(this.#bytes, from, this.#end);
  }

  value(at: number, key: string | null, depth: number): number {
    if (at === BROKEN || at >= this.#end) return BROKEN;
    const byte = this.#bytes[at];
    if (byte === QUOTE) {
      const after = this.#string(at);
      if (after !== BROKEN) this.#visitor.text(key, at + 1, after - 1);
      return after;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (!this.#visitor.open(key)) return this.#skip(at);
      if (depth === MAX_DEPTH) return BROKEN;
      const after = byte === OPEN_BRACE ? this.#object(at, depth + 1) : this.#list(at, depth + 1);
      if (after !== BROKEN) this.#visitor.close();
      return after;
    }
    let after = at;
    while (after < this.#end && !endsScalar(this.#bytes[after])) after += 1;
    if (after === at) return BROKEN;
    this.#visitor.scalar(key, at, after);
    return after;
  }

  #object(at: number, depth: number): number {
    let next = this.space(at + 1);
    if (this.#bytes[next] === CLOSE_BRACE && next < this.#end) return next + 1;
    for (;;) {
      if (next >= this.#end || this.#bytes[next] !== QUOTE) return BROKEN;
      const keyEnd = this.#string(next);
      const colon = this.space(keyEnd);
      if (colon === BROKEN || this.#bytes[colon] !== COLON) return BROKEN;
      const name = this.#name(next + 1, keyEnd - 1);
      next = this.space(this.value(this.space(colon + 1), name, depth));
      if (next === BROKEN || next >= this.#end) return BROKEN;
      if (this.#bytes[next] === CLOSE_BRACE) return next + 1;
      if (this.#bytes[next] !== COMMA) return BROKEN;
      next = this.space(next + 1);
    }
  }

  #name(start: number, end: number): string {
    const { names } = this.#visitor;
    if (names !== undefined && isPlainName(this.#bytes, start, end)) {
      return names.find(this.#bytes, start, end) ?? "";
    }
    return readName(this.#bytes, start, end) ?? "";
  }

  #list(at: number, depth: number): number {
    let next = this.space(at + 1);
    if (this.#bytes[next] === CLOSE_BRACKET && next < this.#end) return next + 1;
    for (;;) {
      next = this.space(this.value(next, null, depth));
      if (next === BROKEN || next >= this.#end) return BROKEN;
      if (this.#bytes[next] === CLOSE_BRACKET) return next + 1;
      if (this.#bytes[next] !== COMMA) return BROKEN;
      next = this.space(next + 1);
    }
  }

  #string(at: number): number {
    return skipString(this.#bytes, at, this.#end);
  }

  /** Past an object or a list, by the depth of its brackets. */
  #skip(at: number): number {
    let depth = 0;
    for (let next = at; next < this.#end; next += 1) {
      const byte = this.#bytes[next];
      if (byte === QUOTE) {
        next = this.#string(next) - 1;
        if (next < at) return BROKEN;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) return next + 1;
      }
    }
    return BROKEN;
  }
}

/**
 * Past the string that begins at this quote, or -1 where it does not end before `end`. A short stretch is looked at byte
 * by byte, then the next quote is found natively: long strings have few of them, and one that is full of escapes is not
 * slower than its bytes.
 */
export function skipString(bytes: Buffer, at: number, end: number): number {
  let next = at + 1;
  for (;;) {
    for (const from = next; next < end && next - from < SHORT_STRETCH; next += 1) {
      const byte = bytes[next];
      if (byte === QUOTE) return next + 1;
      if (byte === BACKSLASH) next += 1;
    }
    const quote = bytes.indexOf(QUOTE, next);
    if (quote === -1 || quote >= end) return BROKEN;
    let backslashes = 0;
    while (quote - backslashes > next && bytes[quote - 1 - backslashes] === BACKSLASH) {
      backslashes += 1;
    }
    if (backslashes % 2 === 0) return quote + 1;
    next = quote + 1;
  }
}

/** The first byte from `at` on that is no blank, or `end`. */
export function skipSpace(bytes: Buffer, at: number, end: number): number {
  let next = at;
  while (next < end && isWhitespace(bytes[next])) next += 1;
  return next;
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isWhitespace(byte);
}

function isWhitespace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
