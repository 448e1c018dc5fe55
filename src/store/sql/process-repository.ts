import { type Selectable, sql } from "kysely";
import type { ProcessId } from "../../core/ids/ids.ts";
import type { NewProcess, ProcessRecord } from "../records.ts";
import { MAX_PAGE_SIZE, type ProcessRepository } from "../store.ts";
import type { Connections } from "./sql-engine.ts";
import type { ProcessTable } from "./tables.ts";

export class SqlProcessRepository implements ProcessRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async register({ id, dataDirectoryId, hostName, pid, version }: NewProcess): Promise<void> {
    const { write, engine } = this.#connections;
    await write
      .insertInto("processes")
      .values({
        id,
        data_directory_id: dataDirectoryId,
        host_name: hostName,
        pid,
        version,
        started_at_ms: engine.nowMs,
        heartbeat_at_ms: engine.nowMs,
        stopped_at_ms: null,
      })
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet({ heartbeat_at_ms: engine.nowMs, stopped_at_ms: null }),
      )
      .execute();
  }

  async beat(id: ProcessId): Promise<boolean> {
    const { write, engine } = this.#connections;
    const { numUpdatedRows } = await write
      .updateTable("processes")
      .set({ heartbeat_at_ms: engine.nowMs })
      .where("id", "=", id)
      .where("stopped_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async end(id: ProcessId): Promise<boolean> {
    const { write, engine } = this.#connections;
    const { numUpdatedRows } = await write
      .updateTable("processes")
      .set({ stopped_at_ms: engine.nowMs })
      .where("id", "=", id)
      .where("stopped_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async findById(id: ProcessId): Promise<ProcessRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async listRunning(): Promise<readonly ProcessRecord[]> {
    const rows = await this.#running().execute();
    return rows.map(toRecord);
  }

  async listSilent(silentForMs: number): Promise<readonly ProcessRecord[]> {
    const rows = await this.#running()
      .where(
        "heartbeat_at_ms",
        "<=",
        sql<bigint>`${this.#connections.engine.nowMs} - ${silentForMs}`,
      )
      .execute();
    return rows.map(toRecord);
  }

  async removeStopped(stoppedForMs: number): Promise<number> {
    const { write, engine } = this.#connections;
    const { numDeletedRows } = await write
      .deleteFrom("processes")
      .where("stopped_at_ms", "<=", sql<bigint>`${engine.nowMs} - ${stoppedForMs}`)
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  #rows() {
    const { read, engine } = this.#connections;
    return read
      .selectFrom("processes")
      .selectAll()
      .select(sql<bigint>`${engine.nowMs} - heartbeat_at_ms`.as("silent_for_ms"));
  }

  #running() {
    return this.#rows()
      .where("stopped_at_ms", "is", null)
      .orderBy("heartbeat_at_ms")
      .orderBy("id")
      .limit(MAX_PAGE_SIZE);
  }
}

type ProcessRow = Selectable<ProcessTable> & { readonly silent_for_ms: bigint };

function toRecord(row: ProcessRow): ProcessRecord {
  return {
    id: row.id,
    dataDirectoryId: row.data_directory_id,
    hostName: row.host_name,
    pid: Number(row.pid),
    version: row.version,
    startedAtMs: Number(row.started_at_ms),
    heartbeatAtMs: Number(row.heartbeat_at_ms),
    // Less than nothing after the database's clock stepped back.
    silentForMs: Math.max(0, Number(row.silent_for_ms)),
    stoppedAtMs: row.stopped_at_ms === null ? null : Number(row.stopped_at_ms),
  };
}
