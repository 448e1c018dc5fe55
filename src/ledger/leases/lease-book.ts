import { BudgetRules } from "../../core/budgets/budget-rules.ts";
import { type Budget, countedAmount, isHolding } from "../../core/budgets/budget.ts";
import type { EventId } from "../../core/ids/ids.ts";
import { type Picos, picos } from "../../core/money/picos.ts";
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
const NOTHING_USED: Used = { cost: 0n, price: 0n };

/** What a call that has ended used of this process's leases. */
interface Use extends Held, Used {
  /** The accounts that count it, where they are not all of them. */
  readonly counting: readonly WindowAccount[] | undefined;
}

/** By what a budget counts. Off the leases with the flush of the event. */
interface Used {
  readonly cost: bigint;
  readonly price: bigint;
}

/** The holds of one process, out of leases on the store's windows. See `HoldBook` for what it promises. */
export class LeaseBook implements HoldBook {
  readonly #options: LeaseBookOptions;
  readonly #accounts = new Map<string, WindowAccount>();
  readonly #keeper: LeaseKeeper;
  /** By the windows of the calls that are held from them, as they were for the last of these calls. */
  readonly #accountsOf = new WeakMap<HeldWindows, readonly WindowAccount[]>();
  /** Of events on their way to the store. */
  readonly #uses = new Map<EventId, Use>();
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

  place(windows: HeldWindows, amount: Picos): HoldAnswer | Promise<HoldAnswer> {
    const held = { windows, accounts: this.#accountsFor(windows) };
    const wallClockMs = this.#options.nowMs();
    for (const account of held.accounts) this.#recallIfEnded(account, wallClockMs);
    // What costs nothing passes an empty budget, too.
    return amount === 0n || haveAll(held.accounts, amount)
      ? this.#take(held, amount)
      : this.#obtain(held, amount);
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
  heldAgainst(id: EventId): HeldWindows {
    return this.#uses.get(id)?.windows ?? NO_WINDOWS;
  }

  /** For the flush: these events are in the store, each once, and what they used is off this process's leases there. */
  flushed(events: readonly UsageEvent[]): void {
    const sums = new Map<readonly WindowAccount[], Used>();
    for (const { id } of events) {
      const use = this.#uses.get(id);
      if (use === undefined) continue;
      this.#uses.delete(id);
      const accounts = use.counting ?? use.accounts;
      const sum = sums.get(accounts) ?? NOTHING_USED;
      sums.set(accounts, { cost: sum.cost + use.cost, price: sum.price + use.price });
    }
    for (const [accounts, sum] of sums) {
      for (const account of accounts) account.flushed(sum[account.budget.measure]);
    }
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

  async #obtain(held: Held, amount: Picos): Promise<HoldAnswer> {
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

  async #ask(held: Held, amount: Picos): Promise<HoldAnswer> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      this.#recallEnded(held.accounts);
      const lacking = lackingOf(held, amount);
      if (lacking.length === 0) return this.#take(held, amount);
      const nowMs = this.#options.monotonicMs();
      if (lacking.some((account) => account.isShortOf(amount, nowMs))) break;
      if (!(await this.#keeper.ask(lacking, amount))) return { kind: "unavailable" };
    }
    this.#recallEnded(held.accounts);
    const lacking = lackingOf(held, amount);
    return lacking.length === 0 ? this.#take(held, amount) : tightBudget(lacking);
  }

  #take(held: Held, amount: Picos): Hold {
    const nowMs = this.#options.monotonicMs();
    const amountAsNumber = Number(amount);
    for (const account of held.accounts) account.hold(amount, amountAsNumber, nowMs);
    return new LeasedHold(this, held, amount, this.#recalls);
  }

  releaseHold(hold: LeasedHold): void {
    for (const account of hold.accounts) this.#end(hold, account, hold.picos);
  }

  settleHold(hold: LeasedHold, event: UsageEvent): void {
    const { windows, accounts, picos: amount } = hold;
    const { requestedModel, startedAtMs } = event;
    // The same list once more: all of them count the event, as they counted the call.
    const isAsHeld = this.#holding.windowsOf(event, requestedModel, startedAtMs) === windows;
    const counting = isAsHeld ? undefined : this.#countingOf(accounts, event);
    const { cost, price } = usedBy(event);
    const costLeft = amount - cost;
    const priceLeft = price === cost ? costLeft : amount - price;
    for (const account of accounts) {
      const left = account.budget.measure === "cost" ? costLeft : priceLeft;
      this.#end(
        hold,
        account,
        counting === undefined || counting.includes(account) ? left : amount,
      );
    }
    this.#uses.set(event.id, { windows, accounts, counting, cost, price });
  }

  /** `left`: what the call has not used of what was held for it; less than nothing where it used more. */
  #end({ recalls }: LeasedHold, account: WindowAccount, left: bigint): void {
    account.end(left, recalls < account.recalledBy);
    // Others may be waiting for it. What lies idle elsewhere is found by the sweep.
    if (account.isTight || account.owedPicos > 0n) this.#keeper.giveBack(account);
  }

  /** Of what was lent under an increase that has ended, nothing is held. */
  #recallEnded(accounts: Iterable<WindowAccount>): void {
    const wallClockMs = this.#options.nowMs();
    for (const account of accounts) this.#recallIfEnded(account, wallClockMs);
  }

  #recallIfEnded(account: WindowAccount, wallClockMs: number): void {
    if (!account.isLentStill(wallClockMs)) this.#recall(account);
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

  #accountsFor(windows: HeldWindows): readonly WindowAccount[] {
    const known = this.#accountsOf.get(windows);
    if (known?.every(isKept) === true) return known;
    const accounts = windows.map((window) => this.#accountOf(window));
    this.#accountsOf.set(windows, accounts);
    return accounts;
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
function usedBy(event: UsageEvent): Used {
  const cost = countedAmount("cost", event);
  const price = countedAmount("price", event);
  const kept = event.deferred?.step === "begun" ? event.holdPicos : null;
  return kept === null ? { cost, price } : { cost: cost + kept, price: price + kept };
}

function haveAll(accounts: readonly WindowAccount[], amount: Picos): boolean {
  for (const account of accounts) if (account.availablePicos < amount) return false;
  return true;
}

function lackingOf({ accounts }: Held, amount: Picos): readonly WindowAccount[] {
  return accounts.filter((account) => account.availablePicos < amount);
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
