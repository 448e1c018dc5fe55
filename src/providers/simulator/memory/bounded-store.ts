/** What a store of the simulator holds at most. */
export interface StoreLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/** Items by id, in the order in which they came. Past a limit the oldest make room. */
export class BoundedStore<Item extends object> {
  readonly #limits: StoreLimits;
  readonly #items = new Map<string, { readonly item: Item; readonly bytes: number }>();
  #bytes = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** Of `bytes` more than the store may hold, nothing is kept, and nothing else is lost for it. */
  put(id: string, item: Item, bytes: number): void {
    const { maxItems, maxBytes } = this.#limits;
    if (bytes > maxBytes) return;
    this.delete(id);
    this.#items.set(id, { item, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= maxItems && this.#bytes <= maxBytes) return;
      this.delete(oldest);
    }
  }

  get(id: string): Item | undefined {
    return this.#items.get(id)?.item;
  }

  /** False when there was none. */
  delete(id: string): boolean {
    const held = this.#items.get(id);
    if (held === undefined) return false;
    this.#bytes -= held.bytes;
    return this.#items.delete(id);
  }

  /** The newest first. */
  newestFirst(): readonly Item[] {
    return [...this.#items.values()].map(({ item }) => item).toReversed();
  }
}
