/**
 * The form of every secret that Keyward issues: `<prefix><43 base62 digits><6 base62 digits>`. The 43 digits are 256
 * random bits as one big-endian number (62^43 > 2^256, so every draw has exactly one spelling and no digit is drawn
 * by a remainder). The 6 digits are the CRC-32 (ISO-HDLC, as in gzip) of all the characters before them, the prefix
 * included: a typing error is told from an unknown key without a look-up, and leak scanners can tell a real one.
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = 62;
const RANDOM_BYTES = 32;
const RANDOM_DIGITS = 43;
const CHECKSUM_DIGITS = 6;
const DIGITS = RANDOM_DIGITS + CHECKSUM_DIGITS;

/** What a random source has to be: `node:crypto`'s `randomBytes` is one. */
export type RandomBytes = (count: number) => Uint8Array;

/** Draws 32 bytes and writes them with the prefix and the checksum. */
export function createIssuedSecret(prefix: string, randomBytes: RandomBytes): string {
  const bytes = randomBytes(RANDOM_BYTES);
  if (bytes.length !== RANDOM_BYTES) {
    throw new RangeError(`expected ${RANDOM_BYTES} random bytes, got ${bytes.length}`);
  }
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  const body = prefix + formatBase62(number, RANDOM_DIGITS);
  return body + formatBase62(BigInt(crc32(body)), CHECKSUM_DIGITS);
}

/** Whether the text has this prefix, the right length and alphabet, and its checksum holds. Costs the same for any length. */
export function isIssuedSecret(prefix: string, text: string): boolean {
  const bodyLength = prefix.length + RANDOM_DIGITS;
  if (text.length !== prefix.length + DIGITS || !text.startsWith(prefix)) return false;
  let crc = CRC_START;
  for (let i = 0; i < bodyLength; i += 1) {
    const code = text.charCodeAt(i);
    if (i >= prefix.length && digitOf(code) < 0) return false;
    crc = crcWith(crc, code);
  }
  let checksum = 0;
  for (let i = bodyLength; i < text.length; i += 1) {
    const digit = digitOf(text.charCodeAt(i));
    if (digit < 0) return false;
    checksum = checksum * BASE + digit;
  }
  return checksum === crcEnd(crc);
}

/** For lists and logs: the prefix and the last four characters (of the checksum, so they say next to nothing). */
export function previewIssuedSecret(prefix: string, text: string): string {
  return `${prefix}…${text.slice(-4)}`;
}

function formatBase62(number: bigint, width: number): string {
  let text = "";
  for (let rest = number; rest > 0n; rest /= BigInt(BASE)) {
    text = ALPHABET.charAt(Number(rest % BigInt(BASE))) + text;
  }
  return text.padStart(width, "0");
}

/** By the code of its character; -1 for what is none. */
const DIGIT_OF_CODE = Int8Array.from({ length: 128 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code)),
);

function digitOf(code: number): number {
  return DIGIT_OF_CODE[code] ?? -1;
}

const POLYNOMIAL = 0xedb88320;
const CRC_START = 0xffffffff;
/** Of each byte, with the reflected polynomial. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) * POLYNOMIAL);
  return crc;
});

/** With one more character, which must be ASCII. */
function crcWith(crc: number, code: number): number {
  return (crc >>> 8) ^ (CRC_OF_BYTE[(crc ^ code) & 255] ?? 0);
}

function crcEnd(crc: number): number {
  return (crc ^ 0xffffffff) >>> 0;
}

function crc32(text: string): number {
  let crc = CRC_START;
  for (let i = 0; i < text.length; i += 1) crc = crcWith(crc, text.charCodeAt(i));
  return crcEnd(crc);
}
