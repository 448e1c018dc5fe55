import type { Log } from "../telemetry/log.ts";
import { withinDeadline } from "./within-deadline.ts";

/** More than flushing a ledger may take. What takes longer waits for somebody who does not answer. */
const DEFAULT_DEADLINE_MS = 10_000;

/**
 * What was opened, to be closed in the opposite order, each once, whatever another one's closing does: a part that fails
 * or hangs (connections to a database that keeps silent, say) keeps no other one open.
 */
export class Closers {
  readonly #log: Log;
  readonly #closers: {
    readonly name: string;
    readonly close: () => Promise<void>;
    readonly deadlineMs: number;
  }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** `deadlineMs`: for a part that waits for others by design. */
  add(name: string, close: () => Promise<void>, deadlineMs = DEFAULT_DEADLINE_MS): void {
    this.#closers.push({ name, close, deadlineMs });
  }

  async closeAll(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      try {
        await withinDeadline(next.deadlineMs, next.close());
      } catch (err) {
        this.#log.error({ err, part: next.name }, "a part could not be closed");
      }
    }
  }
}
