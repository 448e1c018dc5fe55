export interface BatchQueueLimits {
  /** Items that wait; further ones are dropped. */
  readonly maxWaiting: number;
  readonly batchSize: number;
  /** How long an item waits for others. */
  readonly delayMs: number;
}

export interface BatchQueueOptions<Item> {
  readonly limits: BatchQueueLimits;
  /** Resolves to how many of them were taken; never rejects. */
  readonly deliver: (batch: readonly Item[]) => Promise<number>;
}

/**
 * Collects items and hands them on in batches, one batch at a time. To add one costs a push; when what is behind is
 * slow, the queue is full soon, and what comes then is counted and dropped.
 */
export class BatchQueue<Item> {
  readonly #options: BatchQueueOptions<Item>;
  readonly #waiting: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #delivering: Promise<void> | undefined;
  #isClosed = false;
  #delivered = 0;
  #dropped = 0;

  constructor(options: BatchQueueOptions<Item>) {
    this.#options = options;
  }

  get counts(): { readonly delivered: number; readonly dropped: number } {
    return { delivered: this.#delivered, dropped: this.#dropped };
  }

  push(item: Item): void {
    const { maxWaiting, batchSize, delayMs } = this.#options.limits;
    if (this.#isClosed || this.#waiting.length >= maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(item);
    if (this.#delivering !== undefined) return;
    // Never here and now: whoever adds an item has a call to end.
    if (this.#waiting.length === batchSize) setImmediate(() => this.#start());
    else this.#timer ??= setTimeout(() => this.#start(), delayMs).unref();
  }

  /** Takes nothing any more, and resolves when everything that waits was delivered or given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await (this.#delivering ?? this.#deliverAll());
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#delivering !== undefined) return;
    this.#delivering = this.#deliverAll().finally(() => {
      this.#delivering = undefined;
    });
  }

  async #deliverAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#deliverBatch();
  }

  async #deliverBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, this.#options.limits.batchSize);
    const taken = await this.#options.deliver(batch);
    this.#delivered += taken;
    this.#dropped += batch.length - taken;
  }
}
