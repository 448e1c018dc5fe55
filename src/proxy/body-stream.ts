import { Readable } from "node:stream";
import type { BodyReader, RequestBody } from "./gateway-request.ts";

export interface BodyStreamOptions {
  /** Was read before, and comes first. */
  readonly before?: Buffer;
  /** Looks at what passes behind it. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/** A request's body as a stream: the client sends it as fast as it is read here. */
export class BodyStream extends Readable implements BodyReader {
  readonly #body: RequestBody;
  readonly #options: BodyStreamOptions;
  #isReading = false;

  constructor(body: RequestBody, options: BodyStreamOptions = {}) {
    super();
    this.#body = body;
    this.#options = options;
    if (options.before !== undefined && options.before.length > 0) this.push(options.before);
    // A client that goes away is told of by its reply; whoever reads here learns of it by the error as well.
    this.on("error", () => undefined);
  }

  override _read(): void {
    if (this.#isReading) {
      this.#body.resume();
      return;
    }
    this.#isReading = true;
    this.#body.read(this);
  }

  onData(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#options.onChunk?.(chunk);
    if (!this.push(chunk)) this.#body.pause();
  }

  onEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  onBroken(): void {
    this.destroy(new Error("the client closed the connection within its request"));
  }
}
