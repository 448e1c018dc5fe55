import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import {
  InvalidCursorError,
  type Page,
  type PageRequest,
  type SummaryDimension,
  type SummaryRequest,
  type SummaryRow,
} from "../store.ts";
import { boundedText } from "./bounded-text.ts";
import { type CursorKey, formatCursor, parseCursor } from "./cursor.ts";
import { fromMoneyColumns } from "./money-columns.ts";
import { checkedLimit, cutPage } from "./page.ts";
import { HOUR_MS, ROLLUP_SUMS } from "./rollups.ts";
import type { Tables } from "./tables.ts";

/** What a dimension is in a rollup. Only names from here reach the text of a statement. */
const EXPRESSIONS: Readonly<Record<SummaryDimension, string>> = {
  project: "project_id",
  environment: "environment_id",
  customer: "customer",
  feature: "feature",
  model: "model",
  key: "gateway_key_id",
  hour: "hour_ms",
  day: "(hour_ms - hour_ms % 86400000)",
};

type SumColumn = (typeof ROLLUP_SUMS)[number];
type SumRow = Readonly<Record<SumColumn, bigint | null>> &
  Readonly<Partial<Record<`by_${SummaryDimension}`, string | bigint>>>;

/**
 * Sums over the hourly rollups. The range of hours, a customer or a key is found by index; the rows within it are
 * read and grouped for each page.
 */
export async function summarize(
  db: Kysely<Tables>,
  page: PageRequest,
  request: SummaryRequest,
): Promise<Page<SummaryRow>> {
  const groupBy = checkedDimensions(request.groupBy);
  const list = `usageSummary:${groupBy.join(",")}`;
  const limit = checkedLimit(page);
  let rows = matching(db, request).select(
    ROLLUP_SUMS.map((column) =>
      sql<bigint | null>`cast(sum(${sql.ref(column)}) as bigint)`.as(column),
    ),
  );
  for (const dimension of groupBy) {
    const expression = sql<string | bigint>`${sql.raw(EXPRESSIONS[dimension])}`;
    rows = rows
      .select(expression.as(`by_${dimension}`))
      .groupBy(expression)
      .orderBy(expression);
  }
  if (page.cursor !== undefined) rows = rows.where(after(list, groupBy, page.cursor));
  const found = (await rows.limit(limit + 1).execute()) as readonly SumRow[];
  return cutPage(found, page, {
    toItem: (row) => toSummaryRow(groupBy, row),
    cursorAfter: (row) => formatCursor(list, groupKey(groupBy, row)),
  });
}

function matching(
  db: Kysely<Tables>,
  request: SummaryRequest,
): SelectQueryBuilder<Tables, "usage_rollups", object> {
  let rows: SelectQueryBuilder<Tables, "usage_rollups", object> = db.selectFrom("usage_rollups");
  const { fromMs, toMs, filter = {} } = request;
  if (fromMs !== undefined) {
    rows = rows.where("hour_ms", ">=", BigInt(Math.floor(fromMs / HOUR_MS) * HOUR_MS));
  }
  if (toMs !== undefined) {
    rows = rows.where("hour_ms", "<", BigInt(Math.ceil(toMs / HOUR_MS) * HOUR_MS));
  }
  if (filter.projectId !== undefined) rows = rows.where("project_id", "=", filter.projectId);
  if (filter.environmentId !== undefined) {
    rows = rows.where("environment_id", "=", filter.environmentId);
  }
  if (filter.gatewayKeyId !== undefined) {
    rows = rows.where("gateway_key_id", "=", filter.gatewayKeyId);
  }
  for (const name of ["customer", "feature", "model"] as const) {
    const value = filter[name];
    if (value !== undefined) rows = rows.where(name, "=", boundedText(value));
  }
  return rows;
}

/** `(customer, model) > ('…', '…')`, for the groups that come after the cursor's. */
function after(
  list: string,
  groupBy: readonly SummaryDimension[],
  cursor: string,
): RawBuilder<boolean> {
  const shape = groupBy.map((dimension) => (isTime(dimension) ? "number" : "string"));
  const key = parseCursor(list, shape, cursor);
  if (groupBy.length === 0) throw new InvalidCursorError("a total has one page only");
  const expressions = groupBy.map((dimension) => sql.raw(EXPRESSIONS[dimension]));
  const values = key.map((part) => sql`${typeof part === "number" ? BigInt(part) : part}`);
  return sql<boolean>`(${sql.join(expressions)}) > (${sql.join(values)})`;
}

function toSummaryRow(groupBy: readonly SummaryDimension[], row: SumRow): SummaryRow {
  const group: Partial<Record<SummaryDimension, string | number | null>> = {};
  for (const [index, part] of groupKey(groupBy, row).entries()) {
    const dimension = groupBy[index] as SummaryDimension;
    group[dimension] = part === "" ? null : part;
  }
  const count = (column: SumColumn): number => Number(row[column] ?? 0n);
  return {
    group,
    calls: count("calls"),
    failedCalls: count("failed_calls"),
    interruptedCalls: count("interrupted_calls"),
    unknownCalls: count("unknown_calls"),
    estimatedCalls: count("estimated_calls"),
    unpricedCalls: count("unpriced_calls"),
    usageUnknownCalls: count("usage_unknown_calls"),
    unmeteredCalls: count("unmetered_calls"),
    inputTokens: count("input_tokens"),
    cachedInputTokens: count("cached_input_tokens"),
    outputTokens: count("output_tokens"),
    reasoningOutputTokens: count("reasoning_output_tokens"),
    costPicos: fromMoneyColumns(row.cost_micros ?? 0n, row.cost_rest_picos ?? 0n),
    pricePicos: fromMoneyColumns(row.price_micros ?? 0n, row.price_rest_picos ?? 0n),
  };
}

function groupKey(groupBy: readonly SummaryDimension[], row: SumRow): CursorKey {
  return groupBy.map((dimension) => {
    const part = row[`by_${dimension}`] ?? "";
    return typeof part === "bigint" ? Number(part) : part;
  });
}

function checkedDimensions(groupBy: readonly SummaryDimension[]): readonly SummaryDimension[] {
  if (new Set(groupBy).size !== groupBy.length) {
    throw new RangeError("a summary names each dimension once");
  }
  if (groupBy.includes("hour") && groupBy.includes("day")) {
    throw new RangeError("a summary is by hour or by day, not both");
  }
  return groupBy;
}

function isTime(dimension: SummaryDimension): boolean {
  return dimension === "hour" || dimension === "day";
}
