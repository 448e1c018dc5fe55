import type { Budget } from "../../core/budgets/budget.ts";
import { isId } from "../../core/ids/ids.ts";
import type { AdminDeps } from "../admin-deps.ts";
import { formatBudgets } from "../budget-standing.ts";
import { idParam } from "../fields/names.ts";
import { NameLookup } from "../name-lookup.ts";
import type { BudgetAnswer } from "./budget-schemas.ts";

export type BudgetDeps = Pick<AdminDeps, "store" | "ids" | "clock">;

export const ID_PARAM = idParam("bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D");

export const NOT_FOUND = "There is no budget of this id; `keyward budgets list` has them.";
export const ARCHIVED = "The budget is archived, which can't be undone. Create another one.";

export async function findBudget({ store }: BudgetDeps, id: string): Promise<Budget | undefined> {
  return isId("bud", id) ? store.budgets.findById(id) : undefined;
}

export function formatAll(
  { store, clock }: BudgetDeps,
  budgets: readonly Budget[],
): Promise<BudgetAnswer[]> {
  const names = new NameLookup(store);
  return formatBudgets({ store, names, nowMs: clock.nowMs() }, budgets);
}

export async function formatOne(deps: BudgetDeps, budget: Budget): Promise<BudgetAnswer> {
  const [answer] = await formatAll(deps, [budget]);
  if (answer === undefined) throw new Error(`budget ${budget.id} was not formatted`);
  return answer;
}

/** Read anew, after a change. */
export async function formatAgain(deps: BudgetDeps, { id }: Budget): Promise<BudgetAnswer> {
  const budget = await deps.store.budgets.findById(id);
  if (budget === undefined) throw new Error(`budget ${id} is gone, and budgets are never removed`);
  return formatOne(deps, budget);
}
