import type { Selectable } from "kysely";
import type { ProviderAccountId } from "../../../core/ids/ids.ts";
import type { AdminKeyRecord } from "../../rotation-records.ts";
import type { AdminKeyRepository } from "../../rotation-repositories.ts";
import type { RotationTables } from "../rotation-tables.ts";
import { fromSealedColumns, toSealedColumns } from "../sealed-columns.ts";
import { type Connections, exclusively } from "../sql-engine.ts";

export class SqlAdminKeyRepository implements AdminKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async find(accountId: ProviderAccountId): Promise<AdminKeyRecord | undefined> {
    const row = await this.#connections.read
      .selectFrom("provider_admin_keys")
      .selectAll()
      .where("account_id", "=", accountId)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async listByFingerprint(fingerprint: string): Promise<readonly AdminKeyRecord[]> {
    const rows = await this.#connections.read
      .selectFrom("provider_admin_keys")
      .selectAll()
      .where("fingerprint", "=", fingerprint)
      .orderBy("account_id")
      .execute();
    return rows.map(toRecord);
  }

  async put(record: AdminKeyRecord): Promise<boolean> {
    const { accountId, sealed } = record;
    const values = {
      account_id: accountId,
      version: record.version,
      ...toSealedColumns(sealed),
      preview: record.preview,
      fingerprint: record.fingerprint,
      created_by: record.createdBy,
      created_at_ms: record.createdAtMs,
    };
    return await exclusively(this.#connections, async (db) => {
      const before = await db
        .selectFrom("provider_admin_keys")
        .select("version")
        .where("account_id", "=", accountId)
        .executeTakeFirst();
      if (before !== undefined && Number(before.version) !== record.version - 1) return false;
      await db.deleteFrom("provider_admin_keys").where("account_id", "=", accountId).execute();
      await db.insertInto("provider_admin_keys").values(values).execute();
      return true;
    });
  }

  async remove(accountId: ProviderAccountId): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom("provider_admin_keys")
        .where("account_id", "=", accountId)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    });
  }
}

function toRecord(row: Selectable<RotationTables["provider_admin_keys"]>): AdminKeyRecord {
  return {
    accountId: row.account_id,
    version: Number(row.version),
    sealed: fromSealedColumns(row),
    preview: row.preview,
    fingerprint: row.fingerprint,
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
  };
}
