/** Those who may wait for a turn at once. */
const MAX_WAITING = 10_000;

/** Lets one caller at a time through, first come, first served. */
export class Turns {
  readonly #maxWaitMs: number;
  readonly #waiting = new Set<() => void>();
  #isTaken = false;

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Resolves when it is the caller's turn; who took one passes it on. Rejects when the turn before does not end: most
   * likely it belongs to a transaction that waits for this very caller.
   */
  async take(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) {
      throw new Error(`${MAX_WAITING} callers wait for the database already`);
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(
          new Error(
            `waited ${this.#maxWaitMs} ms for a transaction to end; does its work use the store beside the repositories it was given?`,
          ),
        );
      }, this.#maxWaitMs);
      const begin = (): void => {
        clearTimeout(giveUp);
        resolve();
      };
      this.#waiting.add(begin);
    });
  }

  pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
