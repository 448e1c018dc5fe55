import { spareSlots, type SlotGrant, type SlotRequest } from "../../core/limits/take-slots.ts";
import type { TripMoment } from "./trip-moment.ts";

/** How long it is believed that others have all slots: one of theirs may be free at any time. */
const RECHECK_MS = 250;
/** What a refused call is told: nobody knows when a call in flight will end. */
const RETRY_MS = 1_000;
/** Slots in use are stated anew: others may have taken this process for dead, and dropped them. */
const RESTATE_MS = 10_000;
/** Slots that were not needed for this long are given back. */
const UNUSED_MS = 200;

/** One limit on calls in flight, as one process sees it: the slots that it holds. */
export class SlotMeter {
  /** May change at any time. */
  limit: number;
  readonly #processId: string;
  #waiting = 0;
  #held = 0;
  #inFlight = 0;
  /** The most that were in flight since the last trip. */
  #peak = 0;
  #free = 0;
  #isShared = false;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isStated = true;

  constructor(limit: number, processId: string) {
    this.limit = limit;
    this.#processId = processId;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  wait(): void {
    this.#waiting += 1;
  }

  waitNoMore(): void {
    this.#waiting -= 1;
  }

  has(): boolean {
    return this.#inFlight < Math.min(this.#held, this.limit);
  }

  /** Whether there is a slot in this process's own share, for as long as the store is away. */
  hasOfShare(share: number): boolean {
    return this.#inFlight < share;
  }

  /** Only after `has` or `hasOfShare`. */
  take(): void {
    this.#inFlight += 1;
    this.#peak = Math.max(this.#peak, this.#inFlight);
    if (this.#inFlight > this.#held) this.#isStated = false;
  }

  release(): void {
    this.#inFlight -= 1;
  }

  /** When it is worth trying again, where it is known that others have all slots; undefined = the store must be asked. */
  refusalMs(nowMs: number): number | undefined {
    if (this.#inFlight >= this.limit) return RETRY_MS;
    return this.#free > 0 || nowMs - this.#heardAtMs >= RECHECK_MS ? undefined : RETRY_MS;
  }

  /** Whether the store should hear of it, soon: slots that are not needed, or calls that have none. */
  hasNews(nowMs: number): boolean {
    if (!this.#isStated) return true;
    if (this.#inFlight > 0 && nowMs - this.#askedAtMs >= RESTATE_MS) return true;
    if (this.#isContended()) return this.#held > this.#inFlight;
    const needed = this.#peak + spareSlots(this.limit, this.#peak);
    return this.#held > needed && nowMs - this.#askedAtMs >= UNUSED_MS;
  }

  isIdle(): boolean {
    return this.#inFlight === 0 && this.#held === 0 && this.#waiting === 0;
  }

  ask(nowMs: number): SlotRequest {
    const lately = this.#isContended() ? this.#inFlight : this.#peak;
    const kept = Math.max(this.#inFlight, Math.min(this.#held, this.limit, lately));
    // What is going to be given back must not be taken meanwhile.
    this.#held = Math.min(this.#held, kept);
    this.#peak = this.#inFlight;
    this.#askedAtMs = nowMs;
    this.#isStated = true;
    return {
      processId: this.#processId,
      limit: this.limit,
      kept,
      waiting: this.#waiting,
    };
  }

  hear({ held, free, isShared }: SlotGrant, { heardAtMs }: TripMoment): void {
    this.#held = held;
    this.#free = free;
    this.#isShared = isShared;
    this.#heardAtMs = heardAtMs;
  }

  /** The trip failed, perhaps after it was written: what is held by then is the less of both. */
  hearNothing(): void {
    this.#isStated = false;
  }

  /** Somebody else may be waiting for what this process does not need. */
  #isContended(): boolean {
    return this.#isShared && this.#free === 0;
  }
}
