import { type Kysely, sql } from "kysely";
import type { EnvironmentId, GatewayKeyId } from "../../core/ids/ids.ts";
import { WARNED_SUFFIX } from "../../core/policy/call-policy.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import {
  type EventBatch,
  type EventFilter,
  type KeyRefusals,
  MAX_PAGE_SIZE,
  type Page,
  type PageRequest,
  type SummaryRequest,
  type SummaryRow,
  type UsageRepository,
} from "../store.ts";
import { boundedText } from "./bounded-text.ts";
import { ADD_TO_BUDGET_REFUSALS, rollUpBudgetRefusals } from "./budgets/refusals.ts";
import { type BulkTarget, insertRows, partsOf } from "./bulk-insert.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { KEEP_LATEST_USE, type KeyUse } from "./key-use-notes.ts";
import { checkedLimit, cutPage } from "./page.ts";
import { HOUR_MS, rollUpRefusals } from "./rollups.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";
import { fromEventRow } from "./usage-event-row.ts";
import { summarize } from "./usage-summary.ts";
import { writeEvents } from "./write-events.ts";

const EVENT_LIST = "usageEvents";

export class SqlUsageRepository implements UsageRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insertBatch(batch: EventBatch): Promise<{ readonly inserted: number }> {
    if (batch.events.length === 0 && batch.refusals.length === 0) return { inserted: 0 };
    const { write, keyUses } = this.#connections;
    const uses = keyUses.dueOf(batch.events);
    const work = (db: Kysely<Tables>) => writeBatch({ ...this.#connections, db }, batch, uses);
    if (write.isTransaction) return await work(write);
    const written = await write.transaction().execute(work);
    keyUses.noted(uses);
    return written;
  }

  async listEvents(page: PageRequest, filter: EventFilter = {}): Promise<Page<UsageEvent>> {
    const limit = checkedLimit(page);
    let rows = this.#connections.read
      .selectFrom("usage_events")
      .selectAll()
      .orderBy("started_at_ms", "desc")
      .orderBy("id", "desc")
      .limit(limit + 1);
    if (filter.projectId !== undefined) rows = rows.where("project_id", "=", filter.projectId);
    if (filter.environmentId !== undefined) {
      rows = rows.where("environment_id", "=", filter.environmentId);
    }
    if (filter.gatewayKeyId !== undefined) {
      rows = rows.where("gateway_key_id", "=", filter.gatewayKeyId);
    }
    if (filter.clientTokenId !== undefined) {
      rows = rows.where("client_token_id", "=", filter.clientTokenId);
    }
    for (const name of ["customer", "feature", "model"] as const) {
      const value = filter[name];
      if (value !== undefined) rows = rows.where(name, "=", boundedText(value));
    }
    if (filter.status !== undefined) {
      rows = rows.where("status", "=", filter.status);
      // The condition of that index, in the words in which the databases know it again.
      if (filter.status !== "succeeded") rows = rows.where(sql<boolean>`status <> 'succeeded'`);
    }
    if (filter.requestId !== undefined) {
      rows = rows.where(sql<boolean>`request_id = ${filter.requestId}`);
    }
    if (filter.fromMs !== undefined)
      rows = rows.where("started_at_ms", ">=", BigInt(Math.ceil(filter.fromMs)));

    let beforeMs = filter.toMs;
    if (page.cursor !== undefined) {
      const key = parseCursor(EVENT_LIST, ["number", "string"], page.cursor);
      const [startedAtMs, id] = key as readonly [number, string];
      // One upper bound only, the lower of the two: with both, SQLite may start the scan at the wrong one.
      if (beforeMs === undefined || startedAtMs < beforeMs) {
        beforeMs = undefined;
        rows = rows.where(sql<boolean>`(started_at_ms, id) < (${startedAtMs}, ${id})`);
      }
    }
    if (beforeMs !== undefined)
      rows = rows.where("started_at_ms", "<", BigInt(Math.ceil(beforeMs)));
    return cutPage(await rows.execute(), page, {
      toItem: fromEventRow,
      cursorAfter: (row) => formatCursor(EVENT_LIST, [Number(row.started_at_ms), row.id]),
    });
  }

  async summarize(page: PageRequest, request: SummaryRequest): Promise<Page<SummaryRow>> {
    return await summarize(this.#connections.read, page, request);
  }

  async summarizeRefusals(
    range: Parameters<UsageRepository["summarizeRefusals"]>[0],
  ): Promise<readonly { readonly code: string; readonly count: number }[]> {
    let rows = this.#connections.read
      .selectFrom("refusal_rollups")
      .select(["code", sql<bigint>`cast(sum(count) as bigint)`.as("count")])
      .where(sql<boolean>`code not like ${`%${WARNED_SUFFIX}`}`)
      .groupBy("code")
      .orderBy("code");
    const { fromMs, toMs } = range;
    if (fromMs !== undefined) {
      rows = rows.where("hour_ms", ">=", BigInt(Math.floor(fromMs / HOUR_MS) * HOUR_MS));
    }
    if (toMs !== undefined) {
      rows = rows.where("hour_ms", "<", BigInt(Math.ceil(toMs / HOUR_MS) * HOUR_MS));
    }
    const found = await rows.execute();
    return found.map((row) => ({ code: row.code, count: Number(row.count) }));
  }

  async countRefusalsByKey(
    codes: readonly string[],
    fromMs: number,
    environmentId?: EnvironmentId,
  ): Promise<readonly KeyRefusals[]> {
    const { read } = this.#connections;
    let counts = read
      .selectFrom("refusal_rollups")
      .select(["code", "gateway_key_id", sql<bigint>`cast(sum(count) as bigint)`.as("count")])
      .where("hour_ms", ">=", BigInt(Math.floor(fromMs / HOUR_MS) * HOUR_MS))
      .where("code", "in", codes)
      .where("gateway_key_id", "!=", "");
    if (environmentId !== undefined) {
      const own = read
        .selectFrom("gateway_keys")
        .select("id")
        .where("environment_id", "=", environmentId);
      // A rollup's key is text: it may be of a key that was never there.
      counts = counts.where("gateway_key_id", "in", own);
    }
    const found = await counts
      .groupBy(["code", "gateway_key_id"])
      .orderBy("code")
      .orderBy("gateway_key_id")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return found.map(toKeyRefusals);
  }
}

function toKeyRefusals(row: {
  readonly code: string;
  readonly gateway_key_id: string;
  readonly count: bigint;
}): KeyRefusals {
  const { code, gateway_key_id: id, count } = row;
  return { code, gatewayKeyId: id as GatewayKeyId, count: Number(count) };
}

const ADD_TO_REFUSALS = `on conflict (hour_ms, code, gateway_key_id, customer)
  do update set count = refusal_rollups.count + excluded.count`;

async function writeBatch(
  target: BulkTarget,
  batch: EventBatch,
  uses: readonly KeyUse[],
): Promise<{ readonly inserted: number }> {
  const written = await writeEvents(target, batch.events, batch.lending);
  for (const part of partsOf(rollUpRefusals(batch.refusals))) {
    await insertRows(target, "refusal_rollups", part, ADD_TO_REFUSALS);
  }
  for (const part of partsOf(rollUpBudgetRefusals(batch.refusals))) {
    await insertRows(target, "budget_refusals", part, ADD_TO_BUDGET_REFUSALS);
  }
  for (const part of partsOf(uses)) {
    await insertRows(target, "gateway_key_uses", part, KEEP_LATEST_USE);
  }
  return written;
}
