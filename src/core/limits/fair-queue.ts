import { IndexedHeap } from "./indexed-heap.ts";

/** An item that waits. What can be written is the queue's own. */
export interface Queued<Item> {
  readonly flow: string;
  readonly item: Item;
  readonly cost: number;
  previous: Queued<Item> | undefined;
  next: Queued<Item> | undefined;
  isWaiting: boolean;
}

/** What may go before the one whose turn it is, while that one does not fit. */
export interface Overtaking<Item> {
  readonly item: Item;
  /** How much of what the overtaken one needs has to be left when this one has gone: 0 to 1. */
  readonly kept: number;
}

interface Flow<Item> {
  readonly name: string;
  first: Queued<Item>;
  last: Queued<Item>;
  size: number;
  /** Where in virtual time its first item begins. */
  startsAt: number;
  /** Counts what was let through: when this flow's last item was; 0 = none since it waits. */
  servedAs: number;
  /** Counts flows as they come. */
  readonly cameAs: number;
}

/** A flow that has nothing waiting, and has had more than its part until virtual time has come so far. */
interface Rested {
  readonly name: string;
  readonly finishedAt: number;
}

/** Flows are named by callers: while a queue is never empty, any number of them could have been served. */
const MAX_RESTED = 10_000;

/**
 * A queue that shares what it lets through evenly among flows, by what items cost, whoever has more waiting: start-time
 * fair queueing (Goyal, Vin and Cheng, 1996). Each item moves its flow ahead by its cost; the flow that is furthest behind
 * goes next. One that was idle begins now, not where it left off. Now is how far each would be if all that was let through
 * had gone to all of them bit by bit (generalized processor sharing: Parekh and Gallager, 1993).
 *
 * Where room comes bit by bit, an item that costs much would hold all others up until it fits. So others may overtake it
 * meanwhile, as long as they leave it what it would have saved up by then if all saved at once: each flow's part.
 */
export class FairQueue<Item> {
  readonly #maxRested: number;
  /** Flows with something waiting. */
  readonly #flows = new Map<string, Flow<Item>>();
  readonly #byStart = new IndexedHeap<Flow<Item>>(compareStarts);
  readonly #byFinish = new IndexedHeap<Flow<Item>>(
    (one, other) => finishOf(one) - finishOf(other) || one.cameAs - other.cameAs,
  );
  readonly #byLength = new IndexedHeap<Flow<Item>>((one, other) => other.size - one.size);
  readonly #rested = new Map<string, Rested>();
  readonly #byRest = new IndexedHeap<Rested>((one, other) => one.finishedAt - other.finishedAt);
  #virtualNow = 0;
  /** Of all that wait. */
  #sumOfStarts = 0;
  #count = 0;
  #size = 0;

  /** `maxRested`: flows without anything waiting that are remembered. */
  constructor(maxRested = MAX_RESTED) {
    this.#maxRested = maxRested;
  }

  get size(): number {
    return this.#size;
  }

  /** How many of one flow wait. */
  sizeOf(flow: string): number {
    return this.#flows.get(flow)?.size ?? 0;
  }

  /** `cost`: above 0, in a unit of the caller's. */
  add(flow: string, item: Item, cost: number): Queued<Item> {
    const known = this.#flows.get(flow);
    const previous = known?.last;
    const queued = { flow, item, cost, previous, next: undefined, isWaiting: true };
    this.#size += 1;
    if (known === undefined) {
      this.#begin(queued);
      return queued;
    }
    known.last.next = queued;
    known.last = queued;
    known.size += 1;
    this.#byLength.moved(known);
    return queued;
  }

  /** What goes next. */
  peek(): Item | undefined {
    return this.#byStart.first()?.first.item;
  }

  /** What goes next of one flow. */
  peekOf(flow: string): Item | undefined {
    return this.#flows.get(flow)?.first.item;
  }

  /** What comes to its end soonest, but for what goes next. */
  overtaking(): Overtaking<Item> | undefined {
    const next = this.#byStart.first();
    const soonest = next && this.#soonestBut(next);
    if (next === undefined || soonest === undefined) return undefined;
    const others = this.#flows.size - 1;
    const sumOfStarts = this.#sumOfStarts - soonest.startsAt;
    const kept = keptFor(next, { finishesAt: finishOf(soonest), others, sumOfStarts });
    return { item: soonest.first.item, kept };
  }

  /** As `kept` of `overtaking`, for an item that has not come yet; undefined = another one would go before it. */
  keptAhead(name: string, cost: number): number | undefined {
    const next = this.#byStart.first();
    if (next === undefined || next.name === name) return 0;
    if (this.#flows.has(name)) return 1;
    const startsAt = this.#startOf(name);
    const finishesAt = startsAt + cost;
    if (startsAt < next.startsAt) return 0;
    const soonest = this.#soonestBut(next);
    if (soonest !== undefined && finishOf(soonest) <= finishesAt) return undefined;
    const others = this.#flows.size;
    return keptFor(next, { finishesAt, others, sumOfStarts: this.#sumOfStarts });
  }

  /** Lets one through: what `peek` says, unless one is named. */
  take(named?: Queued<Item>): Item | undefined {
    const queued = named ?? this.#byStart.first()?.first;
    const flow = queued && this.#flowOf(queued);
    if (queued === undefined || flow === undefined) return undefined;
    this.#advance(queued.cost);
    this.#count += 1;
    flow.servedAs = this.#count;
    flow.startsAt += queued.cost;
    this.#sumOfStarts += queued.cost;
    this.#unlink(flow, queued);
    return queued.item;
  }

  /** Takes one out that is not let through; false when it does not wait. */
  remove(queued: Queued<Item>): boolean {
    const flow = this.#flowOf(queued);
    if (flow === undefined) return false;
    this.#unlink(flow, queued);
    return true;
  }

  /** The last that came of the flow with the most waiting: whom it hurts least to send away. */
  newestOfLongest(): Queued<Item> | undefined {
    return this.#byLength.first()?.last;
  }

  #flowOf(queued: Queued<Item>): Flow<Item> | undefined {
    return queued.isWaiting ? this.#flows.get(queued.flow) : undefined;
  }

  #soonestBut(next: Flow<Item>): Flow<Item> | undefined {
    const soonest = this.#byFinish.first();
    return soonest === next ? this.#byFinish.second() : soonest;
  }

  /** Where a flow begins that has nothing waiting. */
  #startOf(name: string): number {
    return Math.max(this.#virtualNow, this.#rested.get(name)?.finishedAt ?? 0);
  }

  #begin(queued: Queued<Item>): void {
    const { flow: name } = queued;
    const startsAt = this.#startOf(name);
    const rested = this.#rested.get(name);
    if (rested !== undefined) this.#forget(rested);
    this.#count += 1;
    const cameAs = this.#count;
    const flow = { name, first: queued, last: queued, size: 1, startsAt, servedAs: 0, cameAs };
    this.#sumOfStarts += startsAt;
    this.#flows.set(name, flow);
    for (const heap of [this.#byStart, this.#byFinish, this.#byLength]) heap.add(flow);
  }

  /** Takes it out of its flow, whose start may have changed. */
  #unlink(flow: Flow<Item>, queued: Queued<Item>): void {
    const { previous, next } = queued;
    queued.isWaiting = false;
    this.#size -= 1;
    flow.size -= 1;
    if (previous === undefined && next === undefined) {
      this.#end(flow);
      return;
    }
    if (previous !== undefined) previous.next = next;
    else if (next !== undefined) flow.first = next;
    if (next !== undefined) next.previous = previous;
    else if (previous !== undefined) flow.last = previous;
    for (const heap of [this.#byStart, this.#byFinish, this.#byLength]) heap.moved(flow);
  }

  /** Nothing of it waits any more. */
  #end(flow: Flow<Item>): void {
    const { name, startsAt } = flow;
    this.#flows.delete(name);
    for (const heap of [this.#byStart, this.#byFinish, this.#byLength]) heap.delete(flow);
    this.#sumOfStarts -= startsAt;
    if (this.#size === 0) {
      this.#rested.clear();
      this.#byRest.clear();
      this.#sumOfStarts = 0;
      this.#virtualNow = 0;
    } else if (startsAt > this.#virtualNow) {
      this.#rest({ name, finishedAt: startsAt });
    } else {
      // What it had not had, the others have had.
      this.#advance(this.#virtualNow - startsAt);
    }
  }

  /** Of too many, what is known of the one is dropped that has the least more than its part. */
  #rest(rested: Rested): void {
    this.#rested.set(rested.name, rested);
    this.#byRest.add(rested);
    const first = this.#byRest.first();
    if (this.#rested.size > this.#maxRested && first !== undefined) this.#forget(first);
  }

  /** So much was let through: each flow's part of it, of those that take part until then. */
  #advance(cost: number): void {
    let left = cost;
    for (let next = this.#byRest.first(); next !== undefined; next = this.#byRest.first()) {
      const untilThen = (next.finishedAt - this.#virtualNow) * this.#taking;
      if (left < untilThen) break;
      left -= untilThen;
      this.#virtualNow = next.finishedAt;
      this.#forget(next);
    }
    this.#virtualNow += left / this.#taking;
  }

  get #taking(): number {
    return this.#flows.size + this.#rested.size;
  }

  #forget(rested: Rested): void {
    this.#rested.delete(rested.name);
    this.#byRest.delete(rested);
  }
}

/** Of what the next one needs, what one that finishes then leaves it: what it is ahead of all others by. */
function keptFor<Item>(
  next: Flow<Item>,
  one: {
    readonly finishesAt: number;
    readonly others: number;
    readonly sumOfStarts: number;
  },
): number {
  if (one.finishesAt > finishOf(next)) return 1;
  // Taken together: those of them that have had more count for it.
  const aheadBy = one.others * one.finishesAt - one.sumOfStarts;
  return Math.min(1, Math.max(0, aheadBy / next.first.cost));
}

function finishOf<Item>({ startsAt, first }: Flow<Item>): number {
  return startsAt + first.cost;
}

/** Of two that have had as much, the one that has waited longer since it was let through last, or came. */
function compareStarts<Item>(one: Flow<Item>, other: Flow<Item>): number {
  return (
    one.startsAt - other.startsAt || one.servedAs - other.servedAs || one.cameAs - other.cameAs
  );
}
