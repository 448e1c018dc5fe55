import type { PeerAnswer } from "./worker-messages.ts";

/** One question to several workers, until all have answered or the time is up. */
export class Gathering {
  readonly #answers = new Map<number, string | undefined>();
  readonly #open: Set<number>;
  readonly #onComplete: (answers: readonly PeerAnswer[]) => void;
  readonly #timer: NodeJS.Timeout;
  #isComplete = false;

  constructor(options: {
    readonly workers: readonly number[];
    readonly timeoutMs: number;
    readonly onComplete: (answers: readonly PeerAnswer[]) => void;
  }) {
    this.#open = new Set(options.workers);
    for (const worker of options.workers) this.#answers.set(worker, undefined);
    this.#onComplete = options.onComplete;
    this.#timer = setTimeout(() => this.#complete(), options.timeoutMs);
  }

  /** Also for one that has died: undefined. */
  answered(worker: number, answer: string | undefined): void {
    if (!this.#open.delete(worker)) return;
    this.#answers.set(worker, answer);
    if (this.#open.size === 0) this.#complete();
  }

  #complete(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    clearTimeout(this.#timer);
    const answers = [...this.#answers].map(([worker, answer]) => ({ worker, answer }));
    this.#onComplete(answers.toSorted((a, b) => a.worker - b.worker));
  }
}
