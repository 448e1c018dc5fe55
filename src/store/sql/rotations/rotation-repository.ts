import type { Selectable } from "kysely";
import type { ProviderKeyId, RotationId } from "../../../core/ids/ids.ts";
import type { RotationProgress } from "../../../core/rotation/rotation.ts";
import type { Page, PageRequest } from "../../paging.ts";
import {
  MAX_ROTATION_NOTES,
  type RotationNote,
  type RotationRecord,
} from "../../rotation-records.ts";
import { MAX_OPEN_ROTATIONS, type RotationRepository } from "../../rotation-repositories.ts";
import { toNullableNumber } from "../nullable-number.ts";
import { newestFirst } from "../page.ts";
import type { RotationTable } from "../rotation-tables.ts";
import { type Connections, exclusively } from "../sql-engine.ts";
import { refusingTaken } from "../taken.ts";
import { readSecretVersion, withoutSeal } from "./secret-columns.ts";

export class SqlRotationRepository implements RotationRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: RotationRecord): Promise<void> {
    const values = { ...fixedColumns(record), ...changingColumns(record) };
    await exclusively(this.#connections, (db) =>
      refusingTaken(this.#connections.engine, () =>
        db.insertInto("rotations").values(values).execute(),
      ),
    );
  }

  async findById(id: RotationId): Promise<RotationRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findOpenOf(keyId: ProviderKeyId): Promise<RotationRecord | undefined> {
    const row = await this.#rows()
      .where("key_id", "=", keyId)
      .where("ended_at_ms", "is", null)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async findOpenIds(
    keyIds: readonly ProviderKeyId[],
  ): Promise<ReadonlyMap<ProviderKeyId, RotationId>> {
    if (keyIds.length === 0) return new Map();
    const rows = await this.#connections.read
      .selectFrom("rotations")
      .select(["id", "key_id"])
      .where("key_id", "in", keyIds)
      .where("ended_at_ms", "is", null)
      .execute();
    return new Map(rows.map((row) => [row.key_id, row.id]));
  }

  async findByOldSecret(fingerprint: string): Promise<RotationRecord | undefined> {
    const row = await this.#rows()
      .where("old_fingerprint", "=", fingerprint)
      .orderBy("created_at_ms", "desc")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async listOpenIds(): Promise<readonly RotationId[]> {
    const rows = await this.#connections.read
      .selectFrom("rotations")
      .select("id")
      .where("ended_at_ms", "is", null)
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_OPEN_ROTATIONS)
      .execute();
    return rows.map(({ id }) => id);
  }

  async listLookIds(untilMs?: number): Promise<readonly RotationId[]> {
    let rows = this.#connections.read
      .selectFrom("rotations")
      .select("id")
      .where("look_at_ms", "is not", null);
    if (untilMs !== undefined) rows = rows.where("look_at_ms", "<=", BigInt(untilMs));
    const found = await rows
      .orderBy("look_at_ms")
      .orderBy("id")
      .limit(MAX_OPEN_ROTATIONS)
      .execute();
    return found.map(({ id }) => id);
  }

  async list(
    page: PageRequest,
    { keyId, isOpen }: Parameters<RotationRepository["list"]>[1] = {},
  ): Promise<Page<RotationRecord>> {
    let rows = this.#rows();
    if (keyId !== undefined) rows = rows.where("key_id", "=", keyId);
    if (isOpen !== undefined) rows = rows.where("ended_at_ms", isOpen ? "is" : "is not", null);
    return await newestFirst("rotations", rows, page, toRecord);
  }

  async save(record: RotationRecord): Promise<RotationRecord | undefined> {
    const revision = record.revision + 1;
    const changed = { ...record, revision };
    const { numUpdatedRows } = await exclusively(this.#connections, (db) =>
      db
        .updateTable("rotations")
        .set(changingColumns(changed))
        .where("id", "=", record.id)
        .where("revision", "=", BigInt(record.revision))
        .executeTakeFirst(),
    );
    return numUpdatedRows === 0n ? undefined : changed;
  }

  #rows() {
    return this.#connections.read.selectFrom("rotations").selectAll();
  }
}

/** What is kept as JSON: the rest of the progress, and how the old secret fares. */
type KeptProgress = Omit<RotationProgress, "state" | "way" | "endedAtMs"> &
  Pick<
    RotationRecord,
    "isOldExpiring" | "oldFate" | "oldCheckAtMs" | "oldRefusedAtMs" | "isHeld" | "lateLook"
  >;

function fixedColumns(record: RotationRecord) {
  return {
    id: record.id,
    key_id: record.keyId,
    account_id: record.accountId,
    environment_id: record.environmentId,
    way: record.way,
    trigger_kind: record.trigger,
    remote_name: record.remoteName,
    created_by: record.createdBy,
    created_at_ms: record.createdAtMs,
  };
}

function changingColumns(record: RotationRecord) {
  const { old, next } = record;
  return {
    revision: record.revision,
    state: record.state,
    progress: JSON.stringify(keptProgress(record)),
    old_secret: JSON.stringify(withoutSeal(old)),
    old_data_key_id: old.sealed?.dataKeyId ?? null,
    old_nonce: old.sealed?.nonce ?? null,
    old_ciphertext: old.sealed?.ciphertext ?? null,
    old_fingerprint: old.fingerprint,
    next_secret: next === null ? null : JSON.stringify(withoutSeal(next)),
    next_data_key_id: next?.sealed?.dataKeyId ?? null,
    next_nonce: next?.sealed?.nonce ?? null,
    next_ciphertext: next?.sealed?.ciphertext ?? null,
    notes: JSON.stringify(record.notes.slice(-MAX_ROTATION_NOTES)),
    ended_at_ms: record.endedAtMs,
    look_at_ms: lookAtMs(record),
  };
}

/** The sooner of the two things that an ended one is looked after for. */
function lookAtMs({ lateLook, oldCheckAtMs }: RotationRecord): number | null {
  const times = [lateLook?.atMs, oldCheckAtMs].filter((time) => time != null);
  return times.length === 0 ? null : Math.min(...times);
}

function keptProgress(record: RotationRecord): KeptProgress {
  return {
    isCompromise: record.isCompromise,
    observeMs: record.observeMs,
    graceMs: record.graceMs,
    stateSinceMs: record.stateSinceMs,
    isVerified: record.isVerified,
    activatedAtMs: record.activatedAtMs,
    graceUntilMs: record.graceUntilMs,
    attempts: record.attempts,
    nextAttemptAtMs: record.nextAttemptAtMs,
    problem: record.problem,
    failedIn: record.failedIn,
    isOldExpiring: record.isOldExpiring,
    oldFate: record.oldFate,
    oldCheckAtMs: record.oldCheckAtMs,
    oldRefusedAtMs: record.oldRefusedAtMs,
    isHeld: record.isHeld,
    lateLook: record.lateLook,
  };
}

function toRecord(row: Selectable<RotationTable>): RotationRecord {
  const progress = JSON.parse(row.progress) as KeptProgress;
  return {
    id: row.id,
    keyId: row.key_id,
    accountId: row.account_id,
    environmentId: row.environment_id,
    revision: Number(row.revision),
    state: row.state,
    way: row.way,
    trigger: row.trigger_kind,
    remoteName: row.remote_name,
    ...progress,
    // Nothing is written of them in rows from before there were any.
    isHeld: progress.isHeld ?? false,
    lateLook: progress.lateLook ?? null,
    oldRefusedAtMs: progress.oldRefusedAtMs ?? null,
    oldCheckAtMs:
      progress.oldCheckAtMs === undefined
        ? toNullableNumber(row.look_at_ms)
        : progress.oldCheckAtMs,
    old: readSecretVersion(row.old_secret, {
      dataKeyId: row.old_data_key_id,
      nonce: row.old_nonce,
      ciphertext: row.old_ciphertext,
    }),
    next:
      row.next_secret === null
        ? null
        : readSecretVersion(row.next_secret, {
            dataKeyId: row.next_data_key_id,
            nonce: row.next_nonce,
            ciphertext: row.next_ciphertext,
          }),
    notes: JSON.parse(row.notes) as RotationNote[],
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: toNullableNumber(row.ended_at_ms),
  };
}
