import type { Selectable } from "kysely";
import type { EnvironmentId, RoutingRuleId } from "../../core/ids/ids.ts";
import type { RoutingRuleRecord } from "../records.ts";
import { MAX_PAGE_SIZE, type RoutingRuleRepository } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { RoutingRuleTable } from "./tables.ts";

export class SqlRoutingRuleRepository implements RoutingRuleRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: RoutingRuleRecord): Promise<void> {
    const { id, environmentId, createdAtMs } = record;
    const values = {
      id,
      environment_id: environmentId,
      created_at_ms: createdAtMs,
      ...changeable(record),
    };
    await exclusively(this.#connections, async (db) => {
      await db.insertInto("routing_rules").values(values).execute();
      await recordChange(db, "routingRule", id);
    });
  }

  async findById(id: RoutingRuleId): Promise<RoutingRuleRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async listOf(environmentId: EnvironmentId): Promise<readonly RoutingRuleRecord[]> {
    const rows = await this.#rows()
      .where("environment_id", "=", environmentId)
      .orderBy("position")
      .orderBy("id")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return rows.map(toRecord);
  }

  async update(record: RoutingRuleRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("routing_rules")
        .set(changeable(record))
        .where("id", "=", record.id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "routingRule", record.id);
      return true;
    });
  }

  async remove(id: RoutingRuleId): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom("routing_rules")
        .where("id", "=", id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await recordChange(db, "routingRule", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("routing_rules").selectAll();
  }
}

function changeable({ position, model, provider, accountId, targetModel }: RoutingRuleRecord) {
  return { position, model, provider, account_id: accountId, target_model: targetModel };
}

function toRecord(row: Selectable<RoutingRuleTable>): RoutingRuleRecord {
  return {
    id: row.id,
    environmentId: row.environment_id,
    position: Number(row.position),
    model: row.model,
    provider: row.provider,
    accountId: row.account_id,
    targetModel: row.target_model,
    createdAtMs: Number(row.created_at_ms),
  };
}
