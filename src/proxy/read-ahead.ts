import type { Readable } from "node:stream";

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

/** Reads a body up to a limit, or until enough is known of it. Rejects when the client breaks off. */
export function readAhead(body: Readable, options: ReadAheadOptions): Promise<ReadAhead> {
  return new Promise((resolve, reject) => {
    // Gone while the key was looked up: a destroyed stream emits nothing any more, and the call would wait for ever.
    if (body.destroyed) {
      reject(new Error("the client closed the connection within its request"));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (isWhole: boolean): void => {
      body.off("data", onData).off("end", onEnd).off("error", onBroken).off("close", onBroken);
      const [first] = chunks;
      const bytes =
        first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length);
      resolve({ bytes, isWhole });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (!options.onChunk(chunk) && length <= options.limitBytes) return;
      body.pause();
      finish(false);
    };
    const onEnd = (): void => finish(true);
    const onBroken = (): void => {
      finish(false);
      reject(new Error("the client closed the connection within its request"));
    };
    body.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}
