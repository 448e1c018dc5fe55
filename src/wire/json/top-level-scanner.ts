/**
 * Finds chosen top-level members of a JSON object while its bytes arrive, without parsing the rest. The data plane
 * needs a handful of fields out of bodies of any size, and forwards the bytes as they came.
 *
 * It checks the top level's structure only; what stands inside other values is passed over by bracket depth.
 * Grammar: RFC 8259.
 */

import { isPlainName } from "./known-names.ts";
import type { SoughtName, SoughtNames } from "./sought-names.ts";

/** A member of the object. `start` and `end` are byte offsets of its value in the whole body, `end` exclusive. */
export interface TopLevelField {
  readonly start: number;
  readonly end: number;
  /** The value's text; undefined when it is longer than the scanner captures. */
  readonly text: string | undefined;
  /** How many members a list or an object has; 0 for any other value. */
  readonly memberCount: number;
}

export interface TopLevelScan {
  readonly fields: ReadonlyMap<string, TopLevelField>;
  /** Offset of the closing brace. */
  readonly closeOffset: number;
  readonly isEmpty: boolean;
  /** A wanted name that stands in the object more than once. */
  readonly duplicate: string | undefined;
  /** A name that some decoders take for a wanted one: the same but for the case of its letters. */
  readonly lookAlike: string | undefined;
  /** The same two of a name that is looked for besides: which of its values counts is not clear. */
  readonly unclear: string | undefined;
}

/** A longer key cannot be a wanted one, even when each character is written as a six-byte escape. */
const MAX_KEY_BYTES = 256;
const DEFAULT_MAX_VALUE_BYTES = 256 * 1024;
const MAX_BESIDES_BYTES = 1024;

/** Go's `encoding/json` matches names without regard to case, with Unicode's folding. */
const NOT_LOWER_CASE = /[A-Z\u0080-\uffff]/;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
const SHORT_STRING_BYTES = 24;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The bytes that mean something within a list or an object, by their value. */
const IS_MARK = new Uint8Array(256);
for (const mark of [QUOTE, COMMA, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE]) {
  IS_MARK[mark] = 1;
}

/** What the next byte may be. */
const BEFORE_OBJECT = 0;
const BEFORE_KEY_OR_END = 1;
const BEFORE_KEY = 2;
const IN_KEY = 3;
const BEFORE_COLON = 4;
const BEFORE_VALUE = 5;
const IN_SCALAR = 6;
const IN_STRING = 7;
const IN_NESTED = 8;
const IN_NESTED_STRING = 9;
const AFTER_VALUE = 10;
const AFTER_OBJECT = 11;
const BROKEN = 12;

export class TopLevelScanner {
  readonly #names: SoughtNames;
  readonly #maxWantedBytes: number;
  readonly #fields = new Map<string, TopLevelField>();
  #state = BEFORE_OBJECT;
  #isEscaped = false;
  #depth = 0;
  /** Offset of the first byte of the chunk at hand. */
  #base = 0;
  #memberCount = 0;
  #closeOffset = -1;
  #duplicate: string | undefined;
  #lookAlike: string | undefined;
  #unclear: string | undefined;
  /** The most that is kept of the text that is being read. */
  #maxCapturedBytes = 0;
  /** The one whose value is being read. */
  #sought: SoughtName | undefined;
  #valueStart = 0;
  /** Members of the value being read: the commas of its own level, and one more where it is not empty. */
  #separatorCount = 0;
  #isValueEmpty = true;
  /** Start of the key or value being captured within the chunk at hand; -1 = none. */
  #captureFrom = -1;
  #captured: Buffer[] = [];
  /** Index in the chunk at hand of the next backslash, where it is known to be at or behind the place in question. */
  #backslashAt = -1;
  #capturedBytes = 0;

  /**
   * Of a value that is wanted and has more than `maxValueBytes`, and of one that is looked for besides and has more than
   * 1 KiB, the place is found and the text is not kept.
   */
  constructor(names: SoughtNames, maxValueBytes = DEFAULT_MAX_VALUE_BYTES) {
    this.#names = names;
    this.#maxWantedBytes = maxValueBytes;
  }

  push(chunk: Buffer): void {
    const length = chunk.length;
    this.#backslashAt = -1;
    if (this.#isCapturing()) this.#captureFrom = 0;
    for (let i = 0; i < length; i += 1) {
      const byte = chunk[i] as number;
      switch (this.#state) {
        case IN_STRING:
        case IN_KEY:
        case IN_NESTED_STRING: {
          i = this.#scanString(chunk, i);
          break;
        }
        case IN_NESTED:
          i = this.#scanNested(chunk, i);
          break;
        case IN_SCALAR:
          if (byte === COMMA || byte === CLOSE_BRACE || isWhitespace(byte)) {
            this.#endValue(chunk, i);
            this.#between(i, byte);
          }
          break;
        default:
          this.#between(i, byte);
      }
    }
    if (this.#isCapturing()) this.#keep(chunk, length);
    this.#base += length;
  }

  /** Undefined when the bytes are not one JSON object. Call once, after the last `push`. */
  finish(): TopLevelScan | undefined {
    if (this.#state !== AFTER_OBJECT) return undefined;
    return {
      fields: this.#fields,
      closeOffset: this.#closeOffset,
      isEmpty: this.#memberCount === 0,
      duplicate: this.#duplicate,
      lookAlike: this.#lookAlike,
      unclear: this.#unclear,
    };
  }

  /** Runs to the end of the string or the chunk; returns the index of the last byte it used. */
  #scanString(chunk: Buffer, from: number): number {
    const end = this.#findEnd(chunk, from);
    if (end < chunk.length) this.#endString(chunk, end);
    return end;
  }

  /**
   * Index of the quote that ends the string, or the chunk's length. Short strings are looked at byte by byte, and so is
   * what follows an escape: where there is one, there often is another. Elsewhere in a long one (a prompt) the next quote
   * and the next backslash are found natively.
   */
  #findEnd(chunk: Buffer, from: number): number {
    const length = chunk.length;
    let i = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    while (i < length) {
      const nativeFrom = Math.min(i + SHORT_STRING_BYTES, length);
      while (i < nativeFrom && chunk[i] !== QUOTE && chunk[i] !== BACKSLASH) i += 1;
      if (i === nativeFrom && i < length) i = this.#nextMark(chunk, i);
      if (i === length || chunk[i] === QUOTE) return i;
      // What is escaped ends nothing.
      i += 2;
      this.#isEscaped = i > length;
    }
    return length;
  }

  /** Index of the next quote or backslash, or the chunk's length. Each byte is searched once for either. */
  #nextMark(chunk: Buffer, from: number): number {
    if (this.#backslashAt < from) this.#backslashAt = indexOrEnd(chunk, BACKSLASH, from);
    return Math.min(indexOrEnd(chunk, QUOTE, from), this.#backslashAt);
  }

  #endString(chunk: Buffer, at: number): void {
    if (this.#state === IN_NESTED_STRING) {
      this.#state = IN_NESTED;
    } else if (this.#state === IN_KEY) {
      this.#endKey(chunk, at);
    } else {
      this.#endValue(chunk, at + 1);
      this.#state = AFTER_VALUE;
    }
  }

  /** Runs to the end of the value or the chunk; returns the index of the last byte it used. */
  #scanNested(chunk: Buffer, from: number): number {
    let isEmpty = this.#isValueEmpty;
    for (let i = from; i < chunk.length; i += 1) {
      const byte = chunk[i] as number;
      if (IS_MARK[byte] === 0) {
        isEmpty &&= isWhitespace(byte);
      } else if (byte === COMMA) {
        if (this.#depth === 1) this.#separatorCount += 1;
      } else if (byte === QUOTE) {
        isEmpty = false;
        i = this.#findEnd(chunk, i + 1);
        if (i === chunk.length) this.#state = IN_NESTED_STRING;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        isEmpty = false;
        this.#depth += 1;
      } else {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#isValueEmpty = isEmpty;
        this.#endValue(chunk, i + 1);
        return i;
      }
    }
    this.#isValueEmpty = isEmpty;
    return chunk.length;
  }

  /** The bytes between keys and values. */
  #between(at: number, byte: number): void {
    if (isWhitespace(byte)) return;
    switch (this.#state) {
      case BEFORE_OBJECT:
        // A byte order mark is no JSON, and yet there are servers that send one.
        if (BYTE_ORDER_MARK[this.#base + at] === byte) return;
        this.#state = byte === OPEN_BRACE ? BEFORE_KEY_OR_END : BROKEN;
        return;
      case BEFORE_KEY_OR_END:
      case BEFORE_KEY:
        if (byte === QUOTE) {
          this.#state = IN_KEY;
          this.#beginCapture(at, MAX_KEY_BYTES);
        } else if (byte === CLOSE_BRACE && this.#state === BEFORE_KEY_OR_END) {
          this.#endObject(at);
        } else {
          this.#state = BROKEN;
        }
        return;
      case BEFORE_COLON:
        this.#state = byte === COLON ? BEFORE_VALUE : BROKEN;
        return;
      case BEFORE_VALUE:
        this.#beginValue(at, byte);
        return;
      case AFTER_VALUE:
        if (byte === COMMA) this.#state = BEFORE_KEY;
        else if (byte === CLOSE_BRACE) this.#endObject(at);
        else this.#state = BROKEN;
        return;
      default:
        this.#state = BROKEN;
    }
  }

  #beginValue(at: number, byte: number): void {
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === COLON) {
      this.#state = BROKEN;
      return;
    }
    this.#memberCount += 1;
    this.#valueStart = this.#base + at;
    this.#separatorCount = 0;
    this.#isValueEmpty = true;
    if (this.#sought !== undefined) {
      this.#beginCapture(at, this.#sought.isWanted ? this.#maxWantedBytes : MAX_BESIDES_BYTES);
    }
    if (byte === QUOTE) {
      this.#state = IN_STRING;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#state = IN_NESTED;
      this.#depth = 1;
    } else {
      this.#state = IN_SCALAR;
    }
  }

  #endKey(chunk: Buffer, at: number): void {
    this.#state = BEFORE_COLON;
    const start = this.#captureFrom + 1;
    if (this.#captured.length === 0) {
      this.#sought = this.#names.find(chunk, start, at);
      if (this.#sought !== undefined || isPlainName(chunk, start, at)) {
        this.#captureFrom = -1;
        return;
      }
    }
    const raw = this.#takeCapture(chunk, at + 1);
    const name = raw === undefined ? undefined : parseKey(raw);
    this.#sought = name === undefined ? undefined : this.#names.get(name);
    if (name !== undefined && NOT_LOWER_CASE.test(name)) this.#noteLookAlike(name);
  }

  #noteLookAlike(name: string): void {
    // Up and down again, so that the letters that fold to ASCII (the long s, the kelvin sign) are seen as well.
    const alike = this.#names.get(name.toUpperCase().toLowerCase());
    if (alike === undefined) return;
    if (alike.isWanted) this.#lookAlike ??= name;
    else this.#unclear ??= name;
  }

  #endValue(chunk: Buffer, at: number): void {
    this.#state = AFTER_VALUE;
    if (this.#sought === undefined) return;
    const { name, isWanted } = this.#sought;
    if (this.#fields.has(name)) {
      if (isWanted) this.#duplicate = name;
      else this.#unclear ??= name;
    }
    this.#fields.set(name, {
      start: this.#valueStart,
      end: this.#base + at,
      text: this.#takeCapture(chunk, at),
      memberCount: this.#isValueEmpty ? 0 : this.#separatorCount + 1,
    });
    this.#sought = undefined;
  }

  #endObject(at: number): void {
    this.#closeOffset = this.#base + at;
    this.#state = AFTER_OBJECT;
  }

  #isCapturing(): boolean {
    return this.#captureFrom >= 0;
  }

  #beginCapture(at: number, maxBytes: number): void {
    this.#captureFrom = at;
    this.#maxCapturedBytes = maxBytes;
    if (this.#captured.length > 0) this.#captured = [];
    this.#capturedBytes = 0;
  }

  /** Keeps a copy of what the chunk holds of the capture: the chunk itself may be reused by its owner. */
  #keep(chunk: Buffer, end: number): void {
    const piece = chunk.subarray(this.#captureFrom, end);
    this.#capturedBytes += piece.length;
    if (this.#capturedBytes <= this.#maxCapturedBytes) this.#captured.push(Buffer.from(piece));
  }

  #takeCapture(chunk: Buffer, end: number): string | undefined {
    const from = this.#captureFrom;
    this.#captureFrom = -1;
    if (this.#capturedBytes + end - from > this.#maxCapturedBytes) return undefined;
    if (this.#captured.length === 0) return chunk.toString("utf8", from, end);
    return Buffer.concat([...this.#captured, chunk.subarray(from, end)]).toString("utf8");
  }
}

/** Scans a body that is already whole. */
export function scanTopLevel(body: Buffer, names: SoughtNames): TopLevelScan | undefined {
  const scanner = new TopLevelScanner(names);
  scanner.push(body);
  return scanner.finish();
}

function indexOrEnd(chunk: Buffer, byte: number, from: number): number {
  const at = chunk.indexOf(byte, from);
  return at === -1 ? chunk.length : at;
}

function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** `\u006dodel` is the key `model` to every JSON parser, so it must be to us. */
function parseKey(raw: string): string | undefined {
  if (!raw.includes("\\")) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return undefined;
  }
}
