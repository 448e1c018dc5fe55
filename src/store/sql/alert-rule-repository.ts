import type { Kysely, Selectable } from "kysely";
import type { AlertCondition } from "../../core/alerts/alert-rule.ts";
import type { AlertChannelId, AlertRuleId } from "../../core/ids/ids.ts";
import type { AlertRuleRecord } from "../alert-records.ts";
import { type AlertRuleRepository, MAX_ALERT_RULES } from "../alert-repositories.ts";
import type { AlertRuleTable } from "./alert-tables.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

/** A lease that is never given back: the rules that an installation begins with have been made. */
const DEFAULTS_MADE = "default rules";

export class SqlAlertRuleRepository implements AlertRuleRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AlertRuleRecord): Promise<void> {
    await exclusively(this.#connections, (db) => this.#insert(db, record));
  }

  async insertDefaults(records: readonly AlertRuleRecord[]): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto("alert_leases")
        .values({ name: DEFAULTS_MADE, lease_id: null, leased_until_ms: 0 })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) return false;
      for (const record of records) await this.#insert(db, record);
      return true;
    });
  }

  async findById(id: AlertRuleId): Promise<AlertRuleRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByName(name: string): Promise<AlertRuleRecord | undefined> {
    const row = await this.#rows().where("name", "=", name).executeTakeFirst();
    return row && toRecord(row);
  }

  async listAll(): Promise<readonly AlertRuleRecord[]> {
    const rows = await this.#rows()
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_ALERT_RULES)
      .execute();
    return rows.map(toRecord);
  }

  async update(record: AlertRuleRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await refusingTaken(this.#connections.engine, () =>
        db
          .updateTable("alert_rules")
          .set(changeable(record))
          .where("id", "=", record.id)
          .executeTakeFirst(),
      );
      return numUpdatedRows > 0n;
    });
  }

  async remove(id: AlertRuleId): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom("alert_rules")
        .where("id", "=", id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    });
  }

  async #insert(db: Kysely<Tables>, record: AlertRuleRecord): Promise<void> {
    const { id, condition, createdAtMs } = record;
    const values = { id, kind: condition.kind, created_at_ms: createdAtMs, ...changeable(record) };
    await refusingTaken(this.#connections.engine, () =>
      db.insertInto("alert_rules").values(values).execute(),
    );
  }

  #rows() {
    return this.#connections.read.selectFrom("alert_rules").selectAll();
  }
}

function changeable(record: AlertRuleRecord) {
  const { name, condition, scope, repeat, channelIds, isEnabled } = record;
  return {
    name,
    settings: JSON.stringify(condition.settings),
    scope_kind: scope?.kind ?? null,
    scope_id: scope?.id ?? null,
    repeat,
    channel_ids: channelIds === null ? null : JSON.stringify(channelIds),
    is_enabled: isEnabled ? 1 : 0,
  };
}

function toRecord(row: Selectable<AlertRuleTable>): AlertRuleRecord {
  const { kind, scope_kind: scopeKind, channel_ids: channelIds } = row;
  return {
    id: row.id,
    name: row.name,
    condition: { kind, settings: JSON.parse(row.settings) as unknown } as AlertCondition,
    scope: scopeKind === null ? null : { kind: scopeKind, id: row.scope_id },
    repeat: row.repeat,
    channelIds: channelIds === null ? null : (JSON.parse(channelIds) as AlertChannelId[]),
    isEnabled: row.is_enabled !== 0n,
    createdAtMs: Number(row.created_at_ms),
  };
}
