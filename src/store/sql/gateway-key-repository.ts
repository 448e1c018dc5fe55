import type { Selectable } from "kysely";
import type { EnvironmentId, GatewayKeyId } from "../../core/ids/ids.ts";
import type { GatewayKeyRecord } from "../records.ts";
import type { GatewayKeyRepository, Page, PageRequest } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { GatewayKeyTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlGatewayKeyRepository implements GatewayKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: GatewayKeyRecord): Promise<void> {
    const values = toRow(record);
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("gateway_keys").values(values).execute(),
      );
      await recordChange(db, "gatewayKey", record.id);
    });
  }

  async findById(id: GatewayKeyId): Promise<GatewayKeyRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByHash(hash: string): Promise<GatewayKeyRecord | undefined> {
    const row = await this.#rows().where("hash", "=", hash).executeTakeFirst();
    return row && toRecord(row);
  }

  async list(
    page: PageRequest,
    filter: Parameters<GatewayKeyRepository["list"]>[1] = {},
  ): Promise<Page<GatewayKeyRecord>> {
    let rows = this.#rows();
    const { environmentId, projectId, customerId } = filter;
    if (environmentId !== undefined) rows = rows.where("environment_id", "=", environmentId);
    if (projectId !== undefined) rows = rows.where("project_id", "=", projectId);
    if (customerId !== undefined) rows = rows.where("customer_id", "=", customerId);
    return await newestFirst("gatewayKeys", rows, page, toRecord);
  }

  async countUnrevoked(environmentId: EnvironmentId, atMost: number): Promise<number> {
    const { count } = await this.#connections.read
      .selectFrom((from) =>
        from
          .selectFrom("gateway_keys")
          .select("environment_id")
          .where("environment_id", "=", environmentId)
          .where("revoked_at_ms", "is", null)
          .limit(atMost)
          .as("counted"),
      )
      .select(({ fn }) => fn.countAll<bigint>().as("count"))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async revoke(id: GatewayKeyId, revokedAtMs: number): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("gateway_keys")
        .set({ revoked_at_ms: revokedAtMs })
        .where("id", "=", id)
        .where("revoked_at_ms", "is", null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "gatewayKey", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("gateway_keys").selectAll();
  }
}

function toRow(record: GatewayKeyRecord) {
  return {
    id: record.id,
    name: record.name,
    project_id: record.projectId,
    environment_id: record.environmentId,
    customer_id: record.customerId,
    hash: record.hash,
    preview: record.preview,
    allowed_models: record.allowedModels === null ? null : JSON.stringify(record.allowedModels),
    created_at_ms: record.createdAtMs,
    expires_at_ms: record.expiresAtMs,
    revoked_at_ms: record.revokedAtMs,
  };
}

function toRecord(row: Selectable<GatewayKeyTable>): GatewayKeyRecord {
  return {
    id: row.id,
    name: row.name,
    projectId: row.project_id,
    environmentId: row.environment_id,
    customerId: row.customer_id,
    hash: row.hash,
    preview: row.preview,
    allowedModels:
      row.allowed_models === null ? null : (JSON.parse(row.allowed_models) as string[]),
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: row.expires_at_ms === null ? null : Number(row.expires_at_ms),
    revokedAtMs: row.revoked_at_ms === null ? null : Number(row.revoked_at_ms),
  };
}
