import { COLON, CR, EQUALS, hexValueOf, LF, PLACES, SEMICOLON, TEXT, TOKEN } from "./bytes.ts";

/** Finds a body's bytes, and its end, among the bytes of a connection. */
export interface BodyFraming {
  readonly isComplete: boolean;
  /** The piece of the body that the last `read` came upon; undefined where it came upon none. */
  readonly piece: Buffer | undefined;
  /** Reads from `at` up to the end of the next piece; returns how far it came, or -1 at what can be no body. */
  read(bytes: Buffer, at: number): number;
}

/** `until-close`: an answer's body may end with its connection (RFC 9112, section 6.3); it is never complete before. */
export type BodyLength = number | "chunked" | "until-close";

export function createFraming(length: BodyLength): BodyFraming {
  if (length === "chunked") return new ChunkedFraming();
  if (length === "until-close") return new LengthFraming(Number.POSITIVE_INFINITY);
  return length === 0 ? NO_BODY : new LengthFraming(length);
}

const NO_BODY: BodyFraming = { isComplete: true, piece: undefined, read: (_bytes, at) => at };

class LengthFraming implements BodyFraming {
  piece: Buffer | undefined;
  #missing: number;

  constructor(length: number) {
    this.#missing = length;
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  read(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing);
    this.#missing -= end - at;
    this.piece = at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end);
    return end;
  }
}

/** Sizes beyond are no chunk that anybody sends in earnest, and may be cut off by another server's arithmetic. */
const MAX_CHUNK_BYTES = 0xffff_ffff;
const MAX_SIZE_DIGITS = 16;
/** All that stands around the data of one body: extensions of chunks, and trailers. */
const MAX_SIDE_BYTES = 16 * 1024;

type Expected =
  | "size"
  | "extension"
  | "extension-name"
  | "extension-value"
  | "extension-rest"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "last-lf"
  | "nothing";

/** The chunked coding (RFC 9112, section 7.1). Extensions and trailers are checked, bounded and dropped. */
class ChunkedFraming implements BodyFraming {
  piece: Buffer | undefined;
  #expected: Expected = "size";
  #size = 0;
  #digits = 0;
  #sideBytes = 0;

  get isComplete(): boolean {
    return this.#expected === "nothing";
  }

  read(bytes: Buffer, start: number): number {
    this.piece = undefined;
    let at = start;
    while (at < bytes.length && this.#expected !== "nothing") {
      if (this.#expected === "data") return this.#readData(bytes, at);
      const next = this.#take(bytes[at] as number);
      if (next === undefined) return -1;
      this.#expected = next;
      at += 1;
    }
    return at;
  }

  #readData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#size);
    this.#size -= end - at;
    this.piece = bytes.subarray(at, end);
    if (this.#size === 0) this.#expected = "data-cr";
    return end;
  }

  /** What is expected behind a byte that is no data; undefined where it may not stand. */
  #take(byte: number): Expected | undefined {
    switch (this.#expected) {
      case "size":
        return this.#takeSize(byte);
      case "extension":
        return this.#isSideText(byte, TOKEN) ? "extension-name" : undefined;
      case "extension-name":
        if (byte === EQUALS) return this.#isSideText(byte, TEXT) ? "extension-value" : undefined;
        return this.#takeExtension(byte, "extension-name");
      case "extension-value":
        return this.#isSideText(byte, TOKEN) ? "extension-rest" : undefined;
      case "extension-rest":
        return this.#takeExtension(byte, "extension-rest");
      case "size-lf":
        if (byte !== LF) return undefined;
        return this.#size === 0 ? "trailer" : "data";
      case "data-cr":
        return byte === CR ? "data-lf" : undefined;
      case "data-lf":
        this.#digits = 0;
        return byte === LF ? "size" : undefined;
      case "trailer":
        if (byte === CR) return "last-lf";
        return this.#isSideText(byte, TOKEN) ? "trailer-name" : undefined;
      case "trailer-name":
        if (byte === COLON) return "trailer-value";
        return this.#isSideText(byte, TOKEN) ? "trailer-name" : undefined;
      case "trailer-value":
        if (byte === CR) return "trailer-lf";
        return this.#isSideText(byte, TEXT) ? "trailer-value" : undefined;
      case "trailer-lf":
        return byte === LF ? "trailer" : undefined;
      case "last-lf":
        return byte === LF ? "nothing" : undefined;
      case "data":
      case "nothing":
        break;
    }
    return undefined;
  }

  #takeSize(byte: number): Expected | undefined {
    const value = hexValueOf(byte);
    if (value !== -1) {
      this.#digits += 1;
      this.#size = this.#size * 16 + value;
      return this.#digits > MAX_SIZE_DIGITS || this.#size > MAX_CHUNK_BYTES ? undefined : "size";
    }
    if (this.#digits === 0) return undefined;
    if (byte === CR) return "size-lf";
    return byte === SEMICOLON ? "extension" : undefined;
  }

  /** `;name` or `;name=value`, without blanks and quotes, which servers read in several ways. */
  #takeExtension(byte: number, within: Expected): Expected | undefined {
    if (byte === CR) return "size-lf";
    if (!this.#isSideText(byte, TEXT)) return undefined;
    if (byte === SEMICOLON) return "extension";
    return ((PLACES[byte] as number) & TOKEN) === 0 ? undefined : within;
  }

  #isSideText(byte: number, place: number): boolean {
    this.#sideBytes += 1;
    return this.#sideBytes <= MAX_SIDE_BYTES && ((PLACES[byte] as number) & place) !== 0;
  }
}
