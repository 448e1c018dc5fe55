import type { Selectable } from "kysely";
import type { EnvironmentId, ProviderKeyId } from "../../core/ids/ids.ts";
import type { ProviderKeyRecord } from "../records.ts";
import {
  MAX_PAGE_SIZE,
  type Page,
  type PageRequest,
  type ProviderKeyRepository,
} from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { newestFirst } from "./page.ts";
import { fromSealedColumns, toSealedColumns } from "./sealed-columns.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { ProviderKeyTable } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlProviderKeyRepository implements ProviderKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: ProviderKeyRecord): Promise<void> {
    const values = toRow(record);
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("provider_keys").values(values).execute(),
      );
      await recordChange(db, "providerKey", record.id);
    });
  }

  async findById(id: ProviderKeyId): Promise<ProviderKeyRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findActiveByFingerprint(fingerprint: string): Promise<readonly ProviderKeyRecord[]> {
    const rows = await this.#rows()
      .where("fingerprint", "=", fingerprint)
      .where("revoked_at_ms", "is", null)
      .execute();
    return rows.map(toRecord);
  }

  async listActive(environmentId: EnvironmentId): Promise<readonly ProviderKeyRecord[]> {
    const rows = await this.#rows()
      .where("environment_id", "=", environmentId)
      .where("revoked_at_ms", "is", null)
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return rows.map(toRecord);
  }

  async list(
    page: PageRequest,
    filter: Parameters<ProviderKeyRepository["list"]>[1] = {},
  ): Promise<Page<ProviderKeyRecord>> {
    let rows = this.#rows();
    const { environmentId, accountId } = filter;
    if (environmentId !== undefined) rows = rows.where("environment_id", "=", environmentId);
    if (accountId !== undefined) rows = rows.where("account_id", "=", accountId);
    return await newestFirst("providerKeys", rows, page, toRecord);
  }

  async setWeight(id: ProviderKeyId, weight: number): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("provider_keys")
        .set({ weight })
        .where("id", "=", id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "providerKey", id);
      return true;
    });
  }

  async replaceSecret(
    id: ProviderKeyId,
    secret: Parameters<ProviderKeyRepository["replaceSecret"]>[1],
  ): Promise<boolean> {
    const { previousVersion, version, sealed, fingerprint, preview } = secret;
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await refusingTaken(this.#connections.engine, () =>
        db
          .updateTable("provider_keys")
          .set({
            version,
            ...toSealedColumns(sealed),
            fingerprint,
            preview,
          })
          .where("id", "=", id)
          .where("version", "=", BigInt(previousVersion))
          .where("revoked_at_ms", "is", null)
          .executeTakeFirst(),
      );
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "providerKey", id);
      return true;
    });
  }

  async revoke(id: ProviderKeyId, revokedAtMs: number): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("provider_keys")
        .set({ revoked_at_ms: revokedAtMs })
        .where("id", "=", id)
        .where("revoked_at_ms", "is", null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "providerKey", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("provider_keys").selectAll();
  }
}

function toRow(record: ProviderKeyRecord) {
  return {
    id: record.id,
    account_id: record.accountId,
    environment_id: record.environmentId,
    name: record.name,
    version: record.version,
    ...toSealedColumns(record.sealed),
    fingerprint: record.fingerprint,
    weight: record.weight,
    preview: record.preview,
    created_at_ms: record.createdAtMs,
    revoked_at_ms: record.revokedAtMs,
  };
}

function toRecord(row: Selectable<ProviderKeyTable>): ProviderKeyRecord {
  return {
    id: row.id,
    accountId: row.account_id,
    environmentId: row.environment_id,
    name: row.name,
    version: Number(row.version),
    sealed: fromSealedColumns(row),
    fingerprint: row.fingerprint,
    weight: Number(row.weight),
    preview: row.preview,
    createdAtMs: Number(row.created_at_ms),
    revokedAtMs: row.revoked_at_ms === null ? null : Number(row.revoked_at_ms),
  };
}
