import type { Selectable } from "kysely";
import type { EnvironmentId, ProvisionId } from "../../../core/ids/ids.ts";
import type { ProviderLimits } from "../../../core/provisioning/provider-limits.ts";
import type { Page, PageRequest } from "../../paging.ts";
import type {
  ProvisionNote,
  ProvisionRecord,
  ProvisionRepository,
} from "../../provision-repository.ts";
import { MAX_ROTATION_NOTES } from "../../rotation-records.ts";
import { MAX_PAGE_SIZE } from "../../store.ts";
import { toNullableNumber } from "../nullable-number.ts";
import { newestFirst } from "../page.ts";
import type { ProvisionTable } from "../rotation-tables.ts";
import { type Connections, exclusively } from "../sql-engine.ts";
import { refusingTaken } from "../taken.ts";
import { readSecretVersion, withoutSeal } from "./secret-columns.ts";

export class SqlProvisionRepository implements ProvisionRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: ProvisionRecord): Promise<void> {
    const values = { ...fixedColumns(record), ...changingColumns(record) };
    await exclusively(this.#connections, (db) =>
      refusingTaken(this.#connections.engine, () =>
        db.insertInto("provisions").values(values).execute(),
      ),
    );
  }

  async findById(id: ProvisionId): Promise<ProvisionRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findOpenOf(environmentId: EnvironmentId): Promise<ProvisionRecord | undefined> {
    const row = await this.#rows()
      .where("environment_id", "=", environmentId)
      .where("ended_at_ms", "is", null)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  async listOpenIds(): Promise<readonly ProvisionId[]> {
    const rows = await this.#connections.read
      .selectFrom("provisions")
      .select("id")
      .where("ended_at_ms", "is", null)
      .orderBy("created_at_ms")
      .orderBy("id")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return rows.map(({ id }) => id);
  }

  async listLookIds(untilMs?: number): Promise<readonly ProvisionId[]> {
    let rows = this.#connections.read
      .selectFrom("provisions")
      .select("id")
      .where("look_at_ms", "is not", null);
    if (untilMs !== undefined) rows = rows.where("look_at_ms", "<=", BigInt(untilMs));
    const found = await rows.orderBy("look_at_ms").orderBy("id").limit(MAX_PAGE_SIZE).execute();
    return found.map(({ id }) => id);
  }

  async list(page: PageRequest): Promise<Page<ProvisionRecord>> {
    return await newestFirst("provisions", this.#rows(), page, toRecord);
  }

  async save(record: ProvisionRecord): Promise<ProvisionRecord | undefined> {
    const changed = { ...record, revision: record.revision + 1 };
    const { numUpdatedRows } = await exclusively(this.#connections, (db) =>
      db
        .updateTable("provisions")
        .set(changingColumns(changed))
        .where("id", "=", record.id)
        .where("revision", "=", BigInt(record.revision))
        .executeTakeFirst(),
    );
    return numUpdatedRows === 0n ? undefined : changed;
  }

  #rows() {
    return this.#connections.read.selectFrom("provisions").selectAll();
  }
}

/** What is kept as JSON: the rest of the progress, and what has come of the limits. */
type KeptProgress = Pick<
  ProvisionRecord,
  | "stateSinceMs"
  | "attempts"
  | "nextAttemptAtMs"
  | "problem"
  | "failedIn"
  | "outcomes"
  | "isVerified"
  | "isHeld"
  | "lateLook"
>;

function fixedColumns(record: ProvisionRecord) {
  return {
    id: record.id,
    environment_id: record.environmentId,
    account_id: record.accountId,
    key_id: record.keyId,
    key_name: record.keyName,
    remote_name: record.remoteName,
    limits: JSON.stringify(record.limits),
    created_by: record.createdBy,
    created_at_ms: record.createdAtMs,
  };
}

function changingColumns(record: ProvisionRecord) {
  const { secret } = record;
  return {
    revision: record.revision,
    state: record.state,
    progress: JSON.stringify(keptProgress(record)),
    project_id: record.projectId,
    secret: secret === null ? null : JSON.stringify(withoutSeal(secret)),
    data_key_id: secret?.sealed?.dataKeyId ?? null,
    nonce: secret?.sealed?.nonce ?? null,
    ciphertext: secret?.sealed?.ciphertext ?? null,
    notes: JSON.stringify(record.notes.slice(-MAX_ROTATION_NOTES)),
    ended_at_ms: record.endedAtMs,
    look_at_ms: record.lateLook?.atMs ?? null,
  };
}

function keptProgress(record: ProvisionRecord): KeptProgress {
  const { stateSinceMs, attempts, nextAttemptAtMs, problem, failedIn } = record;
  const { outcomes, isVerified, isHeld, lateLook } = record;
  const progress = { stateSinceMs, attempts, nextAttemptAtMs, problem, failedIn };
  return { ...progress, outcomes, isVerified, isHeld, lateLook };
}

function toRecord(row: Selectable<ProvisionTable>): ProvisionRecord {
  const { data_key_id: dataKeyId, nonce, ciphertext } = row;
  const progress = JSON.parse(row.progress) as KeptProgress;
  return {
    id: row.id,
    environmentId: row.environment_id,
    accountId: row.account_id,
    keyId: row.key_id,
    keyName: row.key_name,
    revision: Number(row.revision),
    state: row.state,
    remoteName: row.remote_name,
    limits: JSON.parse(row.limits) as ProviderLimits,
    ...progress,
    // Nothing is written of it in rows from before there was any.
    isHeld: progress.isHeld ?? false,
    lateLook: progress.lateLook ?? null,
    projectId: row.project_id,
    secret:
      row.secret === null ? null : readSecretVersion(row.secret, { dataKeyId, nonce, ciphertext }),
    notes: JSON.parse(row.notes) as ProvisionNote[],
    createdBy: row.created_by,
    createdAtMs: Number(row.created_at_ms),
    endedAtMs: toNullableNumber(row.ended_at_ms),
  };
}
