import type { Log } from "../telemetry/log.ts";

/** What was opened, to be closed in the opposite order, each once, whatever another one's closing does. */
export class Closers {
  readonly #log: Log;
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<void>): void {
    this.#closers.push({ name, close });
  }

  async closeAll(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      try {
        await next.close();
      } catch (err) {
        this.#log.error({ err, part: next.name }, "a part could not be closed");
      }
    }
  }
}
