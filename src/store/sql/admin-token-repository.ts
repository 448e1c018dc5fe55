import type { AdminTokenRecord } from "../records.ts";
import type { AdminTokenRepository } from "../store.ts";
import type { Connections } from "./sql-engine.ts";
import { refusingTaken } from "./taken.ts";

export class SqlAdminTokenRepository implements AdminTokenRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AdminTokenRecord): Promise<void> {
    const { write, engine } = this.#connections;
    const values = {
      id: record.id,
      name: record.name,
      hash: record.hash,
      created_at_ms: record.createdAtMs,
      revoked_at_ms: record.revokedAtMs,
    };
    await refusingTaken(engine, () => write.insertInto("admin_tokens").values(values).execute());
  }

  async findActiveByHash(hash: string): Promise<AdminTokenRecord | undefined> {
    const row = await this.#connections.read
      .selectFrom("admin_tokens")
      .selectAll()
      .where("hash", "=", hash)
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return (
      row && {
        id: row.id,
        name: row.name,
        hash: row.hash,
        createdAtMs: Number(row.created_at_ms),
        revokedAtMs: null,
      }
    );
  }

  async revokeAll(revokedAtMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("admin_tokens")
      .set({ revoked_at_ms: revokedAtMs })
      .where("revoked_at_ms", "is", null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }
}
