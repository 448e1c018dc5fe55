import { type Budget, limitAt } from "../../core/budgets/budget.ts";
import { MAX_PAGE_SIZE, type Store } from "../../store/store.ts";
import type { BudgetUsage, BudgetUsageSource } from "./budget-findings.ts";

/** Windows of one budget that are looked at; a budget for each customer has as many as there are customers. */
const MAX_WINDOWS = 100_000;

/** The budgets of the store, as alerts look at them: current windows, and limits with what holds at the time. */
export function createBudgetUsageSource(
  budgets: Pick<Store["budgets"], "listActive" | "listWindows">,
): BudgetUsageSource {
  return {
    async *list(nowMs) {
      for (const budget of await budgets.listActive()) {
        if (budget.pausedAtMs === null) yield* windowsOf(budgets, budget, nowMs);
      }
    },
  };
}

async function* windowsOf(
  budgets: Pick<Store["budgets"], "listWindows">,
  budget: Budget,
  nowMs: number,
): AsyncIterable<BudgetUsage> {
  const { id: budgetId, name, scope, enforcement } = budget;
  let cursor: string | undefined;
  for (let read = 0; read < MAX_WINDOWS; read += MAX_PAGE_SIZE) {
    const page = await budgets.listWindows(
      { limit: MAX_PAGE_SIZE, cursor },
      { budgetId, atMs: nowMs },
    );
    for (const window of page.rows) {
      const { subject, spentPicos, leasedPicos, startsAtMs, endsAtMs, refusedCalls } = window;
      yield {
        budgetId,
        name: name ?? budgetId,
        subject: { kind: scope.kind, id: subject },
        isHard: enforcement === "hard",
        spentPicos,
        limitPicos: limitAt(budget, window.carriedPicos, nowMs),
        heldPicos: leasedPicos,
        // It may have been hard before.
        refusedCalls: enforcement === "hard" ? refusedCalls : 0,
        startsAtMs,
        endsAtMs,
      };
    }
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}
