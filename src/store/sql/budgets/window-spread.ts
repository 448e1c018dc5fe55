import { type Kysely, type RawBuilder, sql } from "kysely";
import { type Budget, limitAt } from "../../../core/budgets/budget.ts";
import { windowAt } from "../../../core/budgets/periods.ts";
import { ZERO_PICOS } from "../../../core/money/picos.ts";
import {
  type BudgetSpread,
  type BudgetWindowRecord,
  NEAR_PERCENT,
} from "../../budget-repository.ts";
import type { Page, PageRequest } from "../../store.ts";
import { formatCursor, parseCursor } from "../cursor.ts";
import { toMoneyColumns } from "../money-columns.ts";
import { checkedLimit, cutPage } from "../page.ts";
import type { Tables } from "../tables.ts";
import { withRest } from "./window-list.ts";

const LIST = "fullestWindows";
const PICOS_A_MICRO = 1_000_000;

/** An amount in a statement. The rest may be more than a micro-dollar: `ordered` carries it over. */
interface Amount {
  readonly micros: RawBuilder<unknown>;
  readonly rest: RawBuilder<unknown>;
}

/** Each window has the budget's own limit; where one rolls over, with what it was left. */
export async function listFullest(
  db: Kysely<Tables>,
  page: PageRequest,
  { budget, atMs }: { readonly budget: Budget; readonly atMs: number },
): Promise<Page<BudgetWindowRecord>> {
  // To the micro-dollar; below that the name decides.
  const fullness = sql<bigint>`(spent_micros - carried_micros)`;
  let rows = db
    .selectFrom("budget_windows")
    .selectAll()
    .select(fullness.as("fullness"))
    .where("budget_id", "=", budget.id)
    .where("starts_at_ms", "=", BigInt(windowAt(budget, atMs).startsAtMs))
    .orderBy(fullness, "desc")
    .orderBy("subject", "desc")
    .limit(checkedLimit(page) + 1);
  if (page.cursor !== undefined) {
    const [last, subject] = parseCursor(LIST, ["number", "string"], page.cursor);
    rows = rows.where(sql<boolean>`(${fullness}, subject) < (${last}, ${subject})`);
  }
  const found = cutPage(await rows.execute(), page, {
    toItem: (row) => row,
    cursorAfter: (row) => formatCursor(LIST, [Number(row.fullness), row.subject]),
  });
  return { rows: await withRest(db, found.rows), nextCursor: found.nextCursor };
}

export async function countSubjects(
  db: Kysely<Tables>,
  budget: Budget,
  atMs: number,
): Promise<BudgetSpread> {
  const limit = limitOf(budget, atMs);
  const spent = { micros: sql`spent_micros`, rest: sql`spent_rest_picos` };
  const taken = {
    micros: sql`(spent_micros + leased_micros)`,
    rest: sql`(spent_rest_picos + leased_rest_picos)`,
  };
  const isNear = sql`${ordered(spent, 100)} >= ${ordered(limit, NEAR_PERCENT)}`;
  const isUsedUp = sql`${ordered(taken, 1)} >= ${ordered(limit, 1)}`;
  const { subjects, near, used_up } = await db
    .selectFrom("budget_windows")
    .select((select) => select.fn.countAll<bigint>().as("subjects"))
    .select(sql<bigint | null>`sum(case when ${isNear} then 1 else 0 end)`.as("near"))
    .select(sql<bigint | null>`sum(case when ${isUsedUp} then 1 else 0 end)`.as("used_up"))
    .where("budget_id", "=", budget.id)
    .where("starts_at_ms", "=", BigInt(windowAt(budget, atMs).startsAtMs))
    .executeTakeFirstOrThrow();
  return { subjects: Number(subjects), near: Number(near ?? 0), usedUp: Number(used_up ?? 0) };
}

/** As `limitAt` has it, of each row: what was carried over counts up to the limit once more. */
function limitOf(budget: Budget, atMs: number): Amount {
  const base = toMoneyColumns(limitAt(budget, ZERO_PICOS, atMs));
  const most = toMoneyColumns(budget.limitPicos);
  const isMore = sql`(carried_micros, carried_rest_picos) > (${most.micros}, ${most.restPicos})`;
  const carried = {
    micros: sql`case when ${isMore} then ${most.micros} else carried_micros end`,
    rest: sql`case when ${isMore} then ${most.restPicos} else carried_rest_picos end`,
  };
  return {
    micros: sql`(${base.micros} + ${carried.micros})`,
    rest: sql`(${base.restPicos} + ${carried.rest})`,
  };
}

/** The amount so many times, as a row that compares as amounts do. */
function ordered({ micros, rest }: Amount, times: number): RawBuilder<unknown> {
  const factor = sql.lit(times);
  const unit = sql.lit(PICOS_A_MICRO);
  return sql`(${micros} * ${factor} + ${rest} * ${factor} / ${unit}, ${rest} * ${factor} % ${unit})`;
}
