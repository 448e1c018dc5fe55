import type { SlotGrant, SlotRequest } from "../../core/limits/take-slots.ts";

/** What a refused call is told: nobody knows when a call in flight will end. */
const RETRY_MS = 1_000;
/** Slots in use are stated anew: others may have taken this process for dead, and dropped them. */
const RESTATE_MS = 10_000;
/** Slots that were not needed for this long are given back. */
const UNUSED_MS = 200;
/** How many are in use is told after this long, for people to see; and what is not needed and few beside what is left. */
const TELL_MS = 1_000;
/** Of what was left, others are likely to do without this part for so long. */
const FEW_SHARE = 16;

/** One limit on calls in flight, as one process sees it: the slots that it holds. */
export class SlotMeter {
  /** May change at any time. */
  limit: number;
  readonly #processId: string;
  /** Calls that wait, and how those are woken for which there may be a slot now. */
  #waiting = 0;
  readonly #sleepers = new Set<() => void>();
  #held = 0;
  #inFlight = 0;
  /** The most that were in flight since then: the last trip, or a while ago. */
  #peak = 0;
  #peakFromMs = Number.NEGATIVE_INFINITY;
  #isTight = false;
  /** What the store had left when it was last heard of. */
  #free = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isStated = true;
  #toldInFlight = 0;

  /** `inFlight`: calls that were there before the limit. */
  constructor(limit: number, processId: string, inFlight = 0) {
    this.limit = limit;
    this.#processId = processId;
    this.#inFlight = inFlight;
    this.#peak = inFlight;
    this.#isStated = inFlight === 0;
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

  /** Calls `wake` once when there is a slot; returns what takes that back. */
  onFree(wake: () => void): () => void {
    this.#sleepers.add(wake);
    return () => void this.#sleepers.delete(wake);
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
    this.#wakeSome();
  }

  /**
   * When it is worth trying again, where there is no hope; undefined = the store must be asked. What others hold may lie
   * idle with them, so what they held a moment ago is no reason to refuse.
   */
  refusalMs(): number | undefined {
    return Math.max(this.#inFlight, this.#waiting) >= this.limit ? RETRY_MS : undefined;
  }

  /** What a call is told that has waited in vain. */
  get retryMs(): number {
    return RETRY_MS;
  }

  /** Whether the store should hear of it, soon: of slots that are not needed. */
  hasNews(nowMs: number): boolean {
    if (!this.#isStated) return true;
    const sinceAskedMs = nowMs - this.#askedAtMs;
    if (this.#inFlight > 0 && sinceAskedMs >= RESTATE_MS) return true;
    if (this.#inFlight !== this.#toldInFlight && sinceAskedMs >= TELL_MS) return true;
    // What lies idle is for those that wait here, first.
    const idle = this.#held - this.#inFlight - this.#waiting;
    return idle > 0 && (this.#isTight || this.#hasUnused(nowMs, sinceAskedMs));
  }

  /** Whether slots were not needed for a while. Where that is no news yet, it is seen what the next while needs. */
  #hasUnused(nowMs: number, sinceAskedMs: number): boolean {
    if (nowMs - this.#peakFromMs < UNUSED_MS) return false;
    const unused = this.#held - Math.min(this.#peak, this.limit);
    const areFew = unused * FEW_SHARE <= this.#free;
    if (unused > 0 && (!areFew || sinceAskedMs >= TELL_MS)) return true;
    this.#measure(nowMs);
    return false;
  }

  #measure(nowMs: number): void {
    this.#peak = this.#inFlight;
    this.#peakFromMs = nowMs;
  }

  isIdle(): boolean {
    return this.#inFlight === 0 && this.#held === 0 && this.#waiting === 0;
  }

  ask(nowMs: number): SlotRequest {
    const needed = this.#inFlight + this.#waiting;
    const lately = this.#isTight ? needed : Math.max(needed, this.#peak);
    const kept = Math.max(this.#inFlight, Math.min(this.#held, this.limit, lately));
    // What is going to be given back must not be taken meanwhile.
    this.#held = Math.min(this.#held, kept);
    this.#measure(nowMs);
    this.#askedAtMs = nowMs;
    this.#isStated = true;
    this.#toldInFlight = needed;
    return {
      processId: this.#processId,
      limit: this.limit,
      kept,
      inFlight: needed,
      waiting: Math.max(0, needed - kept),
    };
  }

  hear({ held, free, isTight }: SlotGrant): void {
    this.#held = held;
    this.#free = free;
    this.#isTight = isTight;
    this.#wakeSome();
  }

  /** The trip failed, perhaps after it was written: what is held by then is the less of both. */
  hearNothing(): void {
    this.#isStated = false;
  }

  /** As many as there are slots for, in their order. */
  #wakeSome(): void {
    if (this.#sleepers.size === 0) return;
    let free = Math.min(this.#held, this.limit) - this.#inFlight;
    for (const wake of this.#sleepers) {
      if (free <= 0) return;
      free -= 1;
      this.#sleepers.delete(wake);
      wake();
    }
  }
}
