import type { Selectable } from "kysely";
import {
  chainEntry,
  type AuditEntry,
  type AuditHash,
  type AuditHead,
  type UnchainedEntry,
} from "../../core/audit/audit-entry.ts";
import type { AuditFilter, AuditRepository } from "../audit-repository.ts";
import type { Page, PageRequest } from "../store.ts";
import type { AuditEntryTable } from "./audit-tables.ts";
import { formatCursor, parseCursor } from "./cursor.ts";
import { checkedLimit, cutPage } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";

const LIST = "audit";
const HEAD_ROW = 1;

export class SqlAuditRepository implements AuditRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async append(unchained: UnchainedEntry, hash: AuditHash): Promise<AuditEntry> {
    return await exclusively(this.#connections, async (db) => {
      const before = await db
        .selectFrom("audit_head")
        .select(["sequence", "hash"])
        .executeTakeFirst();
      const { entry, head } = chainEntry(
        unchained,
        before && { sequence: Number(before.sequence), hash: before.hash },
        hash,
      );
      await db.insertInto("audit_entries").values(toRow(entry)).execute();
      await db
        .insertInto("audit_head")
        .values({ id: HEAD_ROW, ...head })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(head))
        .execute();
      return entry;
    });
  }

  async findHead(): Promise<AuditHead | undefined> {
    const row = await this.#connections.read
      .selectFrom("audit_head")
      .select(["sequence", "hash", "tag"])
      .executeTakeFirst();
    return row && { ...row, sequence: Number(row.sequence) };
  }

  async findBySequence(sequence: number): Promise<AuditEntry | undefined> {
    const row = await this.#connections.read
      .selectFrom("audit_entries")
      .selectAll()
      .where("sequence", "=", BigInt(sequence))
      .executeTakeFirst();
    return row && toEntry(row);
  }

  async listFrom(sequence: number, limit: number): Promise<readonly AuditEntry[]> {
    const rows = await this.#connections.read
      .selectFrom("audit_entries")
      .selectAll()
      .where("sequence", ">=", BigInt(sequence))
      .orderBy("sequence")
      .limit(limit)
      .execute();
    return rows.map(toEntry);
  }

  async list(page: PageRequest, filter: AuditFilter = {}): Promise<Page<AuditEntry>> {
    const { action, actor, targetId, environmentId, fromMs, toMs } = filter;
    let query = this.#connections.read
      .selectFrom("audit_entries")
      .selectAll()
      .orderBy("sequence", "desc")
      .limit(checkedLimit(page) + 1);
    if (action?.endsWith(".") === true) {
      // The texts that begin so: "/" is the character after ".".
      query = query.where("action", ">=", action).where("action", "<", `${action.slice(0, -1)}/`);
    } else if (action !== undefined) query = query.where("action", "=", action);
    if (actor !== undefined) query = query.where("actor_name", "=", actor);
    if (targetId !== undefined) query = query.where("target_id", "=", targetId);
    if (environmentId !== undefined) query = query.where("environment_id", "=", environmentId);
    if (fromMs !== undefined) query = query.where("at_ms", ">=", BigInt(fromMs));
    if (toMs !== undefined) query = query.where("at_ms", "<", BigInt(toMs));
    if (page.cursor !== undefined) {
      const [sequence] = parseCursor(LIST, ["number"], page.cursor);
      query = query.where("sequence", "<", BigInt(sequence as number));
    }
    return cutPage(await query.execute(), page, {
      toItem: toEntry,
      cursorAfter: ({ sequence }) => formatCursor(LIST, [Number(sequence)]),
    });
  }
}

function toRow(entry: AuditEntry) {
  const { sequence, actor, target } = entry;
  return {
    sequence,
    at_ms: entry.atMs,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    address: entry.address,
    request_id: entry.requestId,
    action: entry.action,
    target_kind: target.kind,
    target_id: target.id,
    target_name: target.name,
    environment_id: entry.environmentId,
    before_text: entry.before,
    after_text: entry.after,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}

function toEntry(row: Selectable<AuditEntryTable>): AuditEntry {
  return {
    sequence: Number(row.sequence),
    atMs: Number(row.at_ms),
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    address: row.address,
    requestId: row.request_id,
    action: row.action,
    target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
    environmentId: row.environment_id,
    before: row.before_text,
    after: row.after_text,
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
