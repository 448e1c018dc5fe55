import type { Selectable } from "kysely";
import type { MemberId, SessionId } from "../../../core/ids/ids.ts";
import type { SessionRecord } from "../../access-records.ts";
import type { SessionRepository } from "../../access-repositories.ts";
import { MAX_PAGE_SIZE } from "../../store.ts";
import type { Connections } from "../sql-engine.ts";
import type { SessionTable } from "./access-tables.ts";

export class SqlSessionRepository implements SessionRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: SessionRecord): Promise<void> {
    await this.#connections.write
      .insertInto("sessions")
      .values({
        id: record.id,
        hash: record.hash,
        member_id: record.memberId,
        address: record.address,
        user_agent: record.userAgent,
        created_at_ms: record.createdAtMs,
        last_seen_at_ms: record.lastSeenAtMs,
      })
      .execute();
  }

  async findByHash(hash: string): Promise<SessionRecord | undefined> {
    const row = await this.#connections.read
      .selectFrom("sessions")
      .selectAll()
      .where("hash", "=", hash)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async listOf(memberId: MemberId): Promise<readonly SessionRecord[]> {
    const rows = await this.#connections.read
      .selectFrom("sessions")
      .selectAll()
      .where("member_id", "=", memberId)
      .orderBy("last_seen_at_ms", "desc")
      .orderBy("id", "desc")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return rows.map(toRecord);
  }

  async touch(id: SessionId, atMs: number): Promise<void> {
    await this.#connections.write
      .updateTable("sessions")
      .set({ last_seen_at_ms: atMs })
      .where("id", "=", id)
      .execute();
  }

  async remove(id: SessionId, memberId: MemberId): Promise<boolean> {
    const { numDeletedRows } = await this.#connections.write
      .deleteFrom("sessions")
      .where("id", "=", id)
      .where("member_id", "=", memberId)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async removeOf(memberId: MemberId, but?: SessionId): Promise<number> {
    let query = this.#connections.write.deleteFrom("sessions").where("member_id", "=", memberId);
    if (but !== undefined) query = query.where("id", "<>", but);
    return Number((await query.executeTakeFirst()).numDeletedRows);
  }

  async removeOld(before: {
    readonly createdMs: number;
    readonly seenMs: number;
  }): Promise<number> {
    const { numDeletedRows } = await this.#connections.write
      .deleteFrom("sessions")
      .where((of) =>
        of.or([
          of("created_at_ms", "<", BigInt(before.createdMs)),
          of("last_seen_at_ms", "<", BigInt(before.seenMs)),
        ]),
      )
      .executeTakeFirst();
    return Number(numDeletedRows);
  }
}

function toRecord(row: Selectable<SessionTable>): SessionRecord {
  return {
    id: row.id,
    hash: row.hash,
    memberId: row.member_id,
    address: row.address,
    userAgent: row.user_agent,
    createdAtMs: Number(row.created_at_ms),
    lastSeenAtMs: Number(row.last_seen_at_ms),
  };
}
