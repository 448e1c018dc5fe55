import {
  countedAt,
  emptyAtMs,
  freeAtMs,
  LONG_VALID_SECONDS,
  secondOf,
  SHORT_VALID_SECONDS,
  totalOf,
  type Counted,
  type SlidingWindow,
} from "../../core/limits/sliding-window.ts";
import type { PermitGrant, PermitRequest } from "../../core/limits/take-permits.ts";
import type { RateState } from "../limits.ts";
import { RecentUse } from "./recent-use.ts";
import type { TripMoment } from "./trip-moment.ts";

/** Permits of one grant that are used by the same time. */
interface Batch {
  /** In which second of the store they are recorded. */
  readonly second: number;
  readonly validUntilMs: number;
  left: number;
  /** Used, and still recorded in `second`. */
  used: number;
  /** How often those that were used have been moved out of it. */
  moves: number;
  /** The earliest second in which one of them may be recorded. */
  firstSecond: number;
  isInHand: boolean;
}

/** What a call has taken: of which batches, or on this process's own account while the store was away. */
export interface TakenPermits {
  readonly meter: RateMeter;
  readonly amount: number;
  readonly parts: readonly TakenPart[];
}

interface TakenPart {
  readonly batch: Batch;
  readonly amount: number;
  /** What `batch.moves` was: equal, it is still recorded where it was. */
  readonly moves: number;
}

/** What the store said, as it counts now. */
interface Counting {
  /** Of the store's clock. */
  readonly second: number;
  readonly window: SlidingWindow;
  readonly total: number;
  readonly emptyAtMs: number;
}

/** That nothing can be had is believed for this long: others give back what they don't use. */
const RECHECK_MS = 1_000;
/** The next permits are asked for when those in hand will not last for this long. */
const LEAD_MS = 200;
const MIN_LEAD_GAP_MS = 50;
/** While there is plenty, what is given back is told after this long. */
const PATIENCE_MS = 1_000;
const SLOW_TRIP_MS = 500;
/** Permits that are not used for so long are given back: what they were asked for has not come. */
const IDLE_MS = 2_000;
/** The time over which demand is averaged. */
const AVERAGED_MS = 1_000;

/** One limit on an amount a minute, as one process sees it: permits in hand, and what it last heard of all. */
export class RateMeter {
  /** May change at any time. */
  limit: number;
  readonly #waiting: number[] = [];
  /** Ascending by the end of their validity. */
  readonly #batches: Batch[] = [];
  /** Of all of them together. */
  #left = 0;
  readonly #recent = new RecentUse();
  /** By the second in which it is recorded. */
  readonly #returned = new Map<number, number>();
  #debt = 0;
  /** As of the last trip. */
  #window: SlidingWindow = [];
  #counting: Counting | undefined;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** The store's clock less this process's, at least. */
  #storeAheadMs = 0;
  #takenSinceAsked = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #perSecond = 0;
  /** What the last call took. */
  #perCall = 1;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #isTight = false;
  /** By how long the last trip took: a permit that is over when it comes is of no use to anybody. */
  #waitingValidSeconds = SHORT_VALID_SECONDS;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** What a call that needs more than the whole limit takes: it goes alone, and what is over it becomes debt. */
  clamp(amount: number): number {
    return Math.min(amount, this.limit);
  }

  /** A call waits for the next trip; `has` decides when it is over. */
  wait(amount: number): void {
    this.#waiting.push(amount);
  }

  waitNoMore(amount: number): void {
    this.#waiting.splice(this.#waiting.indexOf(amount), 1);
  }

  has(amount: number, nowMs: number): boolean {
    return amount === 0 || this.#inHand(nowMs) >= amount;
  }

  /** Only after `has`. */
  take(amount: number, nowMs: number): TakenPermits {
    const parts: TakenPart[] = [];
    let missing = amount;
    for (const batch of this.#batches) {
      if (missing === 0) break;
      const part = Math.min(missing, batch.left);
      if (part === 0) continue;
      batch.left -= part;
      batch.used += part;
      this.#left -= part;
      missing -= part;
      parts.push({ batch, amount: part, moves: batch.moves });
    }
    if (missing > 0) throw new Error("permits were taken that are not there");
    this.#note(amount, nowMs);
    return { meter: this, amount, parts };
  }

  /** Whether there is enough in this process's own share of the limit, for as long as the store is away. */
  hasOfShare(amount: number, share: number, nowMs: number): boolean {
    return amount === 0 || this.#recent.totalAt(nowMs) + Math.min(amount, share) <= share;
  }

  /** Counts with the next trip. */
  takeOfShare(amount: number, nowMs: number): TakenPermits {
    this.#debt += amount;
    this.#note(amount, nowMs);
    return { meter: this, amount, parts: [] };
  }

  /** Until there is more in the process's own share. */
  shareReturnsInMs(nowMs: number): number {
    return this.#recent.nextLeavesInMs(nowMs);
  }

  /** As if it had not been taken. */
  undo(taken: TakenPermits, nowMs: number): void {
    this.#recent.add(-taken.amount, nowMs);
    if (taken.parts.length === 0) this.#debt -= taken.amount;
    for (const part of taken.parts) {
      const { batch, amount, moves } = part;
      if (batch.isInHand && moves === batch.moves) {
        batch.left += amount;
        batch.used -= amount;
        this.#left += amount;
      } else this.#giveBack(part, amount);
    }
  }

  /** What a call really used, where another amount was taken for it. */
  correct(taken: TakenPermits, used: number): void {
    if (used > taken.amount) this.#debt += used - taken.amount;
    let over = Math.max(0, taken.amount - used);
    if (taken.parts.length === 0) this.#debt -= over;
    for (const part of taken.parts) {
      const amount = Math.min(over, part.amount);
      if (amount > 0) this.#giveBack(part, amount);
      over -= amount;
    }
  }

  /** When it is worth trying again, where it is known that there is not enough; undefined = the store must be asked. */
  refusalMs(amount: number, nowMs: number): number | undefined {
    if (nowMs - this.#heardAtMs >= RECHECK_MS) return undefined;
    const { window, total } = this.#countingAt(nowMs);
    let missing = amount - this.#inHand(nowMs);
    // Counted as of the last trip, and free again with the next.
    for (const returned of this.#returned.values()) missing -= returned;
    if (total + missing <= this.limit) return undefined;
    const freeAt = freeAtMs(window, this.limit, Math.min(missing, this.limit));
    return Math.max(1, freeAt - nowMs - this.#storeAheadMs);
  }

  /** Whether more should be asked for in advance. */
  isRunningLow(nowMs: number): boolean {
    if (this.#perSecond < 1 || nowMs - this.#askedAtMs < MIN_LEAD_GAP_MS) return false;
    let lasting = 0;
    for (const batch of this.#batches) {
      if (batch.validUntilMs > nowMs + LEAD_MS) lasting += batch.left;
    }
    if (lasting * 1000 >= this.#perSecond * LEAD_MS) return false;
    return this.#countingAt(nowMs).total + 4 <= this.limit;
  }

  /** Whether the store should hear something of it, soon. */
  hasNews(nowMs: number): boolean {
    this.#letGoOfIdle(nowMs);
    if (!this.#hasSomeNews(nowMs)) return false;
    return nowMs - this.#askedAtMs >= PATIENCE_MS || !this.#isPlenty(nowMs);
  }

  /** Nothing in hand, nothing to tell, nobody waiting. */
  isIdle(nowMs: number): boolean {
    return this.#waiting.length === 0 && !this.#hasSomeNews(nowMs) && this.#batches.length === 0;
  }

  /** What is to be told and asked. Told once: what becomes of a trip that fails is not known. */
  ask(nowMs: number): PermitRequest {
    const inHand = this.#inHand(nowMs);
    this.#average(nowMs);
    const request: PermitRequest = {
      limit: this.limit,
      waiting: [...this.#waiting],
      waitingValidSeconds: this.#waitingValidSeconds,
      inHand,
      expectedPerSecond: this.#perSecond,
      perCall: this.#waiting.reduce((most, amount) => Math.max(most, amount), this.#perCall),
      returned: [...this.#returned].map(([second, amount]) => ({ second, amount })),
      used: this.#reportUsed(nowMs),
      debt: Math.max(0, this.#debt),
    };
    this.#returned.clear();
    this.#debt -= request.debt;
    return request;
  }

  /** The store's answer. A permit is good from when it was asked for: that is before it was granted. */
  hear(
    request: PermitRequest,
    grant: PermitGrant,
    { storeNowMs, sentAtMs, heardAtMs }: TripMoment,
  ): void {
    this.#window = grant.window;
    this.#counting = undefined;
    this.#heardAtMs = heardAtMs;
    this.#isTight = grant.isTight;
    this.#storeAheadMs = storeNowMs - heardAtMs;
    this.#add(grant.forWaiting, sentAtMs + request.waitingValidSeconds * 1000);
    this.#add(grant.inAdvance, sentAtMs + grant.inAdvanceValidSeconds * 1000);
    const slowSeconds = Math.floor((heardAtMs - sentAtMs) / SLOW_TRIP_MS);
    this.#waitingValidSeconds = Math.min(LONG_VALID_SECONDS, SHORT_VALID_SECONDS + slowSeconds);
    this.#batches.sort((a, b) => a.validUntilMs - b.validUntilMs);
  }

  /** The trip failed, perhaps after it was written. Counting a debt twice is better than not at all. */
  hearNothing(request: PermitRequest): void {
    this.#debt += request.debt;
  }

  stateAt(nowMs: number): RateState {
    const counting = this.#countingAt(nowMs);
    const taken = counting.total - this.#inHand(nowMs) + Math.max(0, this.#debt);
    return {
      limit: this.limit,
      remaining: Math.max(0, Math.min(this.limit, this.limit - taken)),
      resetMs: Math.max(0, counting.emptyAtMs - nowMs - this.#storeAheadMs),
    };
  }

  /** Gives back everything in hand, with the next trip. */
  letGo(): void {
    for (const batch of this.#batches.splice(0)) this.#retire(batch);
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What nobody waits for, and what others may be waiting for. */
  #letGoOfIdle(nowMs: number): void {
    if (this.#left === 0 || this.#waiting.length > 0) return;
    const sinceMs = nowMs - Math.max(this.#takenAtMs, this.#heardAtMs);
    if (this.#isTight || sinceMs >= IDLE_MS) {
      for (const batch of this.#batches) this.#returnLeft(batch);
    }
  }

  /** Out of the second in which it is recorded, or, where that is not known, the earliest that it can be. */
  #giveBack({ batch, moves }: TakenPart, amount: number): void {
    if (moves === batch.moves) {
      batch.used -= amount;
      this.#return(batch.second, amount);
    } else this.#return(batch.firstSecond, amount);
  }

  #add({ second, amount }: Counted, validUntilMs: number): void {
    if (amount === 0) return;
    const batch = { second, validUntilMs, left: amount, used: 0, moves: 0, firstSecond: second };
    this.#batches.push({ ...batch, isInHand: true });
    this.#left += amount;
  }

  #inHand(nowMs: number): number {
    this.#expire(nowMs);
    return this.#left;
  }

  #expire(nowMs: number): void {
    for (;;) {
      const [first] = this.#batches;
      if (first === undefined || first.validUntilMs > nowMs) return;
      this.#batches.shift();
      this.#retire(first);
    }
  }

  #retire(batch: Batch): void {
    batch.isInHand = false;
    this.#returnLeft(batch);
  }

  #returnLeft(batch: Batch): void {
    if (batch.left > 0) this.#return(batch.second, batch.left);
    this.#left -= batch.left;
    batch.left = 0;
  }

  #return(second: number, amount: number): void {
    this.#returned.set(second, (this.#returned.get(second) ?? 0) + amount);
  }

  #hasSomeNews(nowMs: number): boolean {
    this.#expire(nowMs);
    return this.#debt > 0 || this.#returned.size > 0;
  }

  /** Nobody is likely to be held up by what this process has not yet told. */
  #isPlenty(nowMs: number): boolean {
    return this.#countingAt(nowMs).total * 2 <= this.limit;
  }

  /** Used permits that are recorded further ahead than need be. */
  #reportUsed(nowMs: number): Counted[] {
    const now = secondOf(nowMs + this.#storeAheadMs);
    const reported: Counted[] = [];
    for (const batch of this.#batches) {
      if (batch.used === 0 || batch.second <= now + SHORT_VALID_SECONDS) continue;
      reported.push({ second: batch.second, amount: batch.used });
      batch.used = 0;
      batch.moves += 1;
      batch.firstSecond = Math.min(batch.firstSecond, now);
    }
    return reported;
  }

  #note(amount: number, nowMs: number): void {
    this.#recent.add(amount, nowMs);
    this.#takenSinceAsked += amount;
    this.#takenAtMs = nowMs;
    if (amount > 0) this.#perCall = amount;
  }

  #average(nowMs: number): void {
    const elapsedMs = nowMs - this.#askedAtMs;
    if (elapsedMs <= 0) return;
    const sinceAsked = Number.isFinite(elapsedMs) ? (this.#takenSinceAsked * 1000) / elapsedMs : 0;
    this.#perSecond += (1 - Math.exp(-elapsedMs / AVERAGED_MS)) * (sinceAsked - this.#perSecond);
    this.#askedAtMs = nowMs;
    this.#takenSinceAsked = 0;
  }

  /** Worked out once a second, however many calls ask. */
  #countingAt(nowMs: number): Counting {
    const storeMs = nowMs + this.#storeAheadMs;
    const second = secondOf(storeMs);
    if (this.#counting?.second === second) return this.#counting;
    const window = countedAt(this.#window, storeMs);
    this.#counting = { second, window, total: totalOf(window), emptyAtMs: emptyAtMs(window) };
    return this.#counting;
  }
}
