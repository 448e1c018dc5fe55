/** The length of a shorter one is a single byte. */
const SHORT_TEXT = 0x7f;
const FIRST_BYTES = 16 * 1024;

/** Source: https://protobuf.dev/programming-guides/encoding/ */
export const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
type WireType = (typeof WIRE_TYPE)[keyof typeof WIRE_TYPE];

/** Writes protobuf's binary form into a buffer that grows. */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  tag(field: number, type: WireType): void {
    this.varint(field * 8 + type);
  }

  /** A non-negative safe integer. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length] = (rest % 0x80) + 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  /** Decimal digits. */
  fixed64(digits: string): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt(digits), this.#length);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  /** Length and bytes. */
  text(text: string): void {
    if (text.length <= SHORT_TEXT && this.#writeAscii(text)) return;
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(text, this.#length, length);
  }

  /** Length and the bytes that the digits stand for. */
  hex(digits: string): void {
    const length = digits.length / 2;
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(digits, this.#length, length, "hex");
  }

  /** Nearly all texts are short and plain, and to copy them here is faster than to ask for it. False: it is not plain. */
  #writeAscii(text: string): boolean {
    const { length } = text;
    this.#reserve(length + 1);
    const buffer = this.#buffer;
    const start = this.#length + 1;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[start + i] = code;
    }
    buffer[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  /** Length and whatever `write` writes: the length is known only then, and gets its place in front. */
  nested(write: () => void): void {
    this.#reserve(1);
    const at = this.#length;
    this.#length += 1;
    write();
    const length = this.#length - at - 1;
    const extraBytes = varintBytes(length) - 1;
    if (extraBytes > 0) {
      this.#reserve(extraBytes);
      this.#buffer.copyWithin(at + 1 + extraBytes, at + 1, this.#length);
    }
    this.#length = at;
    this.varint(length);
    this.#length += length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
