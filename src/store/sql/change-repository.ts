import type { Kysely } from "kysely";
import type { ChangeKind, ChangeRecord } from "../records.ts";
import type { ChangeRepository } from "../store.ts";
import { checkedLimit } from "./page.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

export class SqlChangeRepository implements ChangeRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async latestSequence(): Promise<number> {
    const row = await this.#connections.read
      .selectFrom("change_log")
      .select((select) => select.fn.max("sequence").as("sequence"))
      .executeTakeFirst();
    return Number(row?.sequence ?? 0);
  }

  async listSince(sequence: number, limit: number): Promise<readonly ChangeRecord[]> {
    const rows = await this.#connections.read
      .selectFrom("change_log")
      .selectAll()
      .where("sequence", ">", BigInt(sequence))
      .orderBy("sequence")
      .limit(checkedLimit({ limit }))
      .execute();
    return rows.map((row) => ({
      sequence: Number(row.sequence),
      kind: row.kind,
      entityId: row.entity_id,
    }));
  }
}

/**
 * Notes a change, in the transaction of the change. The transaction must be an exclusive one (see `exclusively`):
 * else a sequence could become visible after a higher one, and a process that polls would never see it.
 */
export async function recordChange(
  db: Kysely<Tables>,
  kind: ChangeKind,
  entityId: string,
): Promise<void> {
  await recordChanges(db, kind, [entityId]);
}

/** The same for several of a kind. */
export async function recordChanges(
  db: Kysely<Tables>,
  kind: ChangeKind,
  entityIds: readonly string[],
): Promise<void> {
  if (entityIds.length === 0) return;
  const rows = entityIds.map((entityId) => ({ kind, entity_id: entityId }));
  await db.insertInto("change_log").values(rows).execute();
}
