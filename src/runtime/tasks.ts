import type { Log } from "../telemetry/log.ts";

/**
 * Background work by name, so that shutdown can wait for it and a failure is logged, never lost.
 */
export class Tasks {
  readonly #log: Log;
  readonly #running = new Set<Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  run(name: string, promise: Promise<unknown>): void {
    const task = promise.then(
      () => undefined,
      (err: unknown) => this.#log.error({ err, task: name }, "background work failed"),
    );
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }

  /** Resolves when everything that was running, and what that started, has ended. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
