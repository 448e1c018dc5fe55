import { type Selectable, sql } from "kysely";
import type { LimitId } from "../../core/ids/ids.ts";
import type { LimitRecord } from "../records.ts";
import type { LimitRepository, Page, PageRequest } from "../store.ts";
import { recordChange } from "./change-repository.ts";
import { checkedLimit, newestFirst } from "./page.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { LimitTable } from "./tables.ts";

export class SqlLimitRepository implements LimitRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: LimitRecord): Promise<void> {
    const { id, scope, createdAtMs } = record;
    await exclusively(this.#connections, async (db) => {
      await db
        .insertInto("limits")
        .values({
          id,
          scope_kind: scope.kind,
          scope_id: scope.id,
          ...changeable(record),
          created_at_ms: createdAtMs,
        })
        .execute();
      await recordChange(db, "limit", id);
    });
  }

  async findById(id: LimitId): Promise<LimitRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findMany(ids: readonly LimitId[]): Promise<readonly LimitRecord[]> {
    if (ids.length === 0) return [];
    checkedLimit({ limit: ids.length });
    const rows = await this.#rows().where("id", "in", ids).execute();
    return rows.map(toRecord);
  }

  async list(
    page: PageRequest,
    filter: Parameters<LimitRepository["list"]>[1] = {},
  ): Promise<Page<LimitRecord>> {
    let rows = this.#rows();
    if (filter.scopeKind !== undefined) rows = rows.where("scope_kind", "=", filter.scopeKind);
    if (filter.scopeId === null) rows = rows.where("scope_id", "is", null);
    else if (filter.scopeId !== undefined) rows = rows.where("scope_id", "=", filter.scopeId);
    return await newestFirst("limits", rows, page, toRecord);
  }

  async count(atMost: number): Promise<number> {
    const some = this.#connections.read.selectFrom("limits").select("id").limit(atMost).as("some");
    const row = await this.#connections.read
      .selectFrom(some)
      .select(sql<bigint>`count(*)`.as("count"))
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  async update(record: LimitRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("limits")
        .set(changeable(record))
        .where("id", "=", record.id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "limit", record.id);
      return true;
    });
  }

  async remove(id: LimitId): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom("limits")
        .where("id", "=", id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await db.deleteFrom("limit_uses").where("limit_id", "=", id).execute();
      await recordChange(db, "limit", id);
      return true;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("limits").selectAll();
  }
}

function changeable({ requestsPerMinute, tokensPerMinute, concurrency }: LimitRecord) {
  return {
    requests_per_minute: requestsPerMinute,
    tokens_per_minute: tokensPerMinute,
    concurrency,
  };
}

function toRecord(row: Selectable<LimitTable>): LimitRecord {
  return {
    id: row.id,
    scope: { kind: row.scope_kind, id: row.scope_id },
    requestsPerMinute: toNumber(row.requests_per_minute),
    tokensPerMinute: toNumber(row.tokens_per_minute),
    concurrency: toNumber(row.concurrency),
    createdAtMs: Number(row.created_at_ms),
  };
}

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
