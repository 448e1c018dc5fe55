import type { RefusalCount } from "../../core/usage/usage-event.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { EventSink } from "../ledger.ts";
import type { PendingBatch } from "./pending-events.ts";
import type { RefusalCounter } from "./refusal-counter.ts";

/** What a busy process settles between two flushes, so that one transaction takes it; some 30 ms of the database. */
const MAX_FLUSH_EVENTS = 2000;
const MAX_FLUSH_REFUSALS = 1000;
const MAX_BACKOFF_MS = 10_000;

export interface EventFlusherOptions {
  readonly sink: EventSink;
  readonly refusals: RefusalCounter;
  readonly intervalMs: number;
  readonly nowMs: () => number;
  /** 0 (inclusive) to 1 (exclusive); spreads the retries of many processes. */
  readonly random: () => number;
  readonly runInBackground: (work: Promise<void>) => void;
  readonly log: LedgerLog;
  /** Events that wait. */
  readonly pendingEvents: () => number;
  /** The oldest of them; not asked again before the batch is confirmed. */
  nextBatch(limit: number): Promise<PendingBatch | undefined>;
  /** After every flush, with the sink's error where there was one. Must not reject. */
  afterFlush(error: unknown): Promise<void>;
}

interface Moved {
  readonly events: number;
  readonly refusals: number;
}

/**
 * Moves events and refusal counts into the sink: one batch at a time, a timer only while there is something to move,
 * slower and slower (with jitter, up to ten seconds) while the sink fails.
 *
 * A batch that failed is offered again as it was. Events may be offered twice, their ids see to that. Refusal counts
 * may not, and a failure does not tell whether the transaction was committed after all. So the batch is repeated
 * without them: when its events turn out to be new, the first attempt was not committed and the counts are put back;
 * when they are there already, so are the counts. Only a batch of counts alone stays in doubt: it is counted again.
 */
export class EventFlusher {
  readonly #options: EventFlusherOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #current: PendingBatch | undefined;
  #doubtful: readonly RefusalCount[] | undefined;
  #failures = 0;
  #isInBackground = false;
  /** Whether `arm` was called since the background flush began. */
  #isWanted = false;
  #isStopped = false;
  lastFlushAtMs: number | null = null;
  lastFlushError: string | null = null;
  /** Since the start; `#failures` are those in a row. */
  totalFailures = 0;

  constructor(options: EventFlusherOptions) {
    this.#options = options;
  }

  /** Sees to it that a flush will come. Cheap; called for every write. */
  arm(): void {
    this.#isWanted = true;
    if (this.#timer !== undefined || this.#isInBackground || this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#options.runInBackground(this.#flushInBackground());
    }, this.#delayMs());
    // A process that has nothing else to do may end: what is pending is in the journal.
    this.#timer.unref();
  }

  /** Moves what waits now; rejects with the sink's error. One flush runs at a time, callers queue. */
  async flush(): Promise<void> {
    while (this.#running !== undefined) {
      await this.#running.catch(() => {
        // Reported by the flush that it belongs to.
      });
    }
    this.#running = this.#flushAll();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** No more flushes by itself. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One at a time also while the sink hangs, whatever is settled meanwhile. */
  async #flushInBackground(): Promise<void> {
    this.#isInBackground = true;
    this.#isWanted = false;
    try {
      await this.flush();
    } catch {
      // Kept in lastFlushError and logged; the next attempt comes with the timer.
    }
    this.#isInBackground = false;
    const { pendingEvents, refusals } = this.#options;
    if (this.#isWanted || pendingEvents() > 0 || refusals.size > 0) this.arm();
  }

  async #flushAll(): Promise<void> {
    const { log, nowMs } = this.#options;
    try {
      await this.#moveAll();
    } catch (error) {
      this.#failures += 1;
      this.totalFailures += 1;
      this.lastFlushError = error instanceof Error ? error.message : String(error);
      log.warn(
        { err: error, failures: this.#failures, pendingEvents: this.#options.pendingEvents() },
        "events could not be moved to the store; they stay in the journal",
      );
      await this.#options.afterFlush(error);
      throw error;
    }
    if (this.#failures > 0) log.info({ failures: this.#failures }, "the store takes events again");
    this.#failures = 0;
    this.lastFlushError = null;
    this.lastFlushAtMs = nowMs();
    await this.#options.afterFlush(undefined);
  }

  /** What waits at the start and no more, so that a flush ends under steady traffic. */
  async #moveAll(): Promise<void> {
    let events = this.#options.pendingEvents();
    let refusals = this.#options.refusals.size;
    while (events > 0 || refusals > 0) {
      const moved =
        this.#current === undefined
          ? await this.#moveBatch()
          : await this.#repeatBatch(this.#current);
      if (moved === undefined) break;
      events -= moved.events;
      refusals -= moved.refusals;
    }
  }

  /** Undefined when there is nothing to move. */
  async #moveBatch(): Promise<Moved | undefined> {
    const { sink, refusals } = this.#options;
    const batch = await this.#options.nextBatch(MAX_FLUSH_EVENTS);
    const counts = refusals.take(MAX_FLUSH_REFUSALS);
    const events = batch?.events ?? [];
    if (events.length === 0 && counts.length === 0) return undefined;
    try {
      await sink.insertBatch({ events, refusals: counts });
    } catch (error) {
      if (batch === undefined) refusals.restore(counts);
      else [this.#current, this.#doubtful] = [batch, counts];
      throw error;
    }
    return { events: this.#confirm(batch), refusals: counts.length };
  }

  async #repeatBatch(batch: PendingBatch): Promise<Moved> {
    const { sink, refusals } = this.#options;
    const { inserted } = await sink.insertBatch({ events: batch.events, refusals: [] });
    if (inserted > 0) refusals.restore(this.#doubtful ?? []);
    this.#current = undefined;
    this.#doubtful = undefined;
    return { events: this.#confirm(batch), refusals: 0 };
  }

  /** By how many fewer events wait: a batch may have found another way to the store since it was first offered. */
  #confirm(batch: PendingBatch | undefined): number {
    const before = this.#options.pendingEvents();
    batch?.confirm();
    return before - this.#options.pendingEvents();
  }

  #delayMs(): number {
    const { intervalMs, random } = this.#options;
    if (this.#failures === 0) return intervalMs;
    const fullMs = Math.min(MAX_BACKOFF_MS, intervalMs * 2 ** Math.min(this.#failures, 30));
    return fullMs / 2 + (fullMs / 2) * random();
  }
}
