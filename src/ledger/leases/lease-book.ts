import { BudgetRules } from "../../core/budgets/budget-rules.ts";
import {
  type Budget,
  type BudgetMeasure,
  countedAmount,
  isHolding,
} from "../../core/budgets/budget.ts";
import type { EventId } from "../../core/ids/ids.ts";
import {
  differenceOf,
  exactPicos,
  leanPicos,
  sumOf,
  type LeanPicos,
} from "../../core/money/lean-picos.ts";
import { picos } from "../../core/money/picos.ts";
import type { ScopedCall } from "../../core/scopes/scope.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Hold, HoldAnswer, HoldBook, HeldWindow, HeldWindows, TightBudget } from "../holds.ts";
import { LeaseKeeper, type LeaseKeeperOptions } from "./lease-keeper.ts";
import { type Held, LeasedHold } from "./leased-hold.ts";
import { WindowAccount } from "./window-account.ts";

export interface LeaseBookOptions extends Omit<
  LeaseKeeperOptions,
  "accounts" | "answerDeadlineMs" | "recall"
> {
  readonly answerDeadlineMs?: number;
}

const DEFAULT_ANSWER_DEADLINE_MS = 3_000;
/** How often it is looked for what lies idle. */
const SWEEP_MS = 500;
/** A grant may go to another call that came to it first. */
const MAX_ROUNDS = 3;
const NO_WINDOWS: HeldWindows = [];

/** What calls that have ended used, by what a budget counts. */
interface Used {
  cost: LeanPicos;
  price: LeanPicos;
}

/** The holds of one process, out of leases on the store's windows. See `HoldBook` for what it promises. */
export class LeaseBook implements HoldBook {
  readonly #options: LeaseBookOptions;
  readonly #accounts = new Map<string, WindowAccount>();
  readonly #keeper: LeaseKeeper;
  /** Of which accounts calls are held, by their windows: as it was for the last of these calls. */
  readonly #heldOf = new WeakMap<HeldWindows, Held>();
  /** Of calls whose events are on their way to the store. */
  #settled: LeasedHold[] = [];
  /** Some of them by their events: for those that do not say what was held, having been read back from the journal. */
  readonly #byEvent = new Map<EventId, LeasedHold>();
  /** Of budgets that refuse. */
  #holding = new BudgetRules([]);
  /** Of all budgets, paused ones too: they count, and calls in flight may be held against them. */
  #counting = new BudgetRules([]);
  #sweeping: NodeJS.Timeout | undefined;
  /** They are counted, so that it can be told which holds are older than an account's last one. */
  #recalls = 0;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    const answerDeadlineMs = options.answerDeadlineMs ?? DEFAULT_ANSWER_DEADLINE_MS;
    this.#keeper = new LeaseKeeper({
      ...options,
      accounts: this.#accounts,
      recall: (account) => this.#recall(account),
      answerDeadlineMs,
    });
  }

  windowsOf(call: ScopedCall, model: string | null, atMs: number): HeldWindows {
    return this.#holding.windowsOf(call, model, atMs);
  }

  place(windows: HeldWindows, amount: LeanPicos): HoldAnswer | Promise<HoldAnswer> {
    const held = this.#heldFrom(windows);
    this.#recallEnded(held.accounts);
    const lean = typeof amount === "number" ? amount : leanPicos(amount);
    // What costs nothing passes an empty budget, too.
    return lean === 0 || haveAll(held, lean) ? this.#take(held, lean) : this.#obtain(held, lean);
  }

  replaceBudgets(budgets: readonly Budget[]): void {
    this.#holding = new BudgetRules(budgets.filter(isHolding));
    this.#counting = new BudgetRules(budgets);
    const byId = new Map(budgets.map((budget) => [budget.id, budget]));
    for (const account of this.#accounts.values()) {
      account.budget = byId.get(account.budget.id) ?? account.budget;
      // The limit may be lower now, or there may be none.
      this.#recall(account);
    }
  }

  /** For the flush: the windows that an event's call was held against. */
  heldAgainst(event: UsageEvent): HeldWindows {
    return this.#holdOf(event)?.held.windows ?? NO_WINDOWS;
  }

  /** For the flush: these events are in the store, each once, and what they used is off this process's leases there. */
  flushed(events: readonly UsageEvent[]): void {
    const sums = new Map<readonly WindowAccount[], Used>();
    for (const event of events) {
      const hold = this.#holdOf(event);
      if (hold === undefined || hold.isFlushed) continue;
      hold.isFlushed = true;
      let sum = sums.get(hold.counting);
      if (sum === undefined) {
        sum = { cost: 0, price: 0 };
        sums.set(hold.counting, sum);
      }
      const cost = usedBy(event, "cost");
      sum.cost = sumOf(sum.cost, cost);
      // What has no price counts as what it cost.
      sum.price = sumOf(sum.price, event.pricePicos === null ? cost : usedBy(event, "price"));
    }
    for (const [accounts, sum] of sums) {
      for (const account of accounts) account.flushed(exactPicos(sum[account.budget.measure]));
    }
    this.#settled = this.#settled.filter(({ isFlushed }) => !isFlushed);
    this.#byEvent.clear();
  }

  #holdOf(event: UsageEvent): LeasedHold | undefined {
    const { hold, holdPicos, id } = event;
    if (hold instanceof LeasedHold) return hold;
    if (holdPicos === null) return undefined;
    if (this.#byEvent.size === 0) {
      for (const one of this.#settled) {
        if (one.eventId !== undefined) this.#byEvent.set(one.eventId, one);
      }
    }
    return this.#byEvent.get(id);
  }

  /** Nobody knows whether the store took a batch: leases are read anew before more are asked for. */
  doubt(): void {
    this.#keeper.doubt();
  }

  async duringFlush<Result>(flush: () => Promise<Result>): Promise<Result> {
    return await this.#keeper.duringFlush(flush);
  }

  /** Gives back what lies idle, and forgets windows that nothing is held from. Done by itself every half second. */
  sweep(): void {
    this.#recallEnded(this.#accounts.values());
    this.#returnSurplus();
    for (const account of this.#accounts.values()) {
      if (!account.isUnused) continue;
      account.isForgotten = true;
      this.#accounts.delete(account.id);
    }
    this.#keeper.resolveDoubt();
    if (this.#accounts.size > 0 || this.#keeper.isDoubtful) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#options.source.closeLeases(this.#options.holder);
  }

  async #obtain(held: Held, amount: LeanPicos): Promise<HoldAnswer> {
    for (const account of held.accounts) account.waitingCalls += 1;
    try {
      return await this.#ask(held, amount);
    } finally {
      for (const account of held.accounts) {
        account.waitingCalls -= 1;
        // While a call waits, nothing is given back.
        if (account.isTight && account.availablePicos > 0n) this.#keeper.giveBack(account);
      }
    }
  }

  async #ask(held: Held, amount: LeanPicos): Promise<HoldAnswer> {
    const wanted = exactPicos(amount);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      this.#recallEnded(held.accounts);
      const lacking = lackingOf(held, amount);
      if (lacking.length === 0) return this.#take(held, amount);
      const nowMs = this.#options.monotonicMs();
      if (lacking.some((account) => account.isShortOf(wanted, nowMs))) break;
      if (!(await this.#keeper.ask(lacking, wanted))) return { kind: "unavailable" };
    }
    this.#recallEnded(held.accounts);
    const lacking = lackingOf(held, amount);
    return lacking.length === 0 ? this.#take(held, amount) : tightBudget(lacking);
  }

  #take(held: Held, amount: LeanPicos): Hold {
    const nowMs = this.#options.monotonicMs();
    const hold = new LeasedHold(held, exactPicos(amount), this.#recalls);
    for (const account of held.accounts) account.hold(amount, nowMs);
    return hold;
  }

  releaseHold(hold: LeasedHold): void {
    const amount = leanPicos(hold.picos);
    for (const account of hold.held.accounts) this.#end(hold, account, amount);
  }

  settleHold(hold: LeasedHold, event: UsageEvent): void {
    const { held } = hold;
    const amount = leanPicos(hold.picos);
    const { requestedModel, startedAtMs } = event;
    // The same list once more: all of them count the event, as they counted the call.
    const isAsHeld = this.#holding.windowsOf(event, requestedModel, startedAtMs) === held.windows;
    if (!isAsHeld) hold.counting = this.#countingOf(held.accounts, event);
    const costLeft = differenceOf(amount, usedBy(event, "cost"));
    const priceLeft =
      event.pricePicos === null ? costLeft : differenceOf(amount, usedBy(event, "price"));
    for (const account of held.accounts) {
      const left = account.budget.measure === "cost" ? costLeft : priceLeft;
      const isCounting = isAsHeld || hold.counting.includes(account);
      this.#end(hold, account, isCounting ? left : amount);
    }
    hold.eventId = event.id;
    this.#settled.push(hold);
    // Made for a flush that has failed: the next one looks for this one, too.
    if (this.#byEvent.size > 0) this.#byEvent.set(event.id, hold);
  }

  /** `left`: what the call has not used of what was held for it; less than nothing where it used more. */
  #end({ recalls }: LeasedHold, account: WindowAccount, left: LeanPicos): void {
    account.end(left, recalls < account.recalledBy);
    // Others may be waiting for it. What lies idle elsewhere is found by the sweep.
    if (account.isTight || account.isOwing) this.#keeper.giveBack(account);
  }

  /** Of what was lent under an increase that has ended, nothing is held. */
  #recallEnded(accounts: Iterable<WindowAccount>): void {
    for (const account of accounts) {
      // Few are lent for a time, and a look at the clock for each call costs more than this.
      if (account.isLentForTime && !account.isLentStill(this.#options.nowMs())) {
        this.#recall(account);
      }
    }
  }

  #recall(account: WindowAccount): void {
    this.#recalls += 1;
    account.recall(this.#recalls);
    this.#keeper.giveBack(account);
  }

  /** Those to which the store adds the event. Of a form, the model may not have been known when the call was held. */
  #countingOf(accounts: readonly WindowAccount[], event: UsageEvent): readonly WindowAccount[] {
    const { requestedModel, startedAtMs } = event;
    const windows = this.#counting.windowsOf(event, requestedModel, startedAtMs);
    const ids = new Set(windows.map(({ id }) => id));
    return accounts.filter(({ id }) => ids.has(id));
  }

  #heldFrom(windows: HeldWindows): Held {
    const known = this.#heldOf.get(windows);
    if (known?.accounts.every(isKept) === true) return known;
    const accounts = windows.map((window) => this.#accountOf(window));
    const held = { keeper: this, windows, accounts };
    this.#heldOf.set(windows, held);
    return held;
  }

  #accountOf(window: HeldWindow): WindowAccount {
    const known = this.#accounts.get(window.id);
    if (known !== undefined) return known;
    const account = new WindowAccount(window, this.#options.monotonicMs());
    this.#accounts.set(window.id, account);
    this.#sweeping ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return account;
  }

  #returnSurplus(): void {
    const nowMs = this.#options.monotonicMs();
    const wallClockMs = this.#options.nowMs();
    for (const account of this.#accounts.values()) {
      if (account.surplusAt(nowMs, wallClockMs) > 0n) this.#keeper.giveBack(account);
    }
  }
}

/** With what stays held for work that goes on. */
function usedBy(event: UsageEvent, measure: BudgetMeasure): LeanPicos {
  const counted = leanPicos(countedAmount(measure, event));
  const { deferred, holdPicos } = event;
  const goesOn = deferred?.step === "begun" && holdPicos !== null;
  return goesOn ? sumOf(counted, leanPicos(holdPicos)) : counted;
}

function haveAll({ accounts }: Held, amount: LeanPicos): boolean {
  for (const account of accounts) if (!account.has(amount)) return false;
  return true;
}

function lackingOf({ accounts }: Held, amount: LeanPicos): readonly WindowAccount[] {
  return accounts.filter((account) => !account.has(amount));
}

function isKept(account: WindowAccount): boolean {
  return !account.isForgotten;
}

function tightBudget(lacking: readonly WindowAccount[]): TightBudget {
  let [tightest] = lacking;
  for (const account of lacking) {
    if (tightest === undefined || affordableBy(account) < affordableBy(tightest)) {
      tightest = account;
    }
  }
  if (tightest === undefined) throw new Error("no budget lacks anything");
  const affordable = affordableBy(tightest);
  return {
    kind: "tight",
    window: tightest,
    limitPicos: tightest.limitPicos,
    spentPicos: tightest.spentPicos,
    affordablePicos: picos(affordable > 0n ? affordable : 0n),
    isClampable: lacking.every(({ budget }) => budget.onTightBudget === "clamp"),
  };
}

function affordableBy(account: WindowAccount): bigint {
  return account.availablePicos + account.freePicos;
}
