import type { EnvironmentKind } from "../core/environments/environment.ts";
import { KINDS_IN_ORDER } from "../core/limits/account-priority.ts";
import type { WaitingByKind } from "../core/limits/account-view.ts";
import { FairQueue } from "../core/limits/fair-queue.ts";
import type { LaneCall } from "./account-lane.ts";

export interface Waiter {
  readonly call: LaneCall;
  /** On the clock that never jumps. */
  readonly deadlineMs: number;
}

/** The calls that wait for one lane: production first, within a kind fair by flow, at most so many. */
export class LaneQueue<One extends Waiter> {
  readonly #maxCalls: number;
  readonly #queues = KINDS_IN_ORDER.map(() => new FairQueue<One>());
  readonly #tokens = KINDS_IN_ORDER.map(() => 0);
  /** In the order in which they came, which is that of their deadlines. */
  readonly #waiting = new Set<One>();

  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** What all of them need. */
  waiting(): WaitingByKind {
    const [production, staging, development] = this.#queues.map((queue, index) => ({
      calls: queue.size,
      tokens: this.#tokens[index] ?? 0,
    }));
    if (production === undefined || staging === undefined || development === undefined) {
      throw new Error("there is a queue for each kind");
    }
    return { production, staging, development };
  }

  /** Whether a call of this kind would have to stand behind another one. */
  isWaitingBefore(kind: EnvironmentKind): boolean {
    if (this.#waiting.size === 0) return false;
    const rank = KINDS_IN_ORDER.indexOf(kind);
    return this.#queues.some((queue, index) => index <= rank && queue.size > 0);
  }

  /**
   * Adds a call. Where all places are taken, it takes the place of one that matters less, or of one whose flow has more
   * waiting than its own: that one is returned. Returns the call itself where there is none.
   */
  add(one: One): One | undefined {
    const rank = KINDS_IN_ORDER.indexOf(one.call.kind);
    let displaced: One | undefined;
    if (this.#waiting.size >= this.#maxCalls) {
      displaced = this.#displace(rank, one.call.flow);
      if (displaced === undefined) return one;
    }
    this.#queues[rank]?.add(one.call.flow, one, 1);
    this.#waiting.add(one);
    this.#count(one, 1);
    return displaced;
  }

  first(): One | undefined {
    return this.#queues.find((queue) => queue.size > 0)?.peek();
  }

  takeFirst(): One | undefined {
    const one = this.#queues.find((queue) => queue.size > 0)?.take();
    if (one !== undefined && this.#waiting.delete(one)) this.#count(one, -1);
    return one;
  }

  /** False when it does not wait any more. */
  remove(one: One): boolean {
    const rank = KINDS_IN_ORDER.indexOf(one.call.kind);
    this.#queues[rank]?.remove(one.call.flow, one);
    if (!this.#waiting.delete(one)) return false;
    this.#count(one, -1);
    return true;
  }

  /** The one that has to be done with first. */
  longestWaiting(): One | undefined {
    const [first] = this.#waiting;
    return first;
  }

  #count({ call }: One, by: 1 | -1): void {
    const rank = KINDS_IN_ORDER.indexOf(call.kind);
    this.#tokens[rank] = (this.#tokens[rank] ?? 0) + by * call.tokens;
  }

  #displace(rank: number, flow: string): One | undefined {
    const lowest = this.#queues.findLastIndex((queue) => queue.size > 0);
    const queue = this.#queues[lowest];
    const newest = queue?.newestOfLongest();
    if (queue === undefined || newest === undefined || lowest < rank) return undefined;
    if (lowest === rank && queue.sizeOf(newest.flow) <= queue.sizeOf(flow) + 1) return undefined;
    this.remove(newest.item);
    return newest.item;
  }
}
