import type { Kysely, Selectable } from "kysely";
import type { AlertCondition } from "../../core/alerts/alert-rule.ts";
import type { AlertChannelId, AlertRuleId } from "../../core/ids/ids.ts";
import type { AlertRuleRecord } from "../alert-records.ts";
import { type AlertRuleRepository, MAX_ALERT_RULES } from "../alert-repositories.ts";
import type { AlertRuleTable } from "./alert-tables.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlAlertRuleRepository implements AlertRuleRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AlertRuleRecord): Promise<void> {
    await exclusively(this.#connections, (db) => this.#insert(db, record));
  }

  async insertDefaults(records: readonly AlertRuleRecord[]): Promise<readonly AlertRuleRecord[]> {
    if (records.length === 0) return [];
    return await exclusively(this.#connections, async (db) => {
      const offered = await db
        .insertInto("offered_alert_kinds")
        .values(records.map(({ condition: { kind } }) => ({ kind })))
        .onConflict((conflict) => conflict.column("kind").doNothing())
        .returning("kind")
        .execute();
      const kinds = new Set(offered.map(({ kind }) => kind));
      const added: AlertRuleRecord[] = [];
      for (const record of records.filter(({ condition: { kind } }) => kinds.has(kind))) {
        const named = { ...record, name: await freeName(db, record.name) };
        await this.#insert(db, named);
        added.push(named);
      }
      return added;
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

/** The name, or the first of `name 2`, `name 3` … that nobody has given to a rule. */
async function freeName(db: Kysely<Tables>, name: string): Promise<string> {
  const rows = await db.selectFrom("alert_rules").select("name").execute();
  const taken = new Set(rows.map((row) => row.name));
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} ${number}`;
  return free;
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
