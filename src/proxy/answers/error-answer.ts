import type { Send } from "./answer.ts";
import { OpaqueAnswer } from "./opaque-answer.ts";

export interface ErrorAnswerOptions {
  /** Kept from the client, because another way is tried; else passed on as it comes. */
  readonly isSetAside: boolean;
  /** The error's whole body, undefined where it is longer than is kept. */
  readonly onWhole: (body: Buffer | undefined) => void;
  /** An answer that is set aside is longer than is kept. */
  readonly onOverlong: () => void;
}

/** Errors are short; more is no error that anybody reads. */
const MAX_KEPT_BYTES = 64 * 1024;

/** A provider's refusal: forwarded unread, with a copy kept that says why; or kept only, unsent. */
export class ErrorAnswer extends OpaqueAnswer {
  readonly #options: ErrorAnswerOptions;
  readonly #forward: Send;
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(send: Send, options: ErrorAnswerOptions) {
    super(send);
    this.#forward = send;
    this.#options = options;
  }

  override get isHeadHeld(): boolean {
    return this.#options.isSetAside;
  }

  override push(chunk: Buffer): void {
    const wasKept = this.#keptBytes <= MAX_KEPT_BYTES;
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= MAX_KEPT_BYTES) this.#kept.push(chunk);
    else this.#kept = [];
    if (!this.#options.isSetAside) this.#forward(chunk);
    else if (wasKept && this.#keptBytes > MAX_KEPT_BYTES) this.#options.onOverlong();
  }

  override finish(): Buffer | undefined {
    const body = this.#keptBytes <= MAX_KEPT_BYTES ? Buffer.concat(this.#kept) : undefined;
    this.#options.onWhole(body);
    return this.#options.isSetAside ? body : undefined;
  }
}
