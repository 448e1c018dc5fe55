/** Those who may wait for a turn at once. */
const MAX_WAITING = 10_000;

/** Lets one caller at a time through, first come, first served. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /** Resolves when it is the caller's turn; who took one passes it on. */
  async take(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      throw new Error(`${MAX_WAITING} callers wait for the database already`);
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}
