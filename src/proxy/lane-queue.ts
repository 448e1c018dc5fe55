import type { EnvironmentKind } from "../core/environments/environment.ts";
import { KINDS_IN_ORDER } from "../core/limits/account-priority.ts";
import type { WaitingByKind } from "../core/limits/account-view.ts";
import { FairQueue, type Overtaking, type Queued } from "../core/limits/fair-queue.ts";
import type { LaneCall, Overtaken } from "./account-lane.ts";

export interface Waiter {
  readonly call: LaneCall;
  /** On the clock that never jumps. */
  readonly deadlineMs: number;
}

/** A call that was sent away, and may be repeated. */
interface Absent<One> {
  readonly queued: Queued<One>;
  readonly untilMs: number;
}

/** The calls that wait for one lane: production first, within a kind fair by flow, at most so many. */
export class LaneQueue<One extends Waiter> {
  readonly #maxCalls: number;
  readonly #queues = KINDS_IN_ORDER.map(() => new FairQueue<One>());
  readonly #waitingFor = KINDS_IN_ORDER.map(() => ({ calls: 0, tokens: 0 }));
  /** In the order in which they came, which is that of their deadlines. */
  readonly #waiting = new Map<One, Queued<One>>();
  /** What stands for those in the queue. In the order in which they went. */
  readonly #absent = new Map<One, Absent<One>>();

  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** What all of them need. */
  waiting(): WaitingByKind {
    const [production, staging, development] = this.#waitingFor;
    if (production === undefined || staging === undefined || development === undefined) {
      throw new Error("there is a queue for each kind");
    }
    return {
      production: { ...production },
      staging: { ...staging },
      development: { ...development },
    };
  }

  /** Whether a call of this kind would have to stand behind another one, or may have to leave it room. */
  isWaitingBefore(kind: EnvironmentKind, nowMs: number): boolean {
    if (this.#absent.size > 0) this.forgetAbsent(nowMs);
    else if (this.#waiting.size === 0) return false;
    const rank = KINDS_IN_ORDER.indexOf(kind);
    if (this.#queueOf(kind).size > 0) return true;
    return this.#waitingFor.some(({ calls }, index) => index < rank && calls > 0);
  }

  /**
   * Adds a call that takes so much, as a share of what is scarcest. Where all places are taken, it takes the place of one
   * that matters less, or of one whose flow has more waiting than its own: that one is returned. Returns the call itself
   * where there is none.
   */
  add(one: One, cost: number): One | undefined {
    const { flow, kind } = one.call;
    const rank = KINDS_IN_ORDER.indexOf(kind);
    let displaced: One | undefined;
    if (this.#waiting.size >= this.#maxCalls) {
      displaced = this.#displace(rank, flow);
      if (displaced === undefined) return one;
    }
    const queue = this.#queueOf(kind);
    const before = queue.peekOf(flow);
    this.#waiting.set(one, queue.add(flow, one, cost));
    this.#count(one, 1);
    // It takes over what was saved up.
    if (before !== undefined) this.forget(before);
    return displaced;
  }

  /** What goes first, and what may go before it meanwhile. */
  next(): { readonly first: One; readonly overtaking: Overtaking<One> | undefined } | undefined {
    const rank = this.#waitingFor.findIndex(({ calls }) => calls > 0);
    const queue = this.#queues[rank];
    const first = queue?.peek();
    return queue && first && { first, overtaking: queue.overtaking() };
  }

  /** How much of what the first needs a call that takes so much would have to leave; undefined = others go before it. */
  keptAhead({ kind, flow }: LaneCall, cost: number): Overtaken | undefined {
    const rank = KINDS_IN_ORDER.indexOf(kind);
    if (this.#waitingFor.some(({ calls }, index) => index < rank && calls > 0)) return undefined;
    const queue = this.#queueOf(kind);
    const own = queue.peekOf(flow);
    if (own !== undefined && !this.#absent.has(own)) return undefined;
    const share = queue.keptAhead(flow, cost);
    const tokens = queue.peek()?.call.tokens;
    return share === undefined || tokens === undefined ? undefined : { tokens, share };
  }

  /** Whether it stands there for a call that was sent away. */
  isAbsent(one: One): boolean {
    return this.#absent.has(one);
  }

  /** Lets one through that `next` has told of. */
  take(one: One): void {
    const queued = this.#waiting.get(one);
    if (queued === undefined) return;
    this.#queueOf(one.call.kind).take(queued);
    this.#waiting.delete(one);
    this.#count(one, -1);
  }

  /** False when it does not wait any more. */
  remove(one: One): boolean {
    const queued = this.#waiting.get(one);
    if (queued === undefined) return false;
    this.#queueOf(one.call.kind).remove(queued);
    this.#waiting.delete(one);
    this.#count(one, -1);
    return true;
  }

  /**
   * It waits no more. Where its flow has nothing else waiting, what it has saved up is kept for it until then: a call that
   * takes more than its part comes to in the time that it may wait would never be sent otherwise, however often it is
   * repeated. For at most as many as may wait: flows are named by callers, and any number of them would be kept.
   */
  giveUp(one: One, untilMs: number): void {
    const queued = this.#waiting.get(one);
    if (queued === undefined) return;
    const hasOthers = this.#queueOf(one.call.kind).sizeOf(one.call.flow) > 1;
    if (hasOthers || this.#absent.size >= this.#maxCalls) {
      this.remove(one);
      return;
    }
    this.#waiting.delete(one);
    this.#count(one, -1);
    this.#absent.set(one, { queued, untilMs });
  }

  /** As `giveUp`, of a call that takes so much and was sent away at once. */
  expect(one: One, cost: number, untilMs: number): void {
    const { flow, kind } = one.call;
    const queue = this.#queueOf(kind);
    const before = queue.peekOf(flow);
    if (before !== undefined && !this.#absent.has(before)) return;
    if (this.#absent.size >= this.#maxCalls) return;
    this.#absent.set(one, { queued: queue.add(flow, one, cost), untilMs });
    if (before !== undefined) this.forget(before);
  }

  /** Nothing is kept any more for who has not come back. */
  forgetAbsent(nowMs: number): void {
    for (const [one, { untilMs }] of this.#absent) {
      if (untilMs > nowMs) return;
      this.forget(one);
    }
  }

  /** Nothing is kept for it any more: its turn has come, and it is not there. */
  forget(one: One): void {
    const absent = this.#absent.get(one);
    if (absent === undefined) return;
    this.#absent.delete(one);
    this.#queueOf(one.call.kind).remove(absent.queued);
  }

  /** The one that has to be done with first. */
  longestWaiting(): One | undefined {
    const [first] = this.#waiting.keys();
    return first;
  }

  #queueOf(kind: EnvironmentKind): FairQueue<One> {
    const queue = this.#queues[KINDS_IN_ORDER.indexOf(kind)];
    if (queue === undefined) throw new Error("there is a queue for each kind");
    return queue;
  }

  #count({ call: { kind, tokens } }: One, by: 1 | -1): void {
    const sum = this.#waitingFor[KINDS_IN_ORDER.indexOf(kind)];
    if (sum === undefined) return;
    sum.calls += by;
    sum.tokens += by * tokens;
  }

  #displace(rank: number, flow: string): One | undefined {
    for (;;) {
      const lowest = this.#queues.findLastIndex((queue) => queue.size > 0);
      const queue = this.#queues[lowest];
      const newest = queue?.newestOfLongest();
      if (queue === undefined || newest === undefined || lowest < rank) return undefined;
      if (lowest === rank && queue.sizeOf(newest.flow) <= queue.sizeOf(flow) + 1) return undefined;
      if (this.remove(newest.item)) return newest.item;
      this.forget(newest.item);
    }
  }
}
