interface Flow<Item> {
  readonly items: { readonly item: Item; readonly cost: number }[];
  /** Where in virtual time its first item begins. */
  startsAt: number;
}

/**
 * A queue that shares what it lets through evenly among flows, whoever has more items waiting: start-time fair queueing
 * (Goyal, Vin and Cheng, 1996). Each item moves its flow ahead in virtual time by its cost; the flow that is furthest
 * behind goes next. One that was idle begins now, not where it left off.
 */
export class FairQueue<Item> {
  /** Flows with something waiting. */
  readonly #flows = new Map<string, Flow<Item>>();
  /** How far flows have got that have nothing waiting, as long as that is ahead of now. */
  readonly #finishedAt = new Map<string, number>();
  #virtualNow = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many of one flow wait. */
  sizeOf(flow: string): number {
    return this.#flows.get(flow)?.items.length ?? 0;
  }

  add(flow: string, item: Item, cost: number): void {
    this.#size += 1;
    const waiting = this.#flows.get(flow);
    if (waiting !== undefined) {
      waiting.items.push({ item, cost });
      return;
    }
    const startsAt = Math.max(this.#virtualNow, this.#finishedAt.get(flow) ?? 0);
    this.#finishedAt.delete(flow);
    this.#flows.set(flow, { items: [{ item, cost }], startsAt });
  }

  /** What goes next. */
  peek(): Item | undefined {
    return this.#next()?.[1].items[0]?.item;
  }

  /** Lets through what `peek` says. */
  take(): Item | undefined {
    const next = this.#next();
    if (next === undefined) return undefined;
    const [name, flow] = next;
    const taken = flow.items.shift();
    if (taken === undefined) return undefined;
    this.#size -= 1;
    this.#virtualNow = Math.max(this.#virtualNow, flow.startsAt);
    flow.startsAt += taken.cost;
    if (flow.items.length === 0) this.#rest(name, flow);
    return taken.item;
  }

  /** Takes one out that is not let through; false when it does not wait. */
  remove(flow: string, item: Item): boolean {
    const waiting = this.#flows.get(flow);
    const index = waiting?.items.findIndex((one) => one.item === item) ?? -1;
    if (waiting === undefined || index === -1) return false;
    waiting.items.splice(index, 1);
    this.#size -= 1;
    if (waiting.items.length === 0) this.#rest(flow, waiting);
    return true;
  }

  /** The last that came of the flow with the most waiting: whom it hurts least to send away. */
  newestOfLongest(): { readonly flow: string; readonly item: Item } | undefined {
    let longest: { flow: string; items: Flow<Item>["items"] } | undefined;
    for (const [flow, { items }] of this.#flows) {
      if (items.length > (longest?.items.length ?? 0)) longest = { flow, items };
    }
    const newest = longest?.items.at(-1);
    return longest === undefined || newest === undefined
      ? undefined
      : { flow: longest.flow, item: newest.item };
  }

  #next(): [string, Flow<Item>] | undefined {
    let next: [string, Flow<Item>] | undefined;
    for (const entry of this.#flows) {
      if (next === undefined || entry[1].startsAt < next[1].startsAt) next = entry;
    }
    return next;
  }

  #rest(name: string, { startsAt }: Flow<Item>): void {
    this.#flows.delete(name);
    if (this.#size === 0) this.#finishedAt.clear();
    else if (startsAt > this.#virtualNow) this.#finishedAt.set(name, startsAt);
    for (const [other, finishedAt] of this.#finishedAt) {
      if (finishedAt <= this.#virtualNow) this.#finishedAt.delete(other);
    }
  }
}
