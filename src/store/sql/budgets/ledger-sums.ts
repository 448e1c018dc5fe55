import { sql } from "kysely";
import { modelTestOf } from "../../../core/budgets/budget-rules.ts";
import type { Budget } from "../../../core/budgets/budget.ts";
import type { PeriodWindow } from "../../../core/budgets/periods.ts";
import { type Picos, picos } from "../../../core/money/picos.ts";
import type { ScopeKind } from "../../../core/scopes/scope.ts";
import { boundedText } from "../bounded-text.ts";
import type { BulkTarget } from "../bulk-insert.ts";
import { fromMoneyColumns } from "../money-columns.ts";

/** Where an event says whose call it was. The organization's is everybody's. */
const SUBJECT_COLUMNS: Readonly<Record<ScopeKind, string>> = {
  organization: "''",
  project: "e.project_id",
  environment: "e.environment_id",
  key: "e.gateway_key_id",
  customer: "e.customer",
  feature: "e.feature",
  providerAccount: "e.provider_account_id",
};

/** What the ledger has for each of the budget's subjects in a window: what `countedAmount` and corrections come to. */
export async function sumLedger(
  { db }: Pick<BulkTarget, "db">,
  budget: Budget,
  window: PeriodWindow,
): Promise<ReadonlyMap<string, Picos>> {
  const conditions = conditionsOf(budget, window);
  const subject = sql.raw(SUBJECT_COLUMNS[budget.scope.kind]);
  // Databases differ in what they take for the same letter, so it is not they that compare names.
  const model = sql.raw(budget.models === null ? "null" : "e.requested_model");
  const isForModel = modelTestOf(budget);
  const events = await sql<SumRow>`
    select ${subject} as subject, ${model} as model,
      cast(sum(${counted(budget, "micros")}) as bigint) as micros,
      cast(sum(${counted(budget, "rest_picos")}) as bigint) as rest_picos
    from usage_events e where ${conditions} group by 1, 2`.execute(db);
  const corrections = await sql<SumRow>`
    select ${subject} as subject, ${model} as model,
      cast(sum(${corrected(budget, "micros")}) as bigint) as micros,
      cast(sum(${corrected(budget, "rest_picos")}) as bigint) as rest_picos
    from usage_corrections c join usage_events e on e.id = c.event_id
    where ${conditions} group by 1, 2`.execute(db);
  const sums = new Map<string, Picos>();
  for (const row of [...events.rows, ...corrections.rows]) {
    if (!isForModel(row.model)) continue;
    const before = sums.get(row.subject) ?? 0n;
    sums.set(row.subject, picos(before + fromMoneyColumns(row.micros, row.rest_picos)));
  }
  return sums;
}

interface SumRow {
  readonly subject: string;
  readonly model: string | null;
  readonly micros: bigint;
  readonly rest_picos: bigint;
}

type Half = "micros" | "rest_picos";

function counted({ measure }: Budget, half: Half) {
  const cost = `e.cost_${half}, e.hold_${half}, 0`;
  return sql.raw(measure === "cost" ? `coalesce(${cost})` : `coalesce(e.price_${half}, ${cost})`);
}

/** A first cost takes the place of what was held. A price that is known is not corrected with the cost. */
function corrected({ measure }: Budget, half: Half) {
  const change = `case when c.previous_cost_micros is null
    then c.cost_${half} - coalesce(e.hold_${half}, 0) else c.difference_${half} end`;
  return sql.raw(
    measure === "cost" ? change : `case when e.price_micros is null then ${change} else 0 end`,
  );
}

function conditionsOf(budget: Budget, window: PeriodWindow) {
  const column = SUBJECT_COLUMNS[budget.scope.kind];
  const conditions = [sql`e.started_at_ms >= ${window.startsAtMs}`];
  if (window.endsAtMs !== null) conditions.push(sql`e.started_at_ms < ${window.endsAtMs}`);
  if (budget.scope.id !== null) {
    conditions.push(sql`${sql.raw(column)} = ${boundedText(budget.scope.id)}`);
  } else if (budget.scope.kind !== "organization") {
    conditions.push(sql`${sql.raw(column)} is not null`);
  }
  return sql.join(conditions, sql` and `);
}
