/** Where one response ends on a keep-alive connection: as much of HTTP/1.1 as a load generator needs, and no more. */

export interface ParsedResponse {
  readonly status: number;
  readonly bodyBytes: number;
}

type State = "head" | "fixed" | "chunk-size" | "chunk-data" | "chunk-end" | "trailer";

const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const EMPTY = Buffer.alloc(0);

/** Feeds on the bytes of one connection; calls back at each response's first body byte and at its end. */
export class ResponseParser {
  readonly #onFirstByte: () => void;
  readonly #onEnd: (response: ParsedResponse) => void;
  #state: State = "head";
  #pending: Buffer = EMPTY;
  /** Bytes that are still to come of a fixed body or of a chunk. */
  #left = 0;
  #status = 0;
  #bodyBytes = 0;

  constructor(onFirstByte: () => void, onEnd: (response: ParsedResponse) => void) {
    this.#onFirstByte = onFirstByte;
    this.#onEnd = onEnd;
  }

  push(data: Buffer): void {
    let rest: Buffer | undefined =
      this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    this.#pending = EMPTY;
    while (rest !== undefined && rest.length > 0) rest = this.#step(rest);
  }

  /** What is left to be read, or undefined when more must come first. */
  #step(data: Buffer): Buffer | undefined {
    const state = this.#state;
    if (state === "head") return this.#readHead(data);
    if (state === "fixed" || state === "chunk-data") return this.#readBody(data);
    if (state === "chunk-size") return this.#readChunkSize(data);
    if (state === "chunk-end") return this.#skipLine(data, "chunk-size");
    return this.#readTrailer(data);
  }

  #readHead(data: Buffer): Buffer | undefined {
    const end = data.indexOf(HEAD_END);
    if (end === -1) return this.#wait(data);
    const head = data.toString("latin1", 0, end).toLowerCase();
    this.#status = Number(head.slice(9, 12));
    this.#bodyBytes = 0;
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length !== undefined) {
      this.#left = Number(length);
      this.#state = "fixed";
      if (this.#left === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/.test(head)) {
      this.#state = "chunk-size";
    } else {
      throw new Error(`a response without a length: ${head.slice(0, 200)}`);
    }
    return data.subarray(end + HEAD_END.length);
  }

  #readBody(data: Buffer): Buffer {
    if (this.#bodyBytes === 0) this.#onFirstByte();
    const taken = Math.min(this.#left, data.length);
    this.#left -= taken;
    this.#bodyBytes += taken;
    if (this.#left === 0) {
      if (this.#state === "fixed") this.#finish();
      else this.#state = "chunk-end";
    }
    return data.subarray(taken);
  }

  #readChunkSize(data: Buffer): Buffer | undefined {
    const end = data.indexOf(CRLF);
    if (end === -1) return this.#wait(data);
    this.#left = Number.parseInt(data.toString("latin1", 0, end), 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk-data";
    return data.subarray(end + CRLF.length);
  }

  #skipLine(data: Buffer, next: State): Buffer | undefined {
    if (data.length < CRLF.length) return this.#wait(data);
    this.#state = next;
    return data.subarray(CRLF.length);
  }

  #readTrailer(data: Buffer): Buffer | undefined {
    const end = data.indexOf(CRLF);
    if (end === -1) return this.#wait(data);
    if (end === 0) this.#finish();
    return data.subarray(end + CRLF.length);
  }

  #wait(data: Buffer): undefined {
    this.#pending = data;
    return undefined;
  }

  #finish(): void {
    this.#state = "head";
    this.#onEnd({ status: this.#status, bodyBytes: this.#bodyBytes });
  }
}
