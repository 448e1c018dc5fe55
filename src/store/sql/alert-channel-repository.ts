import type { Selectable } from "kysely";
import type { AlertChannelId } from "../../core/ids/ids.ts";
import type { AlertChannelRecord } from "../alert-records.ts";
import { type AlertChannelRepository, MAX_ALERT_CHANNELS } from "../alert-repositories.ts";
import type { AlertChannelTable } from "./alert-tables.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { fromSealedColumns, toSealedColumns } from "./sealed-columns.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import { refusingTaken } from "./taken.ts";

export class SqlAlertChannelRepository implements AlertChannelRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AlertChannelRecord): Promise<void> {
    const { id, kind, sealed, preview, createdAtMs } = record;
    const values = {
      id,
      kind,
      ...toSealedColumns(sealed),
      preview,
      created_at_ms: createdAtMs,
      last_delivered_at_ms: record.lastDeliveredAtMs,
      last_failed_at_ms: record.lastFailedAtMs,
      last_problem: record.lastProblem,
      ...changeable(record),
    };
    await exclusively(this.#connections, (db) =>
      refusingTaken(this.#connections.engine, () =>
        db.insertInto("alert_channels").values(values).execute(),
      ),
    );
  }

  async findById(id: AlertChannelId): Promise<AlertChannelRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByName(name: string): Promise<AlertChannelRecord | undefined> {
    const row = await this.#rows().where("name", "=", name).executeTakeFirst();
    return row && toRecord(row);
  }

  async listAll(): Promise<readonly AlertChannelRecord[]> {
    const rows = await this.#rows()
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_ALERT_CHANNELS)
      .execute();
    return rows.map(toRecord);
  }

  async update(record: AlertChannelRecord): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await refusingTaken(this.#connections.engine, () =>
        db
          .updateTable("alert_channels")
          .set(changeable(record))
          .where("id", "=", record.id)
          .executeTakeFirst(),
      );
      return numUpdatedRows > 0n;
    });
  }

  async remove(id: AlertChannelId): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      await db.deleteFrom("alert_deliveries").where("channel_id", "=", id).execute();
      const { numDeletedRows } = await db
        .deleteFrom("alert_channels")
        .where("id", "=", id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    });
  }

  async noteAttempt(
    id: AlertChannelId,
    { atMs, problem }: Parameters<AlertChannelRepository["noteAttempt"]>[1],
  ): Promise<void> {
    await this.#connections.write
      .updateTable("alert_channels")
      .set(
        problem === null
          ? { last_delivered_at_ms: atMs, last_problem: null }
          : { last_failed_at_ms: atMs, last_problem: problem },
      )
      .where("id", "=", id)
      .execute();
  }

  #rows() {
    return this.#connections.read.selectFrom("alert_channels").selectAll();
  }
}

function changeable({ name, recipients, sender, isEnabled }: AlertChannelRecord) {
  return {
    name,
    recipients: JSON.stringify(recipients),
    sender,
    is_enabled: isEnabled ? 1 : 0,
  };
}

function toRecord(row: Selectable<AlertChannelTable>): AlertChannelRecord {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    sealed: fromSealedColumns(row),
    preview: row.preview,
    recipients: JSON.parse(row.recipients) as readonly string[],
    sender: row.sender,
    isEnabled: row.is_enabled !== 0n,
    createdAtMs: Number(row.created_at_ms),
    lastDeliveredAtMs: toNullableNumber(row.last_delivered_at_ms),
    lastFailedAtMs: toNullableNumber(row.last_failed_at_ms),
    lastProblem: row.last_problem,
  };
}
