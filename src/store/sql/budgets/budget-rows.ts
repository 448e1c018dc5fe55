import type { Insertable, Kysely, Selectable } from "kysely";
import type { Budget, BudgetIncrease } from "../../../core/budgets/budget.ts";
import type { BudgetId } from "../../../core/ids/ids.ts";
import { fromMoneyColumns, toMoneyColumns } from "../money-columns.ts";
import type { BudgetIncreaseTable, BudgetTable, Tables } from "../tables.ts";

/** Ids in one statement: far below what either database takes as parameters. */
const MAX_IDS = 1000;

export function toBudgetRow(budget: Budget): Insertable<BudgetTable> {
  const limit = toMoneyColumns(budget.limitPicos);
  return {
    id: budget.id,
    name: budget.name,
    scope_kind: budget.scope.kind,
    scope_id: budget.scope.id,
    measure: budget.measure,
    models: budget.models === null ? null : JSON.stringify(budget.models),
    period: budget.period,
    time_zone: budget.timeZone,
    anchor: budget.anchor,
    rolls_over: budget.rollsOver ? 1 : 0,
    limit_micros: limit.micros,
    limit_rest_picos: limit.restPicos,
    enforcement: budget.enforcement,
    on_tight_budget: budget.onTightBudget,
    paused_at_ms: budget.pausedAtMs,
    archived_at_ms: budget.archivedAtMs,
    created_by: budget.createdBy,
    created_at_ms: budget.createdAtMs,
  };
}

export function toIncreaseRow(
  budgetId: BudgetId,
  increase: BudgetIncrease,
): Insertable<BudgetIncreaseTable> {
  const amount = toMoneyColumns(increase.amountPicos);
  return {
    id: increase.id,
    budget_id: budgetId,
    amount_micros: amount.micros,
    amount_rest_picos: amount.restPicos,
    from_ms: increase.fromMs,
    until_ms: increase.untilMs,
    reason: increase.reason,
    created_by: increase.createdBy,
    created_at_ms: increase.createdAtMs,
  };
}

/** The rows as budgets, in their order, with their increases. */
export async function withIncreases(
  db: Kysely<Tables>,
  rows: readonly Selectable<BudgetTable>[],
): Promise<readonly Budget[]> {
  const increases = new Map<BudgetId, BudgetIncrease[]>();
  for (let start = 0; start < rows.length; start += MAX_IDS) {
    const ids = rows.slice(start, start + MAX_IDS).map(({ id }) => id);
    const found = await db
      .selectFrom("budget_increases")
      .selectAll()
      .where("budget_id", "in", ids)
      .orderBy("id")
      .execute();
    for (const row of found) {
      const ofBudget = increases.get(row.budget_id) ?? [];
      ofBudget.push(fromIncreaseRow(row));
      increases.set(row.budget_id, ofBudget);
    }
  }
  return rows.map((row) => fromBudgetRow(row, increases.get(row.id) ?? []));
}

function fromBudgetRow(row: Selectable<BudgetTable>, increases: readonly BudgetIncrease[]): Budget {
  return {
    id: row.id,
    name: row.name,
    scope: { kind: row.scope_kind, id: row.scope_id },
    measure: row.measure,
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    period: row.period,
    timeZone: row.time_zone,
    anchor: row.anchor,
    rollsOver: row.rolls_over === 1n,
    limitPicos: fromMoneyColumns(row.limit_micros, row.limit_rest_picos),
    enforcement: row.enforcement,
    onTightBudget: row.on_tight_budget,
    pausedAtMs: row.paused_at_ms === null ? null : Number(row.paused_at_ms),
    archivedAtMs: row.archived_at_ms === null ? null : Number(row.archived_at_ms),
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
    increases,
  };
}

function fromIncreaseRow(row: Selectable<BudgetIncreaseTable>): BudgetIncrease {
  return {
    id: row.id,
    amountPicos: fromMoneyColumns(row.amount_micros, row.amount_rest_picos),
    fromMs: Number(row.from_ms),
    untilMs: Number(row.until_ms),
    reason: row.reason,
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
  };
}
