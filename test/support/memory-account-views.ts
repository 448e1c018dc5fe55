import {
  type AccountView,
  type DecideViews,
  emptyView,
  type ViewMoment,
} from "../../src/core/limits/account-view.ts";
import type {
  AccountViewRepository,
  ChangedViews,
} from "../../src/store/account-view-repository.ts";

/** Views in memory: as the databases keep them, by a clock that the test drives, with a delay that it chooses. */
export class MemoryAccountViews implements AccountViewRepository {
  readonly running = new Set<string>();
  /** The store does not answer. */
  isAway = false;
  changes = 0;
  reads = 0;
  readonly #views = new Map<string, { readonly view: AccountView; readonly changedAtMs: number }>();
  readonly #nowMs: () => number;
  readonly #delayMs: () => number;
  #last = Promise.resolve();

  constructor(nowMs: () => number, delayMs: () => number) {
    this.#nowMs = nowMs;
    this.#delayMs = delayMs;
  }

  async change(
    keys: Parameters<AccountViewRepository["change"]>[0],
    decide: DecideViews,
  ): Promise<void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      await this.#pause();
      this.changes += 1;
      const { nowMs } = this.#moment();
      const names = keys.map(({ accountId, model }) => `${accountId} ${model}`);
      const found = keys.map(
        (key) => this.#views.get(`${key.accountId} ${key.model}`)?.view ?? emptyView(key),
      );
      // Time passes between the reading, the decision and the commit.
      await this.#pause();
      const decided = decide(found, { ...this.#moment(), nowMs });
      await this.#pause();
      for (const [index, view] of decided.entries()) {
        // As the databases keep it: as text.
        const copy = JSON.parse(JSON.stringify(view)) as AccountView;
        this.#views.set(names[index] ?? "", { view: copy, changedAtMs: nowMs });
      }
    } finally {
      resolve();
    }
  }

  async listChanged({
    cursor,
    freshMs,
  }: Parameters<AccountViewRepository["listChanged"]>[0]): Promise<ChangedViews> {
    await this.#pause();
    this.reads += 1;
    const moment = this.#moment();
    const sinceMs = cursor ?? moment.nowMs - freshMs;
    const views = [...this.#views.values()]
      .filter(({ changedAtMs }) => changedAtMs >= sinceMs)
      .map(({ view }) => view);
    await this.#pause();
    return { views, moment, cursor: moment.nowMs - 2_000 };
  }

  removeOld(): Promise<number> {
    return Promise.resolve(0);
  }

  #moment(): ViewMoment {
    return { nowMs: this.#nowMs(), runningProcesses: new Set(this.running) };
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, this.#delayMs());
    });
    if (this.isAway) throw new Error("the store is away");
  }
}
