import type { Selectable } from "kysely";
import type { UnpricedPolicy } from "../../core/environments/environment.ts";
import type { EnvironmentId } from "../../core/ids/ids.ts";
import type { EnvironmentRecord } from "../records.ts";
import type { EnvironmentRepository, Page, PageRequest } from "../store.ts";
import { recordChange } from "./change-repository.ts";
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

  async setUnpricedPolicy(id: EnvironmentId, policy: UnpricedPolicy): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const result = await db
        .updateTable("environments")
        .set({ unpriced_policy: policy })
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

function toRecord(row: Selectable<EnvironmentTable>): EnvironmentRecord {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    unpricedPolicy: row.unpriced_policy,
    createdAtMs: Number(row.created_at_ms),
  };
}
