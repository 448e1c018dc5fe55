import type { Insertable } from "kysely";
import { ZERO_PICOS } from "../../core/money/picos.ts";
import {
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import { lackOf, type RefusalCount, type UsageEvent } from "../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../records.ts";
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
  "usage_unknown_calls",
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

type SumColumn = (typeof ROLLUP_SUMS)[number];
type RollupRow = Omit<Insertable<UsageRollupTable>, SumColumn> & Record<SumColumn, bigint>;

/** Adds events up to the rows that a batch brings to `usage_rollups`. */
export class UsageRollups {
  readonly #rows = new Map<string, RollupRow>();

  add(event: UsageEvent): void {
    const row = this.#rowOf(event);
    const cost = toMoneyColumns(event.costPicos ?? ZERO_PICOS);
    const price = toMoneyColumns(event.pricePicos ?? ZERO_PICOS);
    row.calls += 1n;
    if (event.status === "failed") row.failed_calls += 1n;
    if (event.status === "interrupted") row.interrupted_calls += 1n;
    if (event.status === "unknown") row.unknown_calls += 1n;
    if (event.usageSource === "estimated") row.estimated_calls += 1n;
    const lack = lackOf(event);
    if (lack === "price") row.unpriced_calls += 1n;
    if (lack === "usage") row.usage_unknown_calls += 1n;
    if (lack === "metering") row.unmetered_calls += 1n;
    row.input_tokens += BigInt(totalInputTokens(event.quantities));
    row.cached_input_tokens += BigInt(totalCachedInputTokens(event.quantities));
    row.output_tokens += BigInt(totalOutputTokens(event.quantities));
    row.reasoning_output_tokens += BigInt(event.quantities.reasoningOutput ?? 0);
    row.cost_micros += cost.micros;
    row.cost_rest_picos += cost.restPicos;
    row.price_micros += price.micros;
    row.price_rest_picos += price.restPicos;
  }

  /** What a correction changes in the hour of its event: the cost, and whether the call has one. */
  correct(event: UsageEvent, correction: CorrectionRecord): void {
    const row = this.#rowOf(event);
    const difference = toMoneyColumns(correction.differencePicos);
    row.cost_micros += difference.micros;
    row.cost_rest_picos += difference.restPicos;
    // What is corrected had a known usage, so what it lacked was a price.
    if (correction.previousPricing === "unpriced") row.unpriced_calls -= 1n;
  }

  /**
   * In the order of their keys: two processes that flush at once then lock the rows in the same order, so that neither
   * waits for the other in a circle.
   */
  rows(): readonly RollupRow[] {
    return inKeyOrder(this.#rows);
  }

  #rowOf(event: UsageEvent): RollupRow {
    const hourMs = hourOf(event.startedAtMs);
    const { projectId, environmentId, gatewayKeyId } = event;
    const customer = boundedName(event.customer) ?? "";
    const feature = boundedName(event.feature) ?? "";
    const model = modelOf(event) ?? "";
    const key = keyOf([hourMs, projectId, environmentId, gatewayKeyId, customer, feature, model]);
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = {
        hour_ms: hourMs,
        project_id: projectId,
        environment_id: environmentId,
        gateway_key_id: gatewayKeyId,
        customer,
        feature,
        model,
        ...NOTHING,
      };
      this.#rows.set(key, row);
    }
    return row;
  }
}

const NOTHING = Object.fromEntries(ROLLUP_SUMS.map((column) => [column, 0n])) as Record<
  SumColumn,
  bigint
>;

/** As the rows of `UsageRollups`, for the calls that Keyward refused. */
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

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / HOUR_MS) * HOUR_MS;
}

/** NUL cannot be in a part: `boundedText` saw to it. */
function keyOf(parts: readonly (string | number)[]): string {
  return parts.join("\u0000");
}

function inKeyOrder<Row>(rows: ReadonlyMap<string, Row>): readonly Row[] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
