import type { Kysely, Selectable } from "kysely";
import type {
  DataKeyRecord,
  RootKeyRecord,
  RootKeyReplacement,
} from "../../core/keys/vault-records.ts";
import type { VaultKeyRepository } from "../store.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { DataKeyTable, RootKeyTable, Tables } from "./tables.ts";

export class SqlVaultKeyRepository implements VaultKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insertRootKey(record: RootKeyRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      if (record.isCurrent && (await currentRootKey(db)) !== undefined) return false;
      await db.insertInto("root_keys").values(toRootKeyRow(record)).execute();
      return true;
    });
  }

  async currentRootKey(): Promise<RootKeyRecord | undefined> {
    return await currentRootKey(this.#connections.read);
  }

  async insertDataKey(record: DataKeyRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const root = await currentRootKey(db);
      if (root?.id !== record.rootKeyId) return false;
      const inserted = await db
        .insertInto("data_keys")
        .values(toDataKeyRow(record))
        .onConflict((conflict) => conflict.column("scope").doNothing())
        .executeTakeFirst();
      return inserted.numInsertedOrUpdatedRows === 1n;
    });
  }

  async findDataKey(id: DataKeyRecord["id"]): Promise<DataKeyRecord | undefined> {
    const row = await this.#dataKeys().where("id", "=", id).executeTakeFirst();
    return row && toDataKey(row);
  }

  async findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined> {
    const row = await this.#dataKeys().where("scope", "=", scope).executeTakeFirst();
    return row && toDataKey(row);
  }

  async listDataKeys(): Promise<readonly DataKeyRecord[]> {
    const rows = await this.#dataKeys().orderBy("id").execute();
    return rows.map(toDataKey);
  }

  async replaceRootKey(change: RootKeyReplacement): Promise<boolean> {
    const { root, previousId, rewrapped } = change;
    return await exclusively(this.#connections, async (db) => {
      if ((await currentRootKey(db))?.id !== previousId) return false;
      const kept = await db.selectFrom("data_keys").select("id").execute();
      const named = new Set(rewrapped.map((key) => key.id));
      if (kept.length !== named.size || kept.some(({ id }) => !named.has(id))) return false;
      await db
        .updateTable("root_keys")
        .set({ is_current: 0 })
        .where("id", "=", previousId)
        .execute();
      await db
        .insertInto("root_keys")
        .values(toRootKeyRow({ ...root, isCurrent: true }))
        .execute();
      for (const key of rewrapped) await rewrap(db, root, key);
      return true;
    });
  }

  #dataKeys() {
    return this.#connections.read.selectFrom("data_keys").selectAll();
  }
}

async function currentRootKey(db: Kysely<Tables>): Promise<RootKeyRecord | undefined> {
  const row = await db
    .selectFrom("root_keys")
    .selectAll()
    .where("is_current", "=", 1n)
    .executeTakeFirst();
  return row && toRootKey(row);
}

async function rewrap(db: Kysely<Tables>, root: RootKeyRecord, key: DataKeyRecord): Promise<void> {
  if (key.rootKeyId !== root.id) {
    throw new Error(`data key ${key.id} is wrapped by ${key.rootKeyId}, not by the new ${root.id}`);
  }
  await db
    .updateTable("data_keys")
    .set({ root_key_id: root.id, nonce: key.nonce, wrapped: key.wrapped })
    .where("id", "=", key.id)
    .execute();
}

function toRootKeyRow(record: RootKeyRecord) {
  return {
    id: record.id,
    fingerprint: record.fingerprint,
    created_at_ms: record.createdAtMs,
    is_current: record.isCurrent ? 1 : 0,
  };
}

function toRootKey(row: Selectable<RootKeyTable>): RootKeyRecord {
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    createdAtMs: Number(row.created_at_ms),
    isCurrent: row.is_current === 1n,
  };
}

function toDataKeyRow(record: DataKeyRecord) {
  return {
    id: record.id,
    scope: record.scope,
    root_key_id: record.rootKeyId,
    nonce: record.nonce,
    wrapped: record.wrapped,
    created_at_ms: record.createdAtMs,
  };
}

function toDataKey(row: Selectable<DataKeyTable>): DataKeyRecord {
  return {
    id: row.id,
    scope: row.scope,
    rootKeyId: row.root_key_id,
    nonce: new Uint8Array(row.nonce),
    wrapped: new Uint8Array(row.wrapped),
    createdAtMs: Number(row.created_at_ms),
  };
}
