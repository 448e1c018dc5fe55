import type { Kysely, Selectable } from "kysely";
import type { DataKeyRecord, RootKeyRecord } from "../../core/keys/vault-records.ts";
import type { VaultKeyRepository } from "../store.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { DataKeyTable, RootKeyTable, Tables } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlVaultKeyRepository implements VaultKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insertRootKey(record: RootKeyRecord): Promise<void> {
    const { write, engine } = this.#connections;
    await refusingTaken(engine, () =>
      write.insertInto("root_keys").values(toRootKeyRow(record)).execute(),
    );
  }

  async currentRootKey(): Promise<RootKeyRecord | undefined> {
    return await currentRootKey(this.#connections.read);
  }

  async insertDataKey(record: DataKeyRecord): Promise<void> {
    await exclusively(this.#connections, async (db) => {
      // While the root key was being replaced, a data key under the old one would be lost with it.
      const root = await currentRootKey(db);
      if (root?.id !== record.rootKeyId) {
        throw new Error(
          `data key ${record.id} is wrapped by root key ${record.rootKeyId}, but the current one is ${root?.id ?? "none"}; wrap it by that and try again`,
        );
      }
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("data_keys").values(toDataKeyRow(record)).execute(),
      );
    });
  }

  async findDataKey(id: DataKeyRecord["id"]): Promise<DataKeyRecord | undefined> {
    const row = await this.#dataKeys().where("id", "=", id).executeTakeFirst();
    return row && toDataKey(row);
  }

  async findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined> {
    const row = await this.#dataKeys()
      .where("scope", "=", scope)
      .orderBy("created_at_ms", "desc")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && toDataKey(row);
  }

  async listDataKeys(): Promise<readonly DataKeyRecord[]> {
    const rows = await this.#dataKeys().orderBy("id").execute();
    return rows.map(toDataKey);
  }

  async replaceRootKey(root: RootKeyRecord, rewrapped: readonly DataKeyRecord[]): Promise<void> {
    await exclusively(this.#connections, async (db) => {
      await db
        .updateTable("root_keys")
        .set({ is_current: 0 })
        .where("is_current", "=", 1n)
        .execute();
      await refusingTaken(this.#connections.engine, () =>
        db
          .insertInto("root_keys")
          .values(toRootKeyRow({ ...root, isCurrent: true }))
          .execute(),
      );
      for (const key of rewrapped) await rewrap(db, root, key);
      const left = await db
        .selectFrom("data_keys")
        .select("id")
        .where("root_key_id", "!=", root.id)
        .limit(1)
        .executeTakeFirst();
      if (left !== undefined) {
        throw new Error(
          `data key ${left.id} has no new wrapping, so the root key stays; list the data keys again and retry`,
        );
      }
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
  const { numUpdatedRows } = await db
    .updateTable("data_keys")
    .set({ root_key_id: root.id, nonce: key.nonce, wrapped: key.wrapped })
    .where("id", "=", key.id)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new Error(`there is no data key ${key.id} to rewrap`);
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
