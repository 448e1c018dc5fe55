import type { LimitUse } from "../../core/limits/limit-use.ts";
import type { LimitUseSink } from "../limits.ts";
import { IdleRemoval } from "./idle-removal.ts";
import { decideUse, type LocalUse, type UseGrant, type UseRequest } from "./local-use.ts";

export interface TripLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

interface StoreTripsDeps {
  readonly uses: LimitUseSink;
  readonly monotonicMs: () => number;
  readonly log: TripLog;
  /** A store that has not answered by then is away, and calls are decided without it. */
  readonly answerDeadlineMs?: number | undefined;
}

/** Uses that one trip takes along: calls that wait for one of them wait for all. */
const MAX_USES_A_TRIP = 100;
const ANSWER_DEADLINE_MS = 1_000;
const RETRY_MS = 1_000;

/**
 * The way of a process to the store and back, for all its uses together. There is one trip at a time: what is asked
 * meanwhile goes with the next, so the more calls wait, the fewer trips a call costs.
 */
export class StoreTrips {
  readonly #deps: StoreTripsDeps;
  readonly #removal: IdleRemoval;
  #queue = new Set<LocalUse>();
  /** Looked at with every tick: they have something in hand, or will have something to tell. Each says so of itself. */
  readonly #watched = new Set<LocalUse>();
  #next: PromiseWithResolvers<void> | undefined;
  #running: Promise<void> | undefined;
  #isAway = false;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Processes that ran when the store was last heard of; at least this one. */
  processCount = 1;

  constructor(deps: StoreTripsDeps) {
    this.#deps = deps;
    this.#removal = new IdleRemoval(deps);
  }

  /** The store does not answer: nobody waits for it, and it is tried again once a second. */
  isAway(): boolean {
    return this.#isAway;
  }

  /** Has the use go with the next trip. */
  ask(use: LocalUse): void {
    this.#queue.add(use);
    this.watch(use);
    this.#start();
  }

  watch(use: LocalUse): void {
    if (use.isWatched) return;
    use.isWatched = true;
    this.#watched.add(use);
  }

  /** Resolves when a trip that began after this has brought an answer, or the store is found to be away. */
  next(uses: readonly LocalUse[]): Promise<void> {
    for (const use of uses) {
      this.#queue.add(use);
      this.watch(use);
    }
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    this.#start();
    return promise;
  }

  tick(): void {
    const nowMs = this.#deps.monotonicMs();
    for (const use of this.#watched) {
      if (use.hasNews(nowMs)) this.#queue.add(use);
      else if (use.isIdle(nowMs)) {
        use.isWatched = false;
        this.#watched.delete(use);
      }
    }
    this.#start();
    if (!this.#isAway) this.#removal.tick();
  }

  /** Makes the last trip, unless the store does not answer. */
  async close(): Promise<void> {
    this.tick();
    const waited = Promise.withResolvers<void>();
    const deadline = setTimeout(waited.resolve, ANSWER_DEADLINE_MS);
    const ending = Promise.all([this.#running, this.#removal.close()]);
    await Promise.race([ending, waited.promise]);
    clearTimeout(deadline);
    this.#isClosed = true;
  }

  #start(): void {
    if (this.#running !== undefined || this.#queue.size === 0 || this.#isClosed) return;
    if (this.#isAway && this.#deps.monotonicMs() - this.#triedAtMs < RETRY_MS) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Asked for between the last trip's end and this.
      this.#start();
    });
  }

  async #run(): Promise<void> {
    // What is asked in the same turn of the event loop goes along.
    await new Promise(setImmediate);
    while (this.#queue.size > 0) {
      const isWell = await this.#trip();
      if (!isWell) return;
    }
  }

  async #trip(): Promise<boolean> {
    const uses = [...this.#queue].slice(0, MAX_USES_A_TRIP);
    for (const use of uses) this.#queue.delete(use);
    const waiters = this.#next;
    this.#next = undefined;
    const sentAtMs = this.#deps.monotonicMs();
    this.#triedAtMs = sentAtMs;
    const requests = uses.map((use) => use.ask(sentAtMs));
    const { answerDeadlineMs = ANSWER_DEADLINE_MS } = this.#deps;
    const deadline = setTimeout(() => {
      this.#lose(new Error(`the store has not answered within ${answerDeadlineMs} ms`));
      waiters?.resolve();
    }, answerDeadlineMs);
    try {
      await this.#exchange(uses, requests, sentAtMs);
      this.#find();
      return true;
    } catch (err) {
      for (const [index, use] of uses.entries()) {
        use.hearNothing(requests[index] ?? NO_REQUEST);
        this.#queue.add(use);
      }
      this.#lose(err);
      return false;
    } finally {
      clearTimeout(deadline);
      waiters?.resolve();
    }
  }

  async #exchange(
    uses: readonly LocalUse[],
    requests: readonly UseRequest[],
    sentAtMs: number,
  ): Promise<void> {
    let grants: UseGrant[] = [];
    let storeNowMs = 0;
    await this.#deps.uses.change(
      uses.map(({ key }) => key),
      (found, moment) => {
        storeNowMs = moment.nowMs;
        this.processCount = Math.max(1, moment.runningProcesses.size);
        const decided = found.map((use: LimitUse, index) =>
          decideUse(use, requests[index] ?? NO_REQUEST, moment),
        );
        grants = decided.map(({ grant }) => grant);
        return decided.map(({ use }) => use);
      },
    );
    const moment = { sentAtMs, storeNowMs, heardAtMs: this.#deps.monotonicMs() };
    for (const [index, use] of uses.entries()) {
      const grant = grants[index];
      if (grant === undefined) continue;
      use.hear(requests[index] ?? NO_REQUEST, grant, moment);
      // Slots are few, and this process has idle ones: somebody may be waiting for them.
      if (use.slots?.hasNews(moment.heardAtMs) === true) this.#queue.add(use);
    }
  }

  #lose(err: unknown): void {
    if (!this.#isAway) {
      this.#deps.log.warn(
        { err, processes: this.processCount },
        "the store does not answer: limits are kept by this process alone, to its share of them",
      );
    }
    this.#isAway = true;
    // Whoever waits for a later trip need not: there is none for now.
    this.#next?.resolve();
    this.#next = undefined;
  }

  #find(): void {
    if (this.#isAway) this.#deps.log.info({}, "limits are kept by all processes together again");
    this.#isAway = false;
  }
}

const NO_REQUEST: UseRequest = { requests: undefined, tokens: undefined, slots: undefined };
