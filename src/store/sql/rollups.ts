import type { Insertable } from "kysely";
import { lackOf, type RefusalCount, type UsageEvent } from "../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../records.ts";
import { boundedName, boundedText } from "./bounded-text.ts";
import { toMoneyColumns } from "./money-columns.ts";
import type { RefusalRollupTable, UsageRollupTable } from "./tables.ts";
import { toEventRow, type UsageEventRow } from "./usage-event-row.ts";

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
type CallsColumn = Extract<SumColumn, "calls" | `${string}_calls`>;
type RollupRow = Omit<Insertable<UsageRollupTable>, SumColumn> &
  Record<CallsColumn, number> &
  Record<Exclude<SumColumn, CallsColumn>, bigint>;

/** Rows by the parts of their keys, a map inside the other: to join the parts takes longer than to walk along them. */
interface KeyTree {
  readonly branches: Map<string | number, KeyTree>;
  row: RollupRow | undefined;
}

/** Adds events up to the rows that a batch brings to `usage_rollups`. */
export class UsageRollups {
  readonly #rows = new Map<string, RollupRow>();
  readonly #tree: KeyTree = emptyTree();

  add(event: UsageEventRow): void {
    const row = this.#rowOf(event);
    row.calls += 1;
    if (event.status === "failed") row.failed_calls += 1;
    if (event.status === "interrupted") row.interrupted_calls += 1;
    if (event.status === "unknown") row.unknown_calls += 1;
    if (event.usage_source === "estimated") row.estimated_calls += 1;
    const lack = lackOf({ pricing: event.pricing, usageSource: event.usage_source });
    if (lack === "price") row.unpriced_calls += 1;
    if (lack === "usage") row.usage_unknown_calls += 1;
    if (lack === "metering") row.unmetered_calls += 1;
    row.input_tokens += BigInt(event.input_tokens);
    row.cached_input_tokens += BigInt(event.cached_input_tokens);
    row.output_tokens += BigInt(event.output_tokens);
    row.reasoning_output_tokens += BigInt(event.reasoning_output_tokens);
    row.cost_micros += event.cost_micros ?? 0n;
    row.cost_rest_picos += event.cost_rest_picos ?? 0n;
    row.price_micros += event.price_micros ?? 0n;
    row.price_rest_picos += event.price_rest_picos ?? 0n;
  }

  /** What a correction changes in the hour of its event: the cost, and whether the call has one. */
  correct(event: UsageEvent, correction: CorrectionRecord): void {
    const row = this.#rowOf(toEventRow(event));
    const difference = toMoneyColumns(correction.differencePicos);
    row.cost_micros += difference.micros;
    row.cost_rest_picos += difference.restPicos;
    // What is corrected had a known usage, so what it lacked was a price.
    if (correction.previousPricing === "unpriced") row.unpriced_calls -= 1;
  }

  /**
   * In the order of their keys: two processes that flush at once then lock the rows in the same order, so that neither
   * waits for the other in a circle.
   */
  rows(): readonly RollupRow[] {
    return inKeyOrder(this.#rows);
  }

  #rowOf(event: UsageEventRow): RollupRow {
    const hour_ms = hourOf(event.started_at_ms);
    const { project_id, environment_id, gateway_key_id } = event;
    const customer = event.customer ?? "";
    const feature = event.feature ?? "";
    const model = event.model ?? "";
    const parts = [hour_ms, project_id, environment_id, gateway_key_id, customer, feature, model];
    let tree = this.#tree;
    for (const part of parts) tree = branchOf(tree, part);
    if (tree.row === undefined) {
      tree.row = {
        hour_ms,
        project_id,
        environment_id,
        gateway_key_id,
        customer,
        feature,
        model,
        ...NOTHING,
      };
      this.#rows.set(keyOf(parts), tree.row);
    }
    return tree.row;
  }
}

function emptyTree(): KeyTree {
  return { branches: new Map(), row: undefined };
}

function branchOf({ branches }: KeyTree, part: string | number): KeyTree {
  let branch = branches.get(part);
  if (branch === undefined) {
    branch = emptyTree();
    branches.set(part, branch);
  }
  return branch;
}

const NOTHING = Object.fromEntries(
  ROLLUP_SUMS.map((column) => [column, column.endsWith("calls") ? 0 : 0n]),
) as Pick<RollupRow, SumColumn>;

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
