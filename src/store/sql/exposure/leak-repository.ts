import type { Selectable } from "kysely";
import type { LeakRecord, LeakRepository } from "../../exposure-repositories.ts";
import type { Page, PageRequest } from "../../paging.ts";
import { newestFirst } from "../page.ts";
import { type Connections, exclusively } from "../sql-engine.ts";
import type { LeakTable } from "./exposure-tables.ts";

export class SqlLeakRepository implements LeakRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: LeakRecord): Promise<boolean> {
    const values = {
      id: record.id,
      kind: record.kind,
      subject_id: record.subjectId,
      name: record.name,
      preview: record.preview,
      environment_id: record.environmentId,
      fingerprint: record.fingerprint,
      outcome: record.outcome,
      place: record.place,
      source: record.source,
      address: record.address,
      created_at_ms: record.createdAtMs,
    };
    return await exclusively(this.#connections, async (db) => {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto("leaks")
        .values(values)
        .onConflict((conflict) =>
          conflict.columns(["subject_id", "fingerprint", "outcome", "kind"]).doNothing(),
        )
        .executeTakeFirst();
      return numInsertedOrUpdatedRows === 1n;
    });
  }

  async list(
    page: PageRequest,
    { gatewayKeyId }: Parameters<LeakRepository["list"]>[1] = {},
  ): Promise<Page<LeakRecord>> {
    const rows = this.#connections.read.selectFrom("leaks").selectAll();
    const query =
      gatewayKeyId === undefined
        ? rows
        : rows.where("kind", "=", "gatewayKey").where("subject_id", "=", gatewayKeyId);
    return await newestFirst("leaks", query, page, toRecord);
  }
}

function toRecord(row: Selectable<LeakTable>): LeakRecord {
  return {
    id: row.id,
    kind: row.kind,
    subjectId: row.subject_id,
    name: row.name,
    preview: row.preview,
    environmentId: row.environment_id,
    fingerprint: row.fingerprint,
    outcome: row.outcome,
    place: row.place,
    source: row.source,
    address: row.address,
    createdAtMs: Number(row.created_at_ms),
  };
}
