import type { Insertable } from "kysely";
import { ZERO_PICOS } from "../../core/money/picos.ts";
import {
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import type { RefusalCount, UsageEvent } from "../../core/usage/usage-event.ts";
import { boundedName, boundedText } from "./bounded-text.ts";
import { toMoneyColumns } from "./money-columns.ts";
import type { RefusalRollupTable, UsageRollupTable } from "./tables.ts";
import { modelOf } from "./usage-event-row.ts";

export const HOUR_MS = 3_600_000;

/** The columns of a rollup that are added to; the others are its key. */
export const ROLLUP_SUMS = [
  "calls",
  "failed_calls",
  "interrupted_calls",
  "unknown_calls",
  "estimated_calls",
  "unpriced_calls",
  "unmetered_calls",
  "input_tokens",
  "cached_input_tokens",
  "output_tokens",
  "reasoning_output_tokens",
  "cost_micros",
  "cost_rest_picos",
  "price_micros",
  "price_rest_picos",
] as const satisfies readonly (keyof UsageRollupTable)[];

type RollupRow = Insertable<UsageRollupTable>;

/**
 * The rollup rows that these events add up to, in the order of their keys: two processes that flush at once then lock
 * the rows in the same order, so that neither waits for the other in a circle.
 */
export function rollUp(events: readonly UsageEvent[]): readonly RollupRow[] {
  const rows = new Map<string, RollupRow>();
  for (const event of events) {
    const row = rollUpOne(event);
    const key = keyOf([
      row.hour_ms,
      row.project_id,
      row.environment_id,
      row.gateway_key_id,
      row.customer,
      row.feature,
      row.model,
    ]);
    const sum = rows.get(key);
    rows.set(key, sum === undefined ? row : added(sum, row));
  }
  return inKeyOrder(rows);
}

/** As `rollUp`, for the calls that Keyward refused. */
export function rollUpRefusals(
  refusals: readonly RefusalCount[],
): readonly Insertable<RefusalRollupTable>[] {
  const rows = new Map<string, Insertable<RefusalRollupTable>>();
  for (const refusal of refusals) {
    const row = {
      hour_ms: hourOf(refusal.hourMs),
      code: boundedText(refusal.code),
      gateway_key_id: refusal.gatewayKeyId ?? "",
      customer: boundedName(refusal.customer) ?? "",
    };
    const key = keyOf([row.hour_ms, row.code, row.gateway_key_id, row.customer]);
    const before = BigInt(rows.get(key)?.count ?? 0);
    rows.set(key, { ...row, count: before + BigInt(refusal.count) });
  }
  return inKeyOrder(rows);
}

function rollUpOne(event: UsageEvent): RollupRow {
  const cost = toMoneyColumns(event.costPicos ?? ZERO_PICOS);
  const price = toMoneyColumns(event.pricePicos ?? ZERO_PICOS);
  return {
    hour_ms: hourOf(event.startedAtMs),
    project_id: event.projectId,
    environment_id: event.environmentId,
    gateway_key_id: event.gatewayKeyId,
    customer: boundedName(event.customer) ?? "",
    feature: boundedName(event.feature) ?? "",
    model: modelOf(event) ?? "",
    calls: 1n,
    failed_calls: one(event.status === "failed"),
    interrupted_calls: one(event.status === "interrupted"),
    unknown_calls: one(event.status === "unknown"),
    estimated_calls: one(event.usageSource === "estimated"),
    unpriced_calls: one(event.pricing === "unpriced"),
    unmetered_calls: one(event.pricing === "unmetered"),
    input_tokens: BigInt(totalInputTokens(event.quantities)),
    cached_input_tokens: BigInt(totalCachedInputTokens(event.quantities)),
    output_tokens: BigInt(totalOutputTokens(event.quantities)),
    reasoning_output_tokens: BigInt(event.quantities.reasoningOutput ?? 0),
    cost_micros: cost.micros,
    cost_rest_picos: cost.restPicos,
    price_micros: price.micros,
    price_rest_picos: price.restPicos,
  };
}

function added(sum: RollupRow, row: RollupRow): RollupRow {
  const result = { ...sum };
  for (const column of ROLLUP_SUMS) result[column] = BigInt(sum[column]) + BigInt(row[column]);
  return result;
}

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

function one(isCounted: boolean): bigint {
  return isCounted ? 1n : 0n;
}

/** NUL cannot be in a part: `boundedText` saw to it. */
function keyOf(parts: readonly (string | number | bigint)[]): string {
  return parts.join("\u0000");
}

function inKeyOrder<Row>(rows: ReadonlyMap<string, Row>): readonly Row[] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
