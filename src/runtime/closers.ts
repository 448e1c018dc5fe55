import type { Log } from "../telemetry/log.ts";
import { NoAnswerError, withinDeadline } from "./within-deadline.ts";

export interface ClosingLimits {
  readonly deadlineMs: number;
  /** Once a part was not closed in time: what it waited for does not answer the next one either. */
  readonly hurriedMs: number;
}

/** For what brings money to the store: more than flushing a ledger may take, and never hurried. */
export const UNHURRIED_MS = 10_000;

const DEFAULT_LIMITS: ClosingLimits = { deadlineMs: UNHURRIED_MS, hurriedMs: 1_000 };

/**
 * What was opened, to be closed in the opposite order, each once, whatever another one's closing does: a part that fails
 * or hangs keeps no other one open. Where most of them hang, on a database that keeps silent, all together still end before
 * a service manager loses its patience.
 */
export class Closers {
  readonly #log: Log;
  readonly #limits: ClosingLimits;
  readonly #closers: {
    readonly name: string;
    readonly close: () => Promise<void>;
    readonly deadlineMs: number | undefined;
  }[] = [];

  constructor(log: Log, limits: ClosingLimits = DEFAULT_LIMITS) {
    this.#log = log;
    this.#limits = limits;
  }

  /** `deadlineMs`: for a part that waits for others by design, or must not be hurried. */
  add(name: string, close: () => Promise<void>, deadlineMs?: number): void {
    this.#closers.push({ name, close, deadlineMs });
  }

  async closeAll(): Promise<void> {
    let { deadlineMs: usualMs } = this.#limits;
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      const { name, close, deadlineMs } = next;
      try {
        await withinDeadline(deadlineMs ?? usualMs, close());
      } catch (err) {
        if (err instanceof NoAnswerError) usualMs = this.#limits.hurriedMs;
        this.#log.error({ err, part: name }, "a part could not be closed");
      }
    }
  }
}
