import {
  countedAt,
  emptyAtMs,
  freeAtMs,
  LONG_VALID_MS,
  SHORT_VALID_MS,
  stepOf,
  totalOf,
  WINDOW_MS,
  type Counted,
  type SlidingWindow,
} from "../../core/limits/sliding-window.ts";
import type { PermitGrant, PermitRequest, UsedPermits } from "../../core/limits/take-permits.ts";
import type { RateState } from "../limits.ts";
import { RecentUse } from "./recent-use.ts";
import type { TripMoment } from "./trip-moment.ts";

/** Permits of one grant that are used by the same time. */
interface Batch {
  /** At which moment of the store's clock they are recorded. */
  readonly atMs: number;
  readonly validUntilMs: number;
  left: number;
  /** Used, and still recorded at `atMs`. */
  used: number;
  lastUsedAtMs: number;
  /** Those that were used have been moved to when that was, as often as this has entries. */
  readonly moves: Move[];
  isInHand: boolean;
}

interface Move {
  /** Where they are recorded now; undefined until the store has said so. */
  toMs: number | undefined;
  /** Permits among them that will be given back once that is known. */
  owed: number;
}

/** What a call has taken: of a batch, or on this process's own account while the store was away. */
export interface TakenPermits {
  readonly meter: RateMeter;
  readonly amount: number;
  readonly batch: Batch | undefined;
  /** How many `batch.moves` there were: no more, and it is still recorded where it was. */
  readonly moves: number;
  /** What the batch had too little of, taken of the next one. */
  readonly rest: TakenPermits | undefined;
}

/** What the store said, as it counts now. */
interface Counting {
  /** Of the store's clock. */
  readonly step: number;
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
/** What was used is recorded at that time, unless it already is, nearly. */
const NEARLY_MS = 300;
/** How much longer than the last trip a permit is good for that a call waits for. */
const SLOW_TRIP_FACTOR = 2;
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
  /** Over, with permits that were used and are still recorded at its end. */
  readonly #over: Batch[] = [];
  /** Moves that the store was told of and has not answered. */
  #moving: Move[] = [];
  /** By the moment at which it is recorded. */
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
  #waitingValidMs = SHORT_VALID_MS;

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
    this.#note(amount, nowMs);
    return this.#takeFrom(0, amount, nowMs);
  }

  #takeFrom(from: number, amount: number, nowMs: number): TakenPermits {
    if (amount === 0) return this.#takenOf(undefined, 0, undefined);
    let index = from;
    while (this.#batches[index]?.left === 0) index += 1;
    const batch = this.#batches[index];
    if (batch === undefined) throw new Error("permits were taken that are not there");
    const part = Math.min(amount, batch.left);
    batch.left -= part;
    batch.used += part;
    this.#left -= part;
    batch.lastUsedAtMs = nowMs;
    const rest = part < amount ? this.#takeFrom(index + 1, amount - part, nowMs) : undefined;
    return this.#takenOf(batch, part, rest);
  }

  #takenOf(batch: Batch | undefined, amount: number, rest: TakenPermits | undefined): TakenPermits {
    return { meter: this, amount, batch, moves: batch?.moves.length ?? 0, rest };
  }

  /** Whether there is enough in this process's own share of the limit, for as long as the store is away. */
  hasOfShare(amount: number, share: number, nowMs: number): boolean {
    return amount === 0 || this.#recent.totalAt(nowMs) + Math.min(amount, share) <= share;
  }

  /** Counts with the next trip. */
  takeOfShare(amount: number, nowMs: number): TakenPermits {
    this.#debt += amount;
    this.#note(amount, nowMs);
    return this.#takenOf(undefined, amount, undefined);
  }

  /** Until there is more in the process's own share. */
  shareReturnsInMs(nowMs: number): number {
    return this.#recent.nextLeavesInMs(nowMs);
  }

  /** As if it had not been taken. */
  undo(taken: TakenPermits, nowMs: number): void {
    const { batch, amount, moves, rest } = taken;
    this.#recent.add(-amount, nowMs);
    if (batch === undefined) this.#debt -= amount;
    else if (batch.isInHand && moves === batch.moves.length) {
      batch.left += amount;
      batch.used -= amount;
      this.#left += amount;
    } else this.#giveBack(batch, moves, amount);
    if (rest !== undefined) this.undo(rest, nowMs);
  }

  /** What a call really used, where another amount was taken for it. */
  correct(taken: TakenPermits, used: number): void {
    let over = amountOf(taken) - used;
    if (over < 0) this.#debt -= over;
    for (let part: TakenPermits | undefined = taken; over > 0 && part; part = part.rest) {
      const amount = Math.min(over, part.amount);
      if (part.batch === undefined) this.#debt -= amount;
      else this.#giveBack(part.batch, part.moves, amount);
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
    // What was used a moment ago may still be recorded ahead, and is moved to when that was.
    return Math.max(1, clampMs(freeAt - nowMs - this.#storeAheadMs));
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
      waitingValidMs: this.#waitingValidMs,
      inHand,
      expectedPerSecond: this.#perSecond,
      perCall: this.#waiting.reduce((most, amount) => Math.max(most, amount), this.#perCall),
      returned: [...this.#returned].map(([atMs, amount]) => ({ atMs, amount })),
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
    this.#add(grant.forWaiting, sentAtMs + request.waitingValidMs);
    this.#add(grant.inAdvance, sentAtMs + grant.inAdvanceValidMs);
    const slowMs = Math.ceil(heardAtMs - sentAtMs) * SLOW_TRIP_FACTOR;
    this.#waitingValidMs = Math.min(LONG_VALID_MS, Math.max(SHORT_VALID_MS, slowMs));
    for (const [index, move] of this.#moving.splice(0).entries()) {
      move.toMs = grant.usedAtMs[index];
      if (move.toMs !== undefined && move.owed > 0) this.#return(move.toMs, move.owed);
    }
    this.#batches.sort((a, b) => a.validUntilMs - b.validUntilMs);
  }

  /** The trip failed, perhaps after it was written. Counting a debt twice is better than not at all. */
  hearNothing(request: PermitRequest): void {
    this.#moving = [];
    this.#debt += request.debt;
  }

  remainingAt(nowMs: number): number {
    const taken = this.#countingAt(nowMs).total - this.#inHand(nowMs) + Math.max(0, this.#debt);
    return Math.max(0, Math.min(this.limit, this.limit - taken));
  }

  stateAt(nowMs: number): RateState {
    const counting = this.#countingAt(nowMs);
    return {
      limit: this.limit,
      remaining: this.remainingAt(nowMs),
      // What counts for longer has not been used, and is given back or used and moved by then.
      resetMs: clampMs(counting.emptyAtMs - nowMs - this.#storeAheadMs),
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

  /** Out of where it is recorded. Where that is never known, because a trip was lost, it counts as if it was used. */
  #giveBack(batch: Batch, moves: number, amount: number): void {
    const move = batch.moves[moves];
    if (move === undefined) {
      batch.used -= amount;
      this.#return(batch.atMs, amount);
    } else if (move.toMs === undefined) move.owed += amount;
    else this.#return(move.toMs, amount);
  }

  #add({ atMs, amount }: Counted, validUntilMs: number): void {
    if (amount === 0) return;
    const batch = { atMs, validUntilMs, left: amount, used: 0, lastUsedAtMs: 0, moves: [] };
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
    if (isRecordedLate(batch)) this.#over.push(batch);
  }

  #returnLeft(batch: Batch): void {
    if (batch.left > 0) this.#return(batch.atMs, batch.left);
    this.#left -= batch.left;
    batch.left = 0;
  }

  #return(atMs: number, amount: number): void {
    this.#returned.set(atMs, (this.#returned.get(atMs) ?? 0) + amount);
  }

  #hasSomeNews(nowMs: number): boolean {
    this.#expire(nowMs);
    if (this.#debt > 0 || this.#returned.size > 0 || this.#over.length > 0) return true;
    return nowMs - this.#askedAtMs >= NEARLY_MS && this.#batches.some(isRecordedLate);
  }

  /** Nobody is likely to be held up by what this process has not yet told. */
  #isPlenty(nowMs: number): boolean {
    return this.#countingAt(nowMs).total * 2 <= this.limit;
  }

  /** Used permits that are recorded further ahead than need be. */
  #reportUsed(nowMs: number): UsedPermits[] {
    const reported: UsedPermits[] = [];
    this.#moving = [];
    for (const batch of [...this.#batches, ...this.#over.splice(0)]) {
      if (!isRecordedLate(batch)) continue;
      const agoMs = Math.max(0, Math.floor(nowMs - batch.lastUsedAtMs));
      reported.push({ atMs: batch.atMs, amount: batch.used, agoMs });
      const move = { toMs: undefined, owed: 0 };
      batch.used = 0;
      batch.moves.push(move);
      this.#moving.push(move);
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

  /** Worked out once for each step of time, however many calls ask. */
  #countingAt(nowMs: number): Counting {
    const storeMs = nowMs + this.#storeAheadMs;
    const step = stepOf(storeMs);
    if (this.#counting?.step === step) return this.#counting;
    const window = countedAt(this.#window, storeMs);
    this.#counting = { step, window, total: totalOf(window), emptyAtMs: emptyAtMs(window) };
    return this.#counting;
  }
}

function amountOf(taken: TakenPermits): number {
  return taken.amount + (taken.rest === undefined ? 0 : amountOf(taken.rest));
}

/** Whether permits were used that count for longer than they need. */
function isRecordedLate({ used, validUntilMs, lastUsedAtMs }: Batch): boolean {
  return used > 0 && validUntilMs - lastUsedAtMs > NEARLY_MS;
}

function clampMs(ms: number): number {
  return Math.min(WINDOW_MS, Math.max(0, ms));
}
