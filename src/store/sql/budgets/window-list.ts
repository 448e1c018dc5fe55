import { type Kysely, type Selectable, sql } from "kysely";
import { type Picos, picos, ZERO_PICOS } from "../../../core/money/picos.ts";
import type { BudgetRepository, BudgetWindowRecord } from "../../budget-repository.ts";
import type { Page, PageRequest } from "../../store.ts";
import { boundedText } from "../bounded-text.ts";
import { formatCursor, parseCursor } from "../cursor.ts";
import { fromMoneyColumns } from "../money-columns.ts";
import { checkedLimit, cutPage } from "../page.ts";
import type { BudgetWindowTable, Tables } from "../tables.ts";
import { readBudgetRefusals } from "./refusals.ts";
import { amountsOf } from "./windows.ts";

const LIST = "budgetWindows";
const MAX_IDS = 1000;

export async function readWindows(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<readonly BudgetWindowRecord[]> {
  const found: BudgetWindowRecord[] = [];
  for (let start = 0; start < ids.length; start += MAX_IDS) {
    const rows = await db
      .selectFrom("budget_windows")
      .selectAll()
      .where("id", "in", ids.slice(start, start + MAX_IDS))
      .execute();
    found.push(...(await withRest(db, rows)));
  }
  return found;
}

export async function listWindows(
  db: Kysely<Tables>,
  page: PageRequest,
  filter: Parameters<BudgetRepository["listWindows"]>[1],
): Promise<Page<BudgetWindowRecord>> {
  let rows = db
    .selectFrom("budget_windows")
    .selectAll()
    .where("budget_id", "=", filter.budgetId)
    .orderBy("starts_at_ms", "desc")
    .orderBy("subject", "desc")
    .limit(checkedLimit(page) + 1);
  if (filter.subject !== undefined) rows = rows.where("subject", "=", boundedText(filter.subject));
  if (filter.atMs !== undefined) {
    rows = rows.where(sql<boolean>`starts_at_ms <= ${filter.atMs}
      and (ends_at_ms is null or ends_at_ms > ${filter.atMs})`);
  }
  if (page.cursor !== undefined) {
    const [startsAtMs, subject] = parseCursor(LIST, ["number", "string"], page.cursor);
    rows = rows.where(sql<boolean>`(starts_at_ms, subject) < (${startsAtMs}, ${subject})`);
  }
  const found = cutPage(await rows.execute(), page, {
    toItem: (row) => row,
    cursorAfter: (row) => formatCursor(LIST, [Number(row.starts_at_ms), row.subject]),
  });
  return { rows: await withRest(db, found.rows), nextCursor: found.nextCursor };
}

/** With what is kept of windows elsewhere. */
export async function withRest(
  db: Kysely<Tables>,
  rows: readonly Selectable<BudgetWindowTable>[],
): Promise<readonly BudgetWindowRecord[]> {
  if (rows.length === 0) return [];
  const lost = new Map<string, bigint>();
  const leases = await db
    .selectFrom("budget_leases")
    .select(["window_id", "leased_micros", "leased_rest_picos"])
    .where("lost_at_ms", "is not", null)
    .where(
      "window_id",
      "in",
      rows.map(({ id }) => id),
    )
    .execute();
  for (const lease of leases) {
    const amount = fromMoneyColumns(lease.leased_micros, lease.leased_rest_picos);
    lost.set(lease.window_id, (lost.get(lease.window_id) ?? 0n) + amount);
  }
  const refused = await readBudgetRefusals(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    ...toRecord(row, picos(lost.get(row.id) ?? ZERO_PICOS)),
    refusedCalls: refused.get(row.id) ?? 0,
  }));
}

function toRecord(
  row: Selectable<BudgetWindowTable>,
  lostPicos: Picos,
): Omit<BudgetWindowRecord, "refusedCalls"> {
  return {
    id: row.id,
    budgetId: row.budget_id,
    subject: row.subject,
    startsAtMs: Number(row.starts_at_ms),
    endsAtMs: row.ends_at_ms === null ? null : Number(row.ends_at_ms),
    ...amountsOf(row),
    lostPicos,
  };
}
