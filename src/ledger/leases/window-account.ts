import type { Budget } from "../../core/budgets/budget.ts";
import type { LeaseAnswer, LeaseAsk } from "../../core/budgets/lease.ts";
import type { PeriodWindow } from "../../core/budgets/periods.ts";
import {
  differenceOf,
  exactPicos,
  leanPicos,
  sumOf,
  type LeanPicos,
} from "../../core/money/lean-picos.ts";
import { type Picos, picos, ZERO_PICOS } from "../../core/money/picos.ts";
import type { HeldWindow } from "../holds.ts";

/** How long a refusal of the store's is believed, so that calls on an empty budget do not each ask it. */
const SHORT_MS = 100;
/** The demand of this long is worth keeping in hand. */
const KEPT_MS = 2_000;
/** A window with less than this many calls' worth left is shared out exactly. */
const TIGHT_CALLS = 32n;

/** One process's part in one window of a budget: what it was lent, and what of that is in use. */
export class WindowAccount implements HeldWindow {
  readonly id: string;
  readonly subject: string;
  readonly window: PeriodWindow;
  budget: Budget;
  /** Off the window's free money, for this process. */
  #leasedPicos = 0n;
  /**
   * What can be held from at once: the rest of the lease is set aside for calls in flight, or spent by calls that have
   * ended and are not in the store yet. Negative after calls that cost more than was held for them.
   */
  #available: LeanPicos = 0;
  /** Off the lease here, and on its way back to the store. */
  #owed: LeanPicos = 0;
  /** The number of the last recall. */
  recalledBy = 0;
  /** Calls that are held from it, for nothing too. */
  openCalls = 0;
  /** Calls that wait to be, until they are or are refused: what the store grants meanwhile is theirs to take. */
  waitingCalls = 0;
  /** Nothing was held from it for long: there may be another account for the window by now. */
  isForgotten = false;
  /** What the calls need that wait and that no request is under way for, each. */
  readonly waiting: Picos[] = [];
  lastUsedMs: number;
  /** The end of the earliest increase that something was lent under. */
  #lentUntilMs = Number.POSITIVE_INFINITY;
  #answer: LeaseAnswer | undefined;
  #shortUntilMs = Number.NEGATIVE_INFINITY;
  #isTight = false;
  #meter: DemandMeter;

  constructor({ id, subject, window, budget }: HeldWindow, nowMs: number) {
    this.id = id;
    this.subject = subject;
    this.window = window;
    this.budget = budget;
    this.lastUsedMs = nowMs;
    this.#meter = new DemandMeter(nowMs);
  }

  get availablePicos(): bigint {
    return exactPicos(this.#available);
  }

  has(amount: LeanPicos): boolean {
    return this.#available >= amount;
  }

  /** Something is on its way back to the store. */
  get isOwing(): boolean {
    return this.#owed > 0;
  }

  get isUnused(): boolean {
    return (
      this.#leasedPicos === 0n &&
      this.#available === 0 &&
      this.#owed === 0 &&
      this.openCalls === 0 &&
      this.waitingCalls === 0
    );
  }

  hold(amount: LeanPicos, nowMs: number): void {
    this.#available = differenceOf(this.#available, amount);
    this.openCalls += 1;
    this.lastUsedMs = nowMs;
    this.#meter.count(Number(amount), nowMs);
  }

  /** What the call left of its hold is there for others, unless a recall came in between. Negative: it used more. */
  end(left: LeanPicos, isRecalled: boolean): void {
    this.#available = sumOf(this.#available, left);
    this.openCalls -= 1;
    if (isRecalled) this.#owe(left);
  }

  /** Something was lent under an increase, which has an end. */
  get isLentForTime(): boolean {
    return this.#lentUntilMs !== Number.POSITIVE_INFINITY;
  }

  isLentStill(wallClockMs: number): boolean {
    return wallClockMs < this.#lentUntilMs;
  }

  /**
   * The limit that this was lent under holds no more: what is in hand goes back before anything is held again, and so does
   * what calls in flight leave of theirs.
   */
  recall(number: number): void {
    this.recalledBy = number;
    this.#lentUntilMs = Number.POSITIVE_INFINITY;
    this.#forgetAnswer();
    this.#owe(this.#available);
  }

  /** Takes off the lease here what goes back to the store, so that no call holds from it meanwhile. Returns how much. */
  takeReturned(nowMs: number, wallClockMs: number): Picos {
    this.#owe(leanPicos(this.surplusAt(nowMs, wallClockMs)));
    return exactPicos(this.#owed);
  }

  /** It is free in the store, for whoever asks next: this process, too. */
  returned(amount: Picos): void {
    this.#owed = differenceOf(this.#owed, leanPicos(amount));
    if (this.#answer === undefined) return;
    const { leasedPicos } = this.#answer;
    this.#answer = { ...this.#answer, leasedPicos: atLeastNothing(leasedPicos - amount) };
  }

  /** So much the store has as this process's lease: all that was in doubt is settled by that. */
  compared(leasedPicos: bigint): void {
    this.#lend(leasedPicos - this.#leasedPicos);
    this.#owed = 0;
  }

  /** So much more of the window's money is this process's; less, where it is negative. */
  #lend(amount: bigint): void {
    this.#leasedPicos += amount;
    this.#available = sumOf(this.#available, leanPicos(amount));
  }

  #owe(wanted: LeanPicos): void {
    const amount = wanted < this.#available ? wanted : this.#available;
    if (amount <= 0) return;
    this.#lend(0n - exactPicos(amount));
    this.#owed = sumOf(this.#owed, amount);
  }

  /** Calls that used so much are in the store, and it is off the lease there. */
  flushed(used: bigint): void {
    // The store takes no more off a lease than there is of it; what a call cost beyond its hold is spent all the same.
    const taken = used < this.#leasedPicos ? used : this.#leasedPicos;
    this.#leasedPicos -= taken;
    this.#available = sumOf(this.#available, leanPicos(used - taken));
  }

  /** So little is left of the window that other processes may be waiting for what lies idle here. */
  get isTight(): boolean {
    return this.#isTight;
  }

  /** For calls that wait, of these amounts. */
  ask(amounts: readonly Picos[], nowMs: number): LeaseAsk {
    const available = this.availablePicos;
    let sum = 0n;
    let least = amounts[0] ?? 0n;
    for (const amount of amounts) {
      sum += amount;
      if (amount < least) least = amount;
    }
    return {
      key: this,
      leastPicos: atLeastNothing(least - available),
      needPicos: atLeastNothing(sum - available),
      extraPicos: this.#meter.demandOf(KEPT_MS, nowMs),
    };
  }

  answered(ask: LeaseAsk, answer: LeaseAnswer, nowMs: number): void {
    this.#lend(answer.grantedPicos);
    this.#lentUntilMs = Math.min(this.#lentUntilMs, answer.limitUntilMs ?? this.#lentUntilMs);
    this.#answer = answer;
    const isShort = answer.grantedPicos < ask.needPicos;
    if (isShort) this.#shortUntilMs = nowMs + SHORT_MS;
    this.#isTight = isShort || this.freePicos < TIGHT_CALLS * ask.leastPicos;
  }

  /** What the store had left when it was last asked, beside what this process has. */
  get freePicos(): Picos {
    if (this.#answer === undefined) return ZERO_PICOS;
    const { limitPicos, spentPicos, leasedPicos } = this.#answer;
    return atLeastNothing(limitPicos - spentPicos - leasedPicos);
  }

  get limitPicos(): Picos {
    return this.#answer?.limitPicos ?? this.budget.limitPicos;
  }

  get spentPicos(): Picos {
    return this.#answer?.spentPicos ?? ZERO_PICOS;
  }

  /** The store has just said that it has not that much; asking again would be of no use yet. */
  isShortOf(amount: Picos, nowMs: number): boolean {
    const isLeft = this.availablePicos + exactPicos(this.#owed) + this.freePicos >= amount;
    return nowMs < this.#shortUntilMs && !isLeft;
  }

  /** What the store last said may not hold any more. */
  #forgetAnswer(): void {
    this.#answer = undefined;
    this.#shortUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Of what is in hand, what other processes can make better use of. */
  surplusAt(nowMs: number, wallClockMs: number): Picos {
    const available = this.availablePicos;
    if (available <= 0n || this.waitingCalls > 0) return ZERO_PICOS;
    const { endsAtMs } = this.window;
    const isOver = endsAtMs !== null && endsAtMs <= wallClockMs;
    if (this.#isTight || isOver || nowMs - this.lastUsedMs >= KEPT_MS) return picos(available);
    const surplus = available - 2n * this.#meter.demandOf(KEPT_MS, nowMs);
    return atLeastNothing(surplus);
  }
}

function atLeastNothing(amount: bigint): Picos {
  return amount > 0n ? picos(amount) : ZERO_PICOS;
}

/** How much was held lately: of the present second and the one before it. Near enough: it decides how much is asked for. */
class DemandMeter {
  #secondMs: number;
  #present = 0;
  #before = 0;

  constructor(nowMs: number) {
    this.#secondMs = nowMs;
  }

  count(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#present += amount;
  }

  /** What so many milliseconds need when they are as the last ones. */
  demandOf(spanMs: number, nowMs: number): Picos {
    this.#turn(nowMs);
    return picos(BigInt(Math.floor((Math.max(this.#present, this.#before) * spanMs) / 1000)));
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#secondMs;
    if (elapsedMs < 1000) return;
    this.#before = elapsedMs < 2000 ? this.#present : 0;
    this.#present = 0;
    this.#secondMs = nowMs;
  }
}
