import type { Insertable, Kysely } from "kysely";
import type { RefusalCount } from "../../../core/usage/usage-event.ts";
import type { BudgetRefusalTable } from "../alert-tables.ts";
import type { Tables } from "../tables.ts";

export const ADD_TO_BUDGET_REFUSALS = `on conflict (window_id)
  do update set count = budget_refusals.count + excluded.count`;

/**
 * What a batch adds to the refusals of windows, in the order of their keys, as every transaction locks them. A table of
 * its own: who counts refusals does not wait for who lends from the window.
 */
export function rollUpBudgetRefusals(
  refusals: readonly RefusalCount[],
): readonly Insertable<BudgetRefusalTable>[] {
  const counts = new Map<string, number>();
  for (const { budgetWindowId, count } of refusals) {
    if (budgetWindowId === undefined) continue;
    counts.set(budgetWindowId, (counts.get(budgetWindowId) ?? 0) + count);
  }
  return [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([window_id, count]) => ({ window_id, count }));
}

/** Of these windows, those that have refused calls. */
export async function readBudgetRefusals(
  db: Kysely<Tables>,
  windowIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("budget_refusals")
    .selectAll()
    .where("window_id", "in", windowIds)
    .execute();
  return new Map(rows.map(({ window_id, count }) => [window_id, Number(count)]));
}
