import { setTimeout as sleep } from "node:timers/promises";
import type { LimitUseSink } from "../limits.ts";

export interface IdleRemovalDeps {
  readonly uses: Pick<LimitUseSink, "removeIdle">;
  readonly monotonicMs: () => number;
  readonly log: { warn(fields: Readonly<Record<string, unknown>>, message: string): void };
  /** Uses that are removed at once. */
  readonly pageSize?: number | undefined;
}

const EVERY_MS = 60_000;
const PAGE_SIZE = 500;
/** Between two pages: what calls wait for goes first. */
const BREATH_MS = 10;

/** Once a minute removes the uses that count nothing any more: page after page, until there is none. */
export class IdleRemoval {
  readonly #deps: IdleRemovalDeps;
  readonly #stopping = new AbortController();
  #lastAtMs: number;
  #running: Promise<void> | undefined;

  constructor(deps: IdleRemovalDeps) {
    this.#deps = deps;
    this.#lastAtMs = deps.monotonicMs();
  }

  /** To be called a few times a second, while the store answers. */
  tick(): void {
    const nowMs = this.#deps.monotonicMs();
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    if (nowMs - this.#lastAtMs < EVERY_MS) return;
    this.#lastAtMs = nowMs;
    this.#running = this.#removeAll().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when the page in hand is done with. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #removeAll(): Promise<void> {
    const { uses, log, pageSize = PAGE_SIZE } = this.#deps;
    const { signal } = this.#stopping;
    try {
      // Not until a page is short: other processes remove, too, and each gets a part of what it found.
      while ((await uses.removeIdle(pageSize)) > 0 && !signal.aborted) {
        await sleep(BREATH_MS, undefined, { signal });
      }
    } catch (err) {
      // What is left is removed the next time.
      if (!signal.aborted) log.warn({ err }, "uses of limits that are idle could not be removed");
    }
  }
}
