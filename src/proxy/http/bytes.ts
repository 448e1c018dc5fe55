/** The bytes that HTTP/1.1 is made of (RFC 9112, RFC 9110 section 5.6.2), and which of them may stand where. */

export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const TAB = 0x09;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;

/** In a method or a field's name. */
export const TOKEN = 1;
/** In a field's value, and in a line as a whole: everything but control characters. */
export const TEXT = 2;
/** In a request's target: what is printed in ASCII. */
export const TARGET = 4;

/** For each byte the sum of the places where it may stand. */
export const PLACES: Uint8Array = createPlaces();

function createPlaces(): Uint8Array {
  const places = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const isPrinted = byte > SPACE && byte !== 0x7f;
    if (isPrinted) places[byte] = byte < 0x80 ? TEXT | TARGET : TEXT;
    else if (byte === SPACE || byte === TAB) places[byte] = TEXT;
  }
  const tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const character of tokens) {
    const byte = character.charCodeAt(0);
    places[byte] = (places[byte] ?? 0) | TOKEN;
  }
  return places;
}

/** The value of a hexadecimal digit; -1 for every other byte. */
export function hexValueOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export const NOTHING: Buffer = Buffer.alloc(0);

/** What stands from there on; of what was read to its end nothing is kept. */
export function restOf(bytes: Buffer, from: number): Buffer {
  return from === bytes.length ? NOTHING : bytes.subarray(from);
}
