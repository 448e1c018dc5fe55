/** A limit on what a scope's calls may cost, or be charged, in a period. */
import type { BudgetId, BudgetIncreaseId } from "../ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../money/picos.ts";
import type { Scope } from "../scopes/scope.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import type { PeriodRule, PeriodWindow } from "./periods.ts";

/** What is added up: what the provider charges us, or what we charge the customer. */
export const BUDGET_MEASURES = ["cost", "price"] as const;
export type BudgetMeasure = (typeof BUDGET_MEASURES)[number];

/** `hard`: a call that could exceed it is not sent. `soft`: it is counted, and alerts tell of it. */
export const ENFORCEMENTS = ["hard", "soft"] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

/** What becomes of a call whose worst case is more than what is left: refused, or sent with a lower output limit. */
export const TIGHT_BUDGET_ACTIONS = ["refuse", "clamp"] as const;
export type TightBudgetAction = (typeof TIGHT_BUDGET_ACTIONS)[number];

/** Raises the limit for a while. */
export interface BudgetIncrease {
  readonly id: BudgetIncreaseId;
  readonly amountPicos: Picos;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
}

/** What decides which calls a budget counts, and in which window, never changes; the rest of it may. */
export interface Budget extends PeriodRule {
  readonly id: BudgetId;
  readonly name: string | null;
  readonly scope: Scope;
  readonly measure: BudgetMeasure;
  /** Patterns of requested models, see ModelPattern; null: all calls. */
  readonly models: readonly string[] | null;
  /** Whether what is left of a window is added to the next one, up to the limit once more. */
  readonly rollsOver: boolean;
  readonly limitPicos: Picos;
  readonly enforcement: Enforcement;
  readonly onTightBudget: TightBudgetAction;
  /** A paused budget counts and does not refuse. */
  readonly pausedAtMs: number | null;
  readonly archivedAtMs: number | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly increases: readonly BudgetIncrease[];
}

export function isHolding(budget: Budget): boolean {
  return (
    budget.enforcement === "hard" && budget.pausedAtMs === null && budget.archivedAtMs === null
  );
}

/**
 * The limit at an instant: of a window, with what its predecessor left and with the increases that hold then. What was
 * carried over counts up to the limit once more, as the limit is now.
 */
export function limitAt(budget: Budget, carriedPicos: Picos, atMs: number): Picos {
  let total: bigint = budget.limitPicos + carriedAtMost(budget, carriedPicos);
  for (const { fromMs, untilMs, amountPicos } of budget.increases) {
    if (fromMs <= atMs && atMs < untilMs) total += amountPicos;
  }
  return picos(total);
}

/** Clocks of processes differ; an increase is taken back so that it holds by none of them. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000;

/** When an increase ends that is taken back now: a little before, by this clock, and not before it began. */
export function takenBackAt({ fromMs }: Pick<BudgetIncrease, "fromMs">, nowMs: number): number {
  return Math.max(fromMs, nowMs - MAX_CLOCK_DIFFERENCE_MS);
}

/** The end of the first increase that holds at an instant to end; null: none holds. */
export function increaseEndAt(budget: Budget, atMs: number): number | null {
  const ends = budget.increases
    .filter(({ fromMs, untilMs }) => fromMs <= atMs && atMs < untilMs)
    .map(({ untilMs }) => untilMs);
  return ends.length === 0 ? null : Math.min(...ends);
}

function carriedAtMost({ limitPicos }: Budget, carriedPicos: Picos): Picos {
  return carriedPicos < limitPicos ? carriedPicos : limitPicos;
}

/** What a window hands on: what is left of it, at most the limit and never less than nothing. */
export function carryOver(
  budget: Budget,
  before: {
    readonly carriedPicos: Picos;
    readonly spentPicos: Picos;
    readonly leasedPicos: Picos;
  },
): Picos {
  if (!budget.rollsOver) return ZERO_PICOS;
  const had = budget.limitPicos + carriedAtMost(budget, before.carriedPicos);
  const left = had - before.spentPicos - before.leasedPicos;
  return left <= 0n ? ZERO_PICOS : carriedAtMost(budget, picos(left));
}

/**
 * What a ledger row counts for. Where its cost is not known, what was held for the call stands in for it; and the cost
 * for the price of a customer without a plan.
 */
export function countedAmount(
  measure: BudgetMeasure,
  event: Pick<UsageEvent, "costPicos" | "pricePicos" | "holdPicos">,
): Picos {
  const cost = event.costPicos ?? event.holdPicos ?? ZERO_PICOS;
  return measure === "cost" ? cost : (event.pricePicos ?? cost);
}

/** One budget, one subject (see `subjectOf`), one window. */
export interface WindowKey {
  readonly budget: Budget;
  readonly subject: string;
  readonly window: PeriodWindow;
}

export function windowIdOf({ budget, subject, window }: WindowKey): string {
  return `${budget.id}/${window.startsAtMs}/${subject}`;
}
