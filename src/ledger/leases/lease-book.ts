import { BudgetRules } from "../../core/budgets/budget-rules.ts";
import { type Budget, countedAmount, isHolding, windowIdOf } from "../../core/budgets/budget.ts";
import { windowAt } from "../../core/budgets/periods.ts";
import type { EventId } from "../../core/ids/ids.ts";
import { type Picos, picos } from "../../core/money/picos.ts";
import type { ScopedCall } from "../../core/scopes/scope.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Hold, HoldAnswer, HoldBook, HeldWindow, HeldWindows, TightBudget } from "../holds.ts";
import { LeaseKeeper, type LeaseKeeperOptions } from "./lease-keeper.ts";
import { WindowAccount } from "./window-account.ts";

export interface LeaseBookOptions extends Omit<
  LeaseKeeperOptions,
  "accounts" | "answerDeadlineMs"
> {
  readonly answerDeadlineMs?: number;
}

const DEFAULT_ANSWER_DEADLINE_MS = 3_000;
/** How often it is looked for what lies idle. */
const SWEEP_MS = 500;
/** A grant may go to another call that came to it first. */
const MAX_ROUNDS = 3;
const NO_WINDOWS: HeldWindows = [];

/** What a call that has ended used of this process's leases. */
interface Use {
  readonly account: WindowAccount;
  /** Off the lease with the flush of the event. */
  readonly usedPicos: bigint;
}

/** The holds of one process, out of leases on the store's windows. See `HoldBook` for what it promises. */
export class LeaseBook implements HoldBook {
  readonly #options: LeaseBookOptions;
  readonly #accounts = new Map<string, WindowAccount>();
  readonly #keeper: LeaseKeeper;
  /** Of events on their way to the store. */
  readonly #uses = new Map<EventId, readonly Use[]>();
  /** Of budgets that refuse. */
  #holding = new BudgetRules([]);
  /** Of all budgets, paused ones too: they count, and calls in flight may be held against them. */
  #counting = new BudgetRules([]);
  #sweeping: NodeJS.Timeout | undefined;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    const answerDeadlineMs = options.answerDeadlineMs ?? DEFAULT_ANSWER_DEADLINE_MS;
    this.#keeper = new LeaseKeeper({ ...options, accounts: this.#accounts, answerDeadlineMs });
  }

  windowsOf(call: ScopedCall, model: string | null, atMs: number): HeldWindows {
    if (this.#holding.isEmpty) return NO_WINDOWS;
    const windows: HeldWindow[] = [];
    this.#holding.visit(call, model, (budget, subject) => {
      const key = { budget, subject, window: windowAt(budget, atMs) };
      const id = windowIdOf(key);
      windows.push(this.#accounts.get(id) ?? { ...key, id });
    });
    return windows;
  }

  place(windows: HeldWindows, amount: Picos): HoldAnswer | Promise<HoldAnswer> {
    const accounts = windows.map((window) => this.#accountOf(window));
    // What costs nothing passes an empty budget, too.
    if (amount === 0n || accounts.every((account) => account.availablePicos >= amount)) {
      return this.#take(accounts, amount);
    }
    return this.#obtain(accounts, amount);
  }

  replaceBudgets(budgets: readonly Budget[]): void {
    this.#holding = new BudgetRules(budgets.filter(isHolding));
    this.#counting = new BudgetRules(budgets);
    const byId = new Map(budgets.map((budget) => [budget.id, budget]));
    for (const account of this.#accounts.values()) {
      account.budget = byId.get(account.budget.id) ?? account.budget;
      account.forgetAnswer();
      // The limit may be lower now, or there may be none: what is not in use goes back, and is asked for again.
      account.lastUsedMs = Number.NEGATIVE_INFINITY;
      this.#keeper.giveBack(account);
    }
  }

  /** For the flush: the windows that an event's call was held against. */
  heldAgainst(id: EventId): readonly string[] {
    return this.#uses.get(id)?.map(({ account }) => account.id) ?? [];
  }

  /** For the flush: these events are in the store, each once, and what they used is off this process's leases there. */
  flushed(events: readonly UsageEvent[]): void {
    const usedOf = new Map<WindowAccount, bigint>();
    for (const { id } of events) {
      for (const { account, usedPicos } of this.#uses.get(id) ?? []) {
        usedOf.set(account, (usedOf.get(account) ?? 0n) + usedPicos);
      }
      this.#uses.delete(id);
    }
    for (const [account, used] of usedOf) {
      account.unflushedPicos -= used;
      // The store takes no more off a lease than there is of it; what a call cost beyond its hold is spent all the same.
      account.leasedPicos = account.leasedPicos > used ? account.leasedPicos - used : 0n;
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
    this.#returnSurplus([...this.#accounts.values()]);
    for (const account of this.#accounts.values()) {
      if (account.isUnused) this.#accounts.delete(account.id);
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

  async #obtain(accounts: readonly WindowAccount[], amount: Picos): Promise<HoldAnswer> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const lacking = accounts.filter((account) => account.availablePicos < amount);
      if (lacking.length === 0) return this.#take(accounts, amount);
      const nowMs = this.#options.monotonicMs();
      if (lacking.some((account) => account.isShortOf(amount, nowMs))) break;
      if (!(await this.#keeper.ask(lacking, amount))) return { kind: "unavailable" };
    }
    const lacking = accounts.filter((account) => account.availablePicos < amount);
    return lacking.length === 0 ? this.#take(accounts, amount) : tightBudget(lacking);
  }

  #take(accounts: readonly WindowAccount[], amount: Picos): Hold {
    const nowMs = this.#options.monotonicMs();
    for (const account of accounts) account.hold(amount, nowMs);
    return {
      kind: "held",
      picos: amount,
      settle: (event) => this.#settle(accounts, amount, event),
      release: () => {
        for (const account of accounts) account.heldPicos -= amount;
        this.#returnSurplus(accounts);
      },
    };
  }

  #settle(accounts: readonly WindowAccount[], amount: Picos, event: UsageEvent): void {
    const counting = this.#countingWindows(event);
    const isKept = event.deferred?.step === "begun";
    const uses = accounts.map((account): Use => {
      account.heldPicos -= amount;
      if (!counting.has(account.id)) return { account, usedPicos: 0n };
      const counted = countedAmount(account.budget.measure, event);
      const usedPicos = isKept ? counted + (event.holdPicos ?? 0n) : counted;
      account.unflushedPicos += usedPicos;
      return { account, usedPicos };
    });
    this.#uses.set(event.id, uses);
    this.#returnSurplus(accounts);
  }

  /** The store adds the event to these. Of a form, the model may not have been known when the call was held. */
  #countingWindows(event: UsageEvent): ReadonlySet<string> {
    const ids = new Set<string>();
    this.#counting.visit(event, event.requestedModel, (budget, subject) => {
      ids.add(windowIdOf({ budget, subject, window: windowAt(budget, event.startedAtMs) }));
    });
    return ids;
  }

  #accountOf(window: HeldWindow): WindowAccount {
    const known = this.#accounts.get(window.id);
    if (known !== undefined) return known;
    const account = new WindowAccount(window, this.#options.monotonicMs());
    this.#accounts.set(window.id, account);
    this.#sweeping ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
    return account;
  }

  #returnSurplus(accounts: readonly WindowAccount[]): void {
    const nowMs = this.#options.monotonicMs();
    const wallClockMs = this.#options.nowMs();
    for (const account of accounts) {
      if (account.surplusAt(nowMs, wallClockMs) > 0n) this.#keeper.giveBack(account);
    }
  }
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
