import type { Call } from "./call.ts";

/**
 * The memory that the bodies of all calls in flight may take together. A limit for each body alone would let as many
 * of them as there are calls fill the machine.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** False, with nothing taken, where it would go beyond. */
  take(call: Call, bytes: number): boolean {
    if (this.#heldBytes + bytes > this.#maxBytes) return false;
    this.#heldBytes += bytes;
    call.heldBytes += bytes;
    return true;
  }

  /** Gives back all that the call took. */
  release(call: Call): void {
    this.#heldBytes -= call.heldBytes;
    call.heldBytes = 0;
  }
}
