import type { Selectable } from "kysely";
import type { EnvironmentId } from "../../core/ids/ids.ts";
import type { Picos } from "../../core/money/picos.ts";
import { NO_SETTINGS, type PolicySettings } from "../../core/policy/environment-policy.ts";
import type { EnvironmentRecord } from "../records.ts";
import type { EnvironmentChange, EnvironmentRepository, Page, PageRequest } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { fromNullableMoney, toNullableMoney } from "./money-columns.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { EnvironmentTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlEnvironmentRepository implements EnvironmentRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: EnvironmentRecord): Promise<void> {
    const values = {
      id: record.id,
      name: record.name,
      kind: record.kind,
      unpriced_policy: record.unpricedPolicy,
      ...toCeilingColumns(record.budgetCeilingPicos),
      policy: JSON.stringify(record.policy),
      created_at_ms: record.createdAtMs,
    };
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("environments").values(values).execute(),
      );
      await recordChange(db, "environment", record.id);
    });
  }

  async findById(id: EnvironmentId): Promise<EnvironmentRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByName(name: string): Promise<EnvironmentRecord | undefined> {
    const row = await this.#rows().where("name", "=", name).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(page: PageRequest): Promise<Page<EnvironmentRecord>> {
    return await newestFirst("environments", this.#rows(), page, toRecord);
  }

  async update(id: EnvironmentId, change: EnvironmentChange): Promise<boolean> {
    const { unpricedPolicy, budgetCeilingPicos, policy } = change;
    const values = {
      ...(unpricedPolicy !== undefined && { unpriced_policy: unpricedPolicy }),
      ...(budgetCeilingPicos !== undefined && toCeilingColumns(budgetCeilingPicos)),
      ...(policy !== undefined && { policy: JSON.stringify(policy) }),
    };
    if (Object.keys(values).length === 0) return (await this.findById(id)) !== undefined;
    return await exclusively(this.#connections, async (db) => {
      const result = await db
        .updateTable("environments")
        .set(values)
        .where("id", "=", id)
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) return false;
      await recordChange(db, "environment", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("environments").selectAll();
  }
}

function toCeilingColumns(ceiling: Picos | null) {
  const { micros, restPicos } = toNullableMoney(ceiling);
  return { budget_ceiling_micros: micros, budget_ceiling_rest_picos: restPicos };
}

function toRecord(row: Selectable<EnvironmentTable>): EnvironmentRecord {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    unpricedPolicy: row.unpriced_policy,
    budgetCeilingPicos: fromNullableMoney(row.budget_ceiling_micros, row.budget_ceiling_rest_picos),
    policy: row.policy === null ? NO_SETTINGS : (JSON.parse(row.policy) as PolicySettings),
    createdAtMs: Number(row.created_at_ms),
  };
}
