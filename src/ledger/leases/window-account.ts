import type { Budget } from "../../core/budgets/budget.ts";
import type { LeaseAnswer, LeaseAsk } from "../../core/budgets/lease.ts";
import type { PeriodWindow } from "../../core/budgets/periods.ts";
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
  leasedPicos = 0n;
  /** Set aside for calls in flight. */
  heldPicos = 0n;
  /** Spent by calls that have ended and are not in the store yet. */
  unflushedPicos = 0n;
  /** What the calls that wait for a lease need, each. */
  readonly waiting: Picos[] = [];
  lastUsedMs: number;
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

  /** What can be held from at once. Negative after calls that cost more than was held for them. */
  get availablePicos(): bigint {
    return this.leasedPicos - this.heldPicos - this.unflushedPicos;
  }

  get isUnused(): boolean {
    return (
      this.leasedPicos === 0n &&
      this.heldPicos === 0n &&
      this.unflushedPicos === 0n &&
      this.waiting.length === 0
    );
  }

  hold(amount: Picos, nowMs: number): void {
    this.heldPicos += amount;
    this.lastUsedMs = nowMs;
    this.#meter.count(amount, nowMs);
  }

  /** Undefined when no call waits. */
  ask(nowMs: number): LeaseAsk | undefined {
    if (this.waiting.length === 0) return undefined;
    const available = this.availablePicos;
    let sum = 0n;
    let least = this.waiting[0] ?? 0n;
    for (const amount of this.waiting) {
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
    this.leasedPicos += answer.grantedPicos;
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
    return nowMs < this.#shortUntilMs && this.availablePicos + this.freePicos < amount;
  }

  /** The rules have changed: what the store last said may not hold any more. */
  forgetAnswer(): void {
    this.#answer = undefined;
    this.#shortUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Of what is in hand, what other processes can make better use of. */
  surplusAt(nowMs: number, wallClockMs: number): Picos {
    const available = this.availablePicos;
    if (available <= 0n || this.waiting.length > 0) return ZERO_PICOS;
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

/** How much was held lately: of the present second and the one before it. */
class DemandMeter {
  #secondMs: number;
  #present = 0n;
  #before = 0n;

  constructor(nowMs: number) {
    this.#secondMs = nowMs;
  }

  count(amount: Picos, nowMs: number): void {
    this.#turn(nowMs);
    this.#present += amount;
  }

  /** What so many milliseconds need when they are as the last ones. */
  demandOf(spanMs: number, nowMs: number): Picos {
    this.#turn(nowMs);
    const most = this.#present > this.#before ? this.#present : this.#before;
    return picos((most * BigInt(spanMs)) / 1000n);
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#secondMs;
    if (elapsedMs < 1000) return;
    this.#before = elapsedMs < 2000 ? this.#present : 0n;
    this.#present = 0n;
    this.#secondMs = nowMs;
  }
}
