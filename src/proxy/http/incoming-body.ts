import type { BodyReader, RequestBody } from "../gateway-request.ts";

/** What the connection does for a body. */
export interface BodySource {
  /** Hands over what has come and is not read yet, as long as it is wanted. */
  pump(): void;
}

/** A body on its way from a connection's bytes to whoever reads it. */
export class IncomingBody implements RequestBody {
  isBroken = false;
  readonly #source: BodySource;
  #reader: BodyReader | undefined;
  #isPaused = false;
  #isComplete: boolean;
  #isEndTold = false;

  constructor(source: BodySource, isEmpty: boolean) {
    this.#source = source;
    this.#isComplete = isEmpty;
  }

  get isRead(): boolean {
    return this.#reader !== undefined;
  }

  /** Nothing more of it will come. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Somebody waits for more of it. */
  get isWanted(): boolean {
    return this.#reader !== undefined && !this.#isPaused && !this.isBroken;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    if (this.isBroken) reader.onBroken();
    else this.resume();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isComplete) this.#source.pump();
    this.#tellEnd();
  }

  handOver(piece: Buffer): void {
    this.#reader?.onData(piece);
  }

  complete(): void {
    this.#isComplete = true;
    this.#tellEnd();
  }

  break(): void {
    if (this.isBroken || this.#isComplete) return;
    this.isBroken = true;
    this.#reader?.onBroken();
  }

  #tellEnd(): void {
    if (!this.#isComplete || this.#isEndTold || !this.isWanted) return;
    this.#isEndTold = true;
    this.#reader?.onEnd();
  }
}
