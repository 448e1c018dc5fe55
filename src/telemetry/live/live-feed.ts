import type { FeedFilter, FeedItem, FeedReader, SharedFeed } from "../call-feed.ts";
import type { CallObserver, CallReport, RefusalReport } from "../call-observer.ts";

export interface LiveFeedLimits {
  readonly maxReaders: number;
  /** Items that wait for one reader; older ones give way. */
  readonly maxWaiting: number;
}

const DEFAULT_LIVE_FEED_LIMITS: LiveFeedLimits = { maxReaders: 32, maxWaiting: 1_000 };

/** Hands calls to whoever reads at the moment. Without a reader a call costs one comparison. */
export class LiveFeed implements SharedFeed, CallObserver {
  readonly #limits: LiveFeedLimits;
  readonly #readers = new Set<WaitingReader>();
  #isClosed = false;
  #dropped = 0;
  #sink: ((item: FeedItem) => void) | undefined;
  #readingChanged: (isReading: boolean) => void = () => undefined;

  constructor(limits: LiveFeedLimits = DEFAULT_LIVE_FEED_LIMITS) {
    this.#limits = limits;
  }

  get counts(): { readonly readers: number; readonly dropped: number } {
    return { readers: this.#readers.size, dropped: this.#dropped };
  }

  subscribe(filter: FeedFilter): FeedReader | undefined {
    if (this.#isClosed || this.#readers.size >= this.#limits.maxReaders) return undefined;
    const reader = new WaitingReader(filter, {
      maxWaiting: this.#limits.maxWaiting,
      onDrop: () => {
        this.#dropped += 1;
      },
      onClose: () => {
        this.#readers.delete(reader);
        if (this.#readers.size === 0) this.#readingChanged(false);
      },
    });
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.#readingChanged(true);
    return reader;
  }

  callEnded(report: CallReport): void {
    if (this.#readers.size === 0 && this.#sink === undefined) return;
    this.#tell({ kind: "call", report });
  }

  callRefused(report: RefusalReport): void {
    if (this.#readers.size === 0 && this.#sink === undefined) return;
    this.#tell({ kind: "refusal", report });
  }

  onReading(listener: (isReading: boolean) => void): void {
    this.#readingChanged = listener;
  }

  forwardTo(sink: ((item: FeedItem) => void) | undefined): void {
    this.#sink = sink;
  }

  take(item: FeedItem): void {
    if (item.kind === "dropped") {
      // Nobody knows whose they were.
      for (const reader of this.#readers) reader.miss(item.count);
      return;
    }
    const facts = item.kind === "call" ? factsOfCall(item.report) : factsOfRefusal(item.report);
    for (const reader of this.#readers) {
      if (isWanted(reader.filter, facts)) reader.push(item);
    }
  }

  #tell(item: FeedItem): void {
    this.take(item);
    this.#sink?.(item);
  }

  /** Ends every reader. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.close();
  }
}

type Facts = { readonly [Name in keyof FeedFilter]-?: FeedFilter[Name] | null };

/** What `isProblem` of a filter is compared with. */
const problemOf = (isProblem: boolean): true | null => (isProblem ? true : null);

function factsOfCall({ event }: CallReport): Facts {
  const model = event.servedModel ?? event.requestedModel;
  return { ...event, model, isProblem: problemOf(event.status !== "succeeded") };
}

function factsOfRefusal(report: RefusalReport): Facts {
  return { ...report, model: report.requestedModel, status: "refused", isProblem: true };
}

function isWanted(filter: FeedFilter, facts: Facts): boolean {
  for (const name of FILTERED) {
    if (filter[name] !== undefined && filter[name] !== facts[name]) return false;
  }
  return true;
}

const FILTERED = [
  "environmentId",
  "projectId",
  "gatewayKeyId",
  "customer",
  "feature",
  "model",
  "status",
  "isProblem",
] as const satisfies readonly (keyof FeedFilter)[];

interface ReaderOptions {
  readonly maxWaiting: number;
  readonly onDrop: () => void;
  readonly onClose: () => void;
}

class WaitingReader implements FeedReader {
  readonly filter: FeedFilter;
  readonly #options: ReaderOptions;
  /** A ring: the oldest item stands at `#first`. */
  readonly #ring: (FeedItem | undefined)[] = [];
  #first = 0;
  #waiting = 0;
  #dropped = 0;
  #isClosed = false;
  #wake: (() => void) | undefined;

  constructor(filter: FeedFilter, options: ReaderOptions) {
    this.filter = filter;
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting;
  }

  push(item: FeedItem): void {
    const { maxWaiting, onDrop } = this.#options;
    if (this.#waiting === maxWaiting) {
      this.#take();
      this.#dropped += 1;
      onDrop();
    }
    this.#ring[(this.#first + this.#waiting) % maxWaiting] = item;
    this.#waiting += 1;
    this.#wake?.();
  }

  /** So many were lost on their way here. */
  miss(count: number): void {
    this.#dropped += count;
    this.#wake?.();
  }

  async next(timeoutMs: number): Promise<FeedItem | "idle" | "closed"> {
    if (this.#waiting === 0 && this.#dropped === 0 && !this.#isClosed) await this.#wait(timeoutMs);
    if (this.#isClosed) return "closed";
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#dropped = 0;
      return { kind: "dropped", count };
    }
    return this.#take() ?? "idle";
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#ring.length = 0;
    this.#options.onClose();
    this.#wake?.();
  }

  #take(): FeedItem | undefined {
    if (this.#waiting === 0) return undefined;
    const item = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#options.maxWaiting;
    this.#waiting -= 1;
    return item;
  }

  async #wait(timeoutMs: number): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = setTimeout(woken.resolve, timeoutMs);
    await woken.promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
