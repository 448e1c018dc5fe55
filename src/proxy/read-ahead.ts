import type { BodyReader, RequestBody } from "./gateway-request.ts";

export interface ReadAheadOptions {
  readonly limitBytes: number;
  /** Looks at a chunk; true when enough is known. */
  readonly onChunk: (chunk: Buffer) => boolean;
}

export interface ReadAhead {
  readonly bytes: Buffer;
  /** The body came to its end. Else it is paused, and the rest of it is still to be read. */
  readonly isWhole: boolean;
}

/**
 * Reads a body up to a limit, or until enough is known of it; at once where it is there already. Rejects when the
 * client breaks off.
 */
export function readAhead(
  body: RequestBody,
  options: ReadAheadOptions,
): ReadAhead | Promise<ReadAhead> {
  const reading = new Reading(body, options);
  body.read(reading);
  return reading.result ?? reading.later();
}

class Reading implements BodyReader {
  result: ReadAhead | undefined;
  readonly #body: RequestBody;
  readonly #options: ReadAheadOptions;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #isBroken = false;
  #waiting: PromiseWithResolvers<ReadAhead> | undefined;

  constructor(body: RequestBody, options: ReadAheadOptions) {
    this.#body = body;
    this.#options = options;
  }

  later(): Promise<ReadAhead> {
    this.#waiting = Promise.withResolvers();
    if (this.#isBroken) this.onBroken();
    return this.#waiting.promise;
  }

  onData(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (!this.#options.onChunk(chunk) && this.#length <= this.#options.limitBytes) return;
    this.#body.pause();
    this.#finish(false);
  }

  onEnd(): void {
    this.#finish(true);
  }

  onBroken(): void {
    this.#isBroken = true;
    this.#waiting?.reject(new Error("the client closed the connection within its request"));
  }

  #finish(isWhole: boolean): void {
    const [first] = this.#chunks;
    const isOne = first !== undefined && this.#chunks.length === 1;
    const bytes = isOne ? first : Buffer.concat(this.#chunks, this.#length);
    this.result = { bytes, isWhole };
    this.#waiting?.resolve(this.result);
  }
}
