/** The store's contract for budgets: their rules, their windows, and the leases that processes hold on windows. */
import type { Budget, BudgetIncrease } from "../core/budgets/budget.ts";
import type { LeaseHolder, LeaseSource } from "../core/budgets/lease.ts";
import type { BudgetId, BudgetIncreaseId } from "../core/ids/ids.ts";
import type { Picos } from "../core/money/picos.ts";
import type { ScopeKind } from "../core/scopes/scope.ts";
import type { Page, PageRequest } from "./paging.ts";

/** One window of a budget, for one subject. */
export interface BudgetWindowRecord {
  readonly id: string;
  readonly budgetId: BudgetId;
  /** See `subjectOf`. */
  readonly subject: string;
  readonly startsAtMs: number;
  /** Null: never. */
  readonly endsAtMs: number | null;
  /** What the ledger's rows add up to. */
  readonly spentPicos: Picos;
  /** Set aside for calls: in flight, or about to come. */
  readonly leasedPicos: Picos;
  /** Of what is leased, what processes hold that were lost. */
  readonly lostPicos: Picos;
  readonly carriedPicos: Picos;
  /** Calls that were refused because too little of it was left. Counted with the flush of each process. */
  readonly refusedCalls: number;
}

/** How those of a budget's subjects stand that have a window now. */
export interface BudgetSpread {
  readonly subjects: number;
  /** Have spent at least NEAR_PERCENT of their limit. */
  readonly near: number;
  /** Have nothing left, with what is set aside for calls. */
  readonly usedUp: number;
}

export const NEAR_PERCENT = 80;

/** What changes in a budget; what is absent stays. */
export interface BudgetChange {
  readonly name?: string | null;
  readonly limitPicos?: Picos;
  readonly enforcement?: Budget["enforcement"];
  readonly onTightBudget?: Budget["onTightBudget"];
  readonly pausedAtMs?: number | null;
}

export interface BudgetRepository extends LeaseSource {
  /** Opens its windows with what the ledger has of them already. Its `increases` must be empty. */
  insert(budget: Budget): Promise<void>;
  findById(id: BudgetId): Promise<Budget | undefined>;
  /** Newest first by (createdAt, id). */
  list(
    page: PageRequest,
    filter?: {
      readonly scopeKind?: ScopeKind | undefined;
      readonly scopeId?: string | undefined;
      /** Archived ones are left out unless asked for. */
      readonly withArchived?: boolean | undefined;
    },
  ): Promise<Page<Budget>>;
  /** Those that are not archived. */
  count(): Promise<number>;
  /** Those that are not archived, all of them. */
  listActive(): Promise<readonly Budget[]>;
  /** False when there is no such budget, or it is archived. */
  update(id: BudgetId, change: BudgetChange): Promise<boolean>;
  /** False as above. */
  addIncrease(id: BudgetId, increase: BudgetIncrease): Promise<boolean>;
  /** It holds until then and no longer. False as above, and where the budget has no such increase that ends later. */
  endIncrease(id: BudgetId, increaseId: BudgetIncreaseId, untilMs: number): Promise<boolean>;
  /** From then on it counts nothing. Its history stays. False as above. */
  archive(id: BudgetId, atMs: number): Promise<boolean>;

  /** Those of the ids that were opened. */
  findWindows(ids: readonly string[]): Promise<readonly BudgetWindowRecord[]>;
  /** Latest first by (startsAt, subject). */
  listWindows(
    page: PageRequest,
    filter: {
      readonly budgetId: BudgetId;
      readonly subject?: string | undefined;
      /** Only windows that this instant is in. */
      readonly atMs?: number | undefined;
    },
  ): Promise<Page<BudgetWindowRecord>>;

  /** Of the window that the instant is in, for each subject that has one: those with the least left by what is spent first. */
  listFullest(
    page: PageRequest,
    filter: { readonly budget: Budget; readonly atMs: number },
  ): Promise<Page<BudgetWindowRecord>>;
  /** Of the same windows. Reads all of them. */
  countSubjects(budget: Budget, atMs: number): Promise<BudgetSpread>;

  /** From now on these count as lost until their holder is closed. */
  markLost(holder: LeaseHolder, atMs: number): Promise<void>;
  /** It lives after all, and goes on with what it has. */
  markFound(holder: LeaseHolder): Promise<void>;
}
