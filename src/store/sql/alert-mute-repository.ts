import type { Selectable } from "kysely";
import type { AlertMuteId } from "../../core/ids/ids.ts";
import type { AlertMuteRecord } from "../alert-records.ts";
import { type AlertMuteRepository, MAX_ALERT_MUTES } from "../alert-repositories.ts";
import type { Page, PageRequest } from "../paging.ts";
import type { AlertMuteTable } from "./alert-tables.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { newestFirst } from "./page.ts";
import type { Connections } from "./sql-engine.ts";

export class SqlAlertMuteRepository implements AlertMuteRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: AlertMuteRecord): Promise<void> {
    const { id, ruleId, subject, untilMs, reason, createdBy, createdAtMs, endedAtMs } = record;
    await this.#connections.write
      .insertInto("alert_mutes")
      .values({
        id,
        rule_id: ruleId,
        subject_kind: subject?.kind ?? null,
        subject_id: subject?.id ?? null,
        until_ms: untilMs,
        reason,
        created_by: createdBy,
        created_at_ms: createdAtMs,
        ended_at_ms: endedAtMs,
      })
      .execute();
  }

  async findById(id: AlertMuteId): Promise<AlertMuteRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async listActive(nowMs: number): Promise<readonly AlertMuteRecord[]> {
    const rows = await this.#rows()
      .where("ended_at_ms", "is", null)
      .where("until_ms", ">", BigInt(nowMs))
      .orderBy("until_ms")
      .orderBy("id")
      .limit(MAX_ALERT_MUTES)
      .execute();
    return rows.map(toRecord);
  }

  async list(page: PageRequest): Promise<Page<AlertMuteRecord>> {
    return await newestFirst("alertMutes", this.#rows(), page, toRecord);
  }

  async end(id: AlertMuteId, atMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("alert_mutes")
      .set({ ended_at_ms: atMs })
      .where("id", "=", id)
      .where("ended_at_ms", "is", null)
      .where("until_ms", ">", BigInt(atMs))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  #rows() {
    return this.#connections.read.selectFrom("alert_mutes").selectAll();
  }
}

function toRecord(row: Selectable<AlertMuteTable>): AlertMuteRecord {
  const { subject_kind: kind, subject_id: id } = row;
  return {
    id: row.id,
    ruleId: row.rule_id,
    subject: kind === null || id === null ? null : { kind, id },
    untilMs: Number(row.until_ms),
    reason: row.reason,
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: toNullableNumber(row.ended_at_ms),
  };
}
