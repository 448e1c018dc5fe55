import type { ProviderAccountId } from "../../../core/ids/ids.ts";
import type { AdminKeyRecord } from "../../rotation-records.ts";
import type { AdminKeyRepository } from "../../rotation-repositories.ts";
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
    return (
      row && {
        accountId: row.account_id,
        version: Number(row.version),
        sealed: fromSealedColumns(row),
        preview: row.preview,
        createdBy: row.created_by,
        createdAtMs: Number(row.created_at_ms),
      }
    );
  }

  async put(record: AdminKeyRecord): Promise<boolean> {
    const { accountId, sealed } = record;
    const values = {
      account_id: accountId,
      version: record.version,
      ...toSealedColumns(sealed),
      preview: record.preview,
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
