/**
 * Holds: the money that a call may cost at worst is set aside in every hard budget that counts it, before it is sent,
 * and becomes what it did cost when it is settled. Budgets are in core, windows and leases in the store; here is what
 * one process decides in memory, out of the leases it has.
 */
import type { CountedWindow, CountedWindows } from "../core/budgets/budget-rules.ts";
import type { Budget } from "../core/budgets/budget.ts";
import type { LeanPicos } from "../core/money/lean-picos.ts";
import type { Picos } from "../core/money/picos.ts";
import type { ScopedCall } from "../core/scopes/scope.ts";
import type { UsageEvent } from "../core/usage/usage-event.ts";

/** The windows of hard budgets that count a call. Ask `HoldBook.windowsOf` for them. */
export type HeldWindows = CountedWindows;
export type HeldWindow = CountedWindow;

export interface Hold {
  readonly kind: "held";
  readonly picos: Picos;
  /**
   * The hold becomes what the event counts for; the difference is free at once. Before the event goes to the ledger,
   * so that its flush finds whose leases it was held from: at once where it says so itself (`UsageEvent.hold`). A hold
   * is settled or released once.
   */
  settle(event: UsageEvent): void;
  /** The call was not sent. */
  release(): void;
}

/** At least one budget has less left than the call may cost. */
export interface TightBudget {
  readonly kind: "tight";
  /** The one with the least left. */
  readonly window: HeldWindow;
  readonly limitPicos: Picos;
  readonly spentPicos: Picos;
  /** What a call may cost at most to be held now, in all of its budgets. Never negative. */
  readonly affordablePicos: Picos;
  /** Every budget that lacks something would have the call's output limit lowered. */
  readonly isClampable: boolean;
}

/** The store did not answer, and the leases in hand do not suffice. */
interface BudgetsUnavailable {
  readonly kind: "unavailable";
}

export type HoldAnswer = Hold | TightBudget | BudgetsUnavailable;

export interface HoldBook {
  /** Empty for a call to which no hard budget applies. `model` is the requested one. */
  windowsOf(call: ScopedCall, model: string | null, atMs: number): HeldWindows;
  /** All of the windows or none. At once when the leases in hand suffice; else a lease is asked for first. */
  place(windows: HeldWindows, amount: LeanPicos): HoldAnswer | Promise<HoldAnswer>;
  /** From now on these are the budgets: all that are not archived. */
  replaceBudgets(budgets: readonly Budget[]): void;
  /** Gives back what is left, after the last flush. */
  close(): Promise<void>;
}
