/**
 * Cuts a byte stream of server-sent events into events, however the bytes are split into chunks. An event is
 * everything up to and including the blank line that ends it; lines end with LF, CR LF or CR.
 * Format: WHATWG HTML, "Server-sent events", section 9.2.5.
 */

const LF = 0x0a;
const CR = 0x0d;

export class SseEventScanner {
  readonly #maxEventBytes: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isLineEmpty = true;
  /** The byte before was a CR: a LF right after it belongs to the same line end. */
  #isAfterCr = false;
  #isBlankLineOpen = false;
  #isOversize = false;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /**
   * Calls `onEvent` for each event that the chunk completes, with the event's exact bytes. The bytes of an event
   * over the size limit are handed out in pieces with `isWhole` false. What is handed out, in order, plus `rest()`
   * is the stream.
   */
  push(chunk: Buffer, onEvent: (bytes: Buffer, isWhole: boolean) => void): void {
    let start = 0;
    const length = chunk.length;
    for (let i = 0; i < length; i += 1) {
      const byte = chunk[i];
      if (this.#isAfterCr) {
        this.#isAfterCr = false;
        const endsEvent = this.#isBlankLineOpen;
        this.#isBlankLineOpen = false;
        if (byte === LF) {
          if (endsEvent) start = this.#complete(chunk, start, i + 1, onEvent);
          continue;
        }
        if (endsEvent) start = this.#complete(chunk, start, i, onEvent);
      }
      if (byte === LF) {
        if (this.#isLineEmpty) start = this.#complete(chunk, start, i + 1, onEvent);
        this.#isLineEmpty = true;
      } else if (byte === CR) {
        this.#isBlankLineOpen = this.#isLineEmpty;
        this.#isAfterCr = true;
        this.#isLineEmpty = true;
      } else {
        this.#isLineEmpty = false;
      }
    }
    if (start < length) this.#keep(chunk.subarray(start), onEvent);
  }

  /** The bytes after the last complete event; empties the scanner. */
  rest(): Buffer {
    const rest = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return rest;
  }

  #complete(
    chunk: Buffer,
    start: number,
    end: number,
    onEvent: (bytes: Buffer, isWhole: boolean) => void,
  ): number {
    const piece = chunk.subarray(start, end);
    const isWhole = !this.#isOversize;
    this.#isOversize = false;
    if (this.#pending.length === 0) {
      onEvent(piece, isWhole);
    } else {
      this.#pending.push(piece);
      onEvent(this.rest(), isWhole);
    }
    return end;
  }

  #keep(piece: Buffer, onEvent: (bytes: Buffer, isWhole: boolean) => void): void {
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#isOversize || this.#pendingBytes > this.#maxEventBytes) {
      this.#isOversize = true;
      onEvent(this.rest(), false);
    }
  }
}

/** The event's data: its `data` lines joined with LF; undefined when it has none (a comment, a lone `event` line). */
export function readEventData(event: Buffer): string | undefined {
  // The stream may begin with a byte order mark, which stands before the first field's name.
  const text = event.toString("utf8").replace(/^\uFEFF/, "");
  let data: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (!line.startsWith("data:")) continue;
    const value = line.startsWith("data: ") ? line.slice(6) : line.slice(5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}
