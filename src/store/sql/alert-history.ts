import { type Insertable, type Selectable, sql } from "kysely";
import type { AlertFact } from "../../core/alerts/alert-content.ts";
import type { AlertId, AlertMessageId, AlertRuleId } from "../../core/ids/ids.ts";
import type { AlertDeliveryRecord, AlertKey, AlertRecord } from "../alert-records.ts";
import type { AlertBatch, AlertFilter, AlertHistory } from "../alert-repositories.ts";
import type { Page, PageRequest } from "../paging.ts";
import type { AlertDeliveryTable, AlertTable } from "./alert-tables.ts";
import { type BulkTarget, insertRows, partsOf } from "./bulk-insert.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";

const MAX_KEYS_A_QUERY = 256;

export class SqlAlertHistory implements AlertHistory {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async findFired(ruleId: AlertRuleId, keys: readonly AlertKey[]): Promise<readonly AlertKey[]> {
    const fired: AlertKey[] = [];
    for (let start = 0; start < keys.length; start += MAX_KEYS_A_QUERY) {
      const tuples = keys
        .slice(start, start + MAX_KEYS_A_QUERY)
        .map(({ period, kind, id }) => sql`(${period}, ${kind}, ${id})`);
      const rows = await this.#connections.read
        .selectFrom("alerts")
        .select(["period", "subject_kind", "subject_id"])
        .where("rule_id", "=", ruleId)
        .where(sql<boolean>`(period, subject_kind, subject_id) in (values ${sql.join(tuples)})`)
        .execute();
      fired.push(...rows.map(toKey));
    }
    return fired;
  }

  async fire(batches: readonly AlertBatch[]): Promise<readonly AlertId[]> {
    return await exclusively(this.#connections, async (db) => {
      const target = { ...this.#connections, db };
      const fired: AlertId[] = [];
      for (const { alerts, deliveries } of batches) {
        const added = await insertAlerts(target, alerts);
        fired.push(...added);
        if (added.length === 0) continue;
        for (const part of partsOf(deliveries.map(toDeliveryRow))) {
          await insertRows(target, "alert_deliveries", part, "");
        }
      }
      return fired;
    });
  }

  async findById(id: AlertId): Promise<AlertRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest, filter: AlertFilter = {}): Promise<Page<AlertRecord>> {
    const { ruleId, kind, severity, isAcknowledged, fromMs, toMs } = filter;
    let rows = this.#rows();
    if (ruleId !== undefined) rows = rows.where("rule_id", "=", ruleId);
    if (kind !== undefined) rows = rows.where("kind", "=", kind);
    if (severity !== undefined) rows = rows.where("severity", "=", severity);
    if (isAcknowledged !== undefined) {
      rows = rows.where("acknowledged_at_ms", isAcknowledged ? "is not" : "is", null);
    }
    if (fromMs !== undefined) rows = rows.where("created_at_ms", ">=", BigInt(fromMs));
    if (toMs !== undefined) rows = rows.where("created_at_ms", "<", BigInt(toMs));
    return await newestFirst("alerts", rows, page, toRecord);
  }

  async listOfMessage(
    id: AlertMessageId,
    limit: number,
  ): Promise<{ readonly alerts: readonly AlertRecord[]; readonly total: number }> {
    const rows = await this.#rows()
      .where("message_id", "=", id)
      .orderBy("id")
      .limit(limit)
      .execute();
    const counted = await this.#connections.read
      .selectFrom("alerts")
      .select((select) => select.fn.countAll().as("count"))
      .where("message_id", "=", id)
      .executeTakeFirst();
    return { alerts: rows.map(toRecord), total: Number(counted?.count ?? 0) };
  }

  async acknowledge(
    id: AlertId,
    { atMs, actor, note }: Parameters<AlertHistory["acknowledge"]>[1],
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("alerts")
      .set({ acknowledged_at_ms: atMs, acknowledged_by: actor, note })
      .where("id", "=", id)
      .where("acknowledged_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  #rows() {
    return this.#connections.read.selectFrom("alerts").selectAll();
  }
}

async function insertAlerts(
  target: BulkTarget,
  alerts: readonly AlertRecord[],
): Promise<readonly AlertId[]> {
  const added: AlertId[] = [];
  for (const part of partsOf(alerts)) {
    const onConflict = "on conflict (rule_id, period, subject_kind, subject_id) do nothing";
    const areNew = await insertRows(target, "alerts", part.map(toRow), onConflict);
    for (const [index, { id }] of part.entries()) if (areNew[index] === true) added.push(id);
  }
  return added;
}

function toRow(record: AlertRecord): Insertable<AlertTable> {
  return {
    id: record.id,
    rule_id: record.ruleId,
    rule_name: record.ruleName,
    kind: record.kind,
    severity: record.severity,
    subject_kind: record.key.kind,
    subject_id: record.key.id,
    period: record.key.period,
    title: record.title,
    facts: JSON.stringify(record.facts),
    command: record.command,
    message_id: record.messageId,
    mute_id: record.muteId,
    created_at_ms: record.createdAtMs,
    acknowledged_at_ms: record.acknowledgedAtMs,
    acknowledged_by: record.acknowledgedBy,
    note: record.note,
  };
}

function toDeliveryRow(record: AlertDeliveryRecord): Insertable<AlertDeliveryTable> {
  return {
    id: record.id,
    message_id: record.messageId,
    channel_id: record.channelId,
    created_at_ms: record.createdAtMs,
    attempts: record.attempts,
    next_attempt_at_ms: record.nextAttemptAtMs,
    last_attempt_at_ms: record.lastAttemptAtMs,
    problem: record.problem,
    delivered_at_ms: record.deliveredAtMs,
    given_up_at_ms: record.givenUpAtMs,
  };
}

function toKey(
  row: Pick<Selectable<AlertTable>, "period" | "subject_kind" | "subject_id">,
): AlertKey {
  return { kind: row.subject_kind, id: row.subject_id, period: row.period };
}

function toRecord(row: Selectable<AlertTable>): AlertRecord {
  return {
    id: row.id,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    kind: row.kind,
    severity: row.severity,
    key: toKey(row),
    title: row.title,
    facts: JSON.parse(row.facts) as readonly AlertFact[],
    command: row.command,
    messageId: row.message_id,
    muteId: row.mute_id,
    createdAtMs: Number(row.created_at_ms),
    acknowledgedAtMs: toNullableNumber(row.acknowledged_at_ms),
    acknowledgedBy: row.acknowledged_by,
    note: row.note,
  };
}
