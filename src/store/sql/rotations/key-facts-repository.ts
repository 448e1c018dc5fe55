import type { Kysely, Selectable } from "kysely";
import type { ProviderKeyId } from "../../../core/ids/ids.ts";
import {
  type Ownership,
  strongerOwnership,
  UNKNOWN_OWNERSHIP,
} from "../../../core/keys/ownership.ts";
import type { KeyFactsRecord, RemoteKey, SecretSighting } from "../../rotation-records.ts";
import type { KeyFactsRepository, KeySighting } from "../../rotation-repositories.ts";
import { MAX_PAGE_SIZE } from "../../store.ts";
import { recordChange } from "../change-repository.ts";
import { toNullableNumber } from "../nullable-number.ts";
import type { ProviderKeyFactTable } from "../rotation-tables.ts";
import { type Connections, exclusively } from "../sql-engine.ts";
import type { Tables } from "../tables.ts";

export class SqlKeyFactsRepository implements KeyFactsRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async of(keyId: ProviderKeyId): Promise<KeyFactsRecord> {
    return await factsOf(this.#connections.read, keyId);
  }

  async ofAll(
    keyIds: readonly ProviderKeyId[],
  ): Promise<ReadonlyMap<ProviderKeyId, KeyFactsRecord>> {
    if (keyIds.length === 0) return new Map();
    const rows = await this.#connections.read
      .selectFrom("provider_key_facts")
      .selectAll()
      .where("key_id", "in", keyIds)
      .execute();
    return new Map(rows.map((row) => [row.key_id, toRecord(row)]));
  }

  async noteOwnership(keyId: ProviderKeyId, ownership: Ownership, seenAtMs: number): Promise<void> {
    await exclusively(this.#connections, (db) => noteOwnership(db, keyId, ownership, seenAtMs));
  }

  async noteSightings(sightings: readonly KeySighting[]): Promise<void> {
    if (sightings.length === 0) return;
    await exclusively(this.#connections, async (db) => {
      for (const sighting of sightings) await noteSighting(db, sighting);
    });
  }

  async setRemote(keyId: ProviderKeyId, remote: RemoteKey): Promise<void> {
    await this.#write(keyId, remoteColumns(remote));
  }

  async setSchedule(keyId: ProviderKeyId, rotateEveryDays: number | null): Promise<void> {
    await this.#write(keyId, { rotate_every_days: rotateEveryDays });
  }

  async startSecret(
    keyId: ProviderKeyId,
    { sinceMs, ownership, remote }: Parameters<KeyFactsRepository["startSecret"]>[1],
  ): Promise<void> {
    await this.#write(keyId, {
      secret_since_ms: sinceMs,
      ...ownershipColumns(ownership, sinceMs),
      ...remoteColumns(remote),
    });
  }

  async listRemotes(projectId: string): Promise<readonly RemoteKey[]> {
    const rows = await this.#connections.read
      .selectFrom("provider_key_facts")
      .innerJoin("provider_keys", "provider_keys.id", "provider_key_facts.key_id")
      .selectAll("provider_key_facts")
      .where("remote_project_id", "=", projectId)
      .where("provider_keys.revoked_at_ms", "is", null)
      .execute();
    return rows.flatMap((row) => toRecord(row).remote ?? []);
  }

  async listScheduled(): Promise<readonly KeyFactsRecord[]> {
    const rows = await this.#connections.read
      .selectFrom("provider_key_facts")
      .innerJoin("provider_keys", "provider_keys.id", "provider_key_facts.key_id")
      .selectAll("provider_key_facts")
      .where("rotate_every_days", "is not", null)
      .where("provider_keys.revoked_at_ms", "is", null)
      .orderBy("key_id")
      .limit(MAX_PAGE_SIZE)
      .execute();
    return rows.map(toRecord);
  }

  async #write(keyId: ProviderKeyId, columns: FactColumns): Promise<void> {
    await exclusively(this.#connections, (db) => writeFacts(db, keyId, columns));
  }
}

type FactColumns = Partial<{
  -readonly [Name in Exclude<keyof ProviderKeyFactTable, "key_id">]:
    | Selectable<ProviderKeyFactTable>[Name]
    | (Selectable<ProviderKeyFactTable>[Name] extends bigint | null ? number | null : never);
}>;

async function factsOf(db: Kysely<Tables>, keyId: ProviderKeyId): Promise<KeyFactsRecord> {
  const row = await db
    .selectFrom("provider_key_facts")
    .selectAll()
    .where("key_id", "=", keyId)
    .executeTakeFirst();
  return row === undefined ? { ...NOTHING_KNOWN, keyId } : toRecord(row);
}

async function writeFacts(
  db: Kysely<Tables>,
  keyId: ProviderKeyId,
  columns: FactColumns,
): Promise<void> {
  await db
    .insertInto("provider_key_facts")
    .values({ key_id: keyId, ...columns })
    .onConflict((conflict) => conflict.column("key_id").doUpdateSet(columns))
    .execute();
}

async function noteOwnership(
  db: Kysely<Tables>,
  keyId: ProviderKeyId,
  ownership: Ownership,
  seenAtMs: number,
): Promise<void> {
  const known = (await factsOf(db, keyId)).ownership;
  if (ownership.evidence === null || strongerOwnership(known, ownership) !== ownership) return;
  await writeFacts(db, keyId, ownershipColumns(ownership, seenAtMs));
  // A policy may bar the keys of such an owner: every process has to judge it anew.
  if (ownership.owner !== known.owner) await recordChange(db, "providerKey", keyId);
}

/** The first sighting of a version stands; one of a version before the newest changes nothing. */
async function noteSighting(
  db: Kysely<Tables>,
  { keyId, version, atMs, kind, ownership }: KeySighting,
): Promise<void> {
  const seen = (await factsOf(db, keyId))[kind];
  if (seen === null || seen.version < version) {
    await writeFacts(
      db,
      keyId,
      kind === "worked"
        ? { worked_version: version, worked_at_ms: atMs }
        : { refused_version: version, refused_at_ms: atMs },
    );
  }
  if (ownership !== undefined) await noteOwnership(db, keyId, ownership, atMs);
}

function ownershipColumns({ owner, evidence }: Ownership, seenAtMs: number): FactColumns {
  return {
    owner,
    owner_source: evidence?.source ?? null,
    owner_detail: evidence?.detail ?? null,
    owner_seen_at_ms: evidence === null ? null : seenAtMs,
  };
}

function remoteColumns(remote: RemoteKey | null): FactColumns {
  return {
    remote_key_id: remote?.keyId ?? null,
    remote_project_id: remote?.projectId ?? null,
    remote_service_account_id: remote?.serviceAccountId ?? null,
  };
}

const NOTHING_KNOWN: Omit<KeyFactsRecord, "keyId"> = {
  ownership: UNKNOWN_OWNERSHIP,
  ownershipSeenAtMs: null,
  remote: null,
  secretSinceMs: null,
  rotateEveryDays: null,
  worked: null,
  refused: null,
};

function toRecord(row: Selectable<ProviderKeyFactTable>): KeyFactsRecord {
  const { owner, owner_source: source, owner_detail: detail } = row;
  const { remote_key_id: remoteKeyId, remote_project_id: projectId } = row;
  return {
    keyId: row.key_id,
    ownership: {
      owner: owner ?? "unknown",
      evidence: source === null || detail === null ? null : { source, detail },
    },
    ownershipSeenAtMs: toNullableNumber(row.owner_seen_at_ms),
    remote:
      remoteKeyId === null || projectId === null
        ? null
        : { keyId: remoteKeyId, projectId, serviceAccountId: row.remote_service_account_id },
    secretSinceMs: toNullableNumber(row.secret_since_ms),
    rotateEveryDays: toNullableNumber(row.rotate_every_days),
    worked: sightingOf(row.worked_version, row.worked_at_ms),
    refused: sightingOf(row.refused_version, row.refused_at_ms),
  };
}

function sightingOf(version: bigint | null, atMs: bigint | null): SecretSighting | null {
  return version === null || atMs === null
    ? null
    : { version: Number(version), atMs: Number(atMs) };
}
