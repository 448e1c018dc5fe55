import { type SelectQueryBuilder, type Selectable, sql } from "kysely";
import type { EnvironmentId, GatewayKeyId } from "../../core/ids/ids.ts";
import type {
  GatewayKeyChange,
  GatewayKeyFilter,
  GatewayKeyRepository,
  PresentedKeyRecord,
  SupersededSecretRecord,
  UnusedFilter,
} from "../gateway-key-repository.ts";
import type { GatewayKeyRecord } from "../records.ts";
import type { Page, PageRequest } from "../store.ts";
import { formatList, parseList } from "./access/json-list.ts";
import { partsOf } from "./bulk-insert.ts";
import { recordChange, recordChanges } from "./change-repository.ts";
import type { GatewayKeyTable } from "./gateway-key-tables.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { newestFirst } from "./page.ts";
import { endSecrets, replaceSecret, withdrawSecret } from "./replace-secrets.ts";
import { type Connections, exclusively } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";
import { refusingTaken } from "./taken.ts";

export class SqlGatewayKeyRepository implements GatewayKeyRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(record: GatewayKeyRecord): Promise<void> {
    const values = toRow(record);
    await exclusively(this.#connections, async (db) => {
      await refusingTaken(this.#connections.engine, () =>
        db.insertInto("gateway_keys").values(values).execute(),
      );
      await recordChange(db, "gatewayKey", record.id);
    });
  }

  async findById(id: GatewayKeyId): Promise<GatewayKeyRecord | undefined> {
    const row = await this.#rows().where("id", "=", id).executeTakeFirst();
    return row && toRecord(row);
  }

  async findByHash(hash: string): Promise<PresentedKeyRecord | undefined> {
    const row = await this.#rows().where("hash", "=", hash).executeTakeFirst();
    if (row !== undefined) return { ...toRecord(row), superseded: null };
    const secret = await this.#connections.read
      .selectFrom("gateway_key_secrets")
      .selectAll()
      .where("hash", "=", hash)
      .executeTakeFirst();
    if (secret === undefined) return undefined;
    const key = await this.findById(secret.key_id);
    return key && { ...key, superseded: toSuperseded(secret) };
  }

  async list(page: PageRequest, filter: GatewayKeyFilter = {}): Promise<Page<GatewayKeyRecord>> {
    return await newestFirst("gatewayKeys", filtered(this.#rows(), filter), page, toRecord);
  }

  async countUnrevoked(environmentId: EnvironmentId, atMost: number): Promise<number> {
    const { count } = await this.#connections.read
      .selectFrom((from) =>
        from
          .selectFrom("gateway_keys")
          .select("environment_id")
          .where("environment_id", "=", environmentId)
          .where("revoked_at_ms", "is", null)
          .limit(atMost)
          .as("counted"),
      )
      .select(({ fn }) => fn.countAll<bigint>().as("count"))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async update(id: GatewayKeyId, change: GatewayKeyChange): Promise<boolean> {
    const values = toChangedColumns(change);
    if (Object.keys(values).length === 0) return (await this.findById(id)) !== undefined;
    return await exclusively(this.#connections, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("gateway_keys")
        .set(values)
        .where("id", "=", id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await recordChange(db, "gatewayKey", id);
      return true;
    });
  }

  async replaceSecret(
    id: GatewayKeyId,
    change: Parameters<GatewayKeyRepository["replaceSecret"]>[1],
  ): Promise<boolean> {
    return await exclusively(this.#connections, (db) => replaceSecret(db, id, change));
  }

  async withdrawSecret(id: GatewayKeyId, nowMs: number): Promise<boolean> {
    return await exclusively(this.#connections, (db) => withdrawSecret(db, id, nowMs));
  }

  async endSuperseded(
    id: GatewayKeyId,
    nowMs: number,
    but: readonly string[] = [],
  ): Promise<number> {
    return await exclusively(this.#connections, (db) => endSecrets(db, id, { nowMs, but }));
  }

  async supersededOf(
    ids: readonly GatewayKeyId[],
    nowMs: number,
  ): Promise<readonly SupersededSecretRecord[]> {
    if (ids.length === 0) return [];
    const rows = await this.#connections.read
      .selectFrom("gateway_key_secrets")
      .selectAll()
      .where("key_id", "in", ids)
      .where("valid_until_ms", ">", BigInt(nowMs))
      .orderBy("key_id")
      .orderBy("superseded_at_ms", "desc")
      .execute();
    return rows.map((row) => ({
      ...toSuperseded(row),
      keyId: row.key_id,
      preview: row.preview,
    }));
  }

  async lastUsesOf(ids: readonly GatewayKeyId[]): Promise<ReadonlyMap<GatewayKeyId, number>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#connections.read
      .selectFrom("gateway_key_uses")
      .selectAll()
      .where("key_id", "in", ids)
      .execute();
    return new Map(rows.map((row) => [row.key_id, Number(row.used_at_ms)]));
  }

  async revoke(id: GatewayKeyId, revokedAtMs: number): Promise<boolean> {
    return (await this.revokeMany([id], revokedAtMs)) === 1;
  }

  async revokeMany(ids: readonly GatewayKeyId[], revokedAtMs: number): Promise<number> {
    return await exclusively(this.#connections, async (db) => {
      let count = 0;
      for (const part of partsOf(ids)) {
        const revoked = await db
          .updateTable("gateway_keys")
          .set({ revoked_at_ms: revokedAtMs })
          .where("id", "in", part)
          .where("revoked_at_ms", "is", null)
          .returning("id")
          .execute();
        const revokedIds = revoked.map(({ id }) => id);
        await recordChanges(db, "gatewayKey", revokedIds);
        count += revokedIds.length;
      }
      return count;
    });
  }

  #rows() {
    return this.#connections.read.selectFrom("gateway_keys").selectAll();
  }
}

type KeyQuery = SelectQueryBuilder<Tables, "gateway_keys", Selectable<GatewayKeyTable>>;

function filtered(query: KeyQuery, filter: GatewayKeyFilter): KeyQuery {
  const { environmentId, projectId, customerId, keyPrefix, namePrefix, unused } = filter;
  let rows = query;
  if (environmentId !== undefined) rows = rows.where("environment_id", "=", environmentId);
  if (projectId !== undefined) rows = rows.where("project_id", "=", projectId);
  if (customerId !== undefined) rows = rows.where("customer_id", "=", customerId);
  if (keyPrefix !== undefined) rows = rows.where(begins("preview", keyPrefix));
  if (namePrefix !== undefined) rows = rows.where(begins("name", namePrefix));
  if (filter.isUnrevoked === true) rows = rows.where("revoked_at_ms", "is", null);
  return unused === undefined ? rows : onlyUnused(rows, unused);
}

/** To the letter: what `like` would take for a pattern is none here. */
function begins(column: "preview" | "name", prefix: string) {
  return sql<boolean>`substr(${sql.ref(column)}, 1, ${Array.from(prefix).length}) = ${prefix}`;
}

function onlyUnused(rows: KeyQuery, { sinceMs, nowMs }: UnusedFilter): KeyQuery {
  const usable = rows
    .where("revoked_at_ms", "is", null)
    .where((where) =>
      where.or([where("expires_at_ms", "is", null), where("expires_at_ms", ">", BigInt(nowMs))]),
    );
  const old = sinceMs === null ? usable : usable.where("created_at_ms", "<", BigInt(sinceMs));
  return old.where((where) => {
    const uses = where
      .selectFrom("gateway_key_uses")
      .select("key_id")
      .whereRef("gateway_key_uses.key_id", "=", "gateway_keys.id");
    const since = sinceMs === null ? uses : uses.where("used_at_ms", ">=", BigInt(sinceMs));
    return where.not(where.exists(since));
  });
}

function toRow(record: GatewayKeyRecord) {
  return {
    id: record.id,
    name: record.name,
    project_id: record.projectId,
    environment_id: record.environmentId,
    customer_id: record.customerId,
    hash: record.hash,
    preview: record.preview,
    allowed_models: formatList(record.allowedModels),
    allowed_endpoints: formatList(record.allowedEndpoints),
    allowed_ips: formatList(record.allowedIps),
    is_for_browsers: record.isForBrowsers ? 1 : 0,
    created_at_ms: record.createdAtMs,
    expires_at_ms: record.expiresAtMs,
    revoked_at_ms: record.revokedAtMs,
  };
}

function toChangedColumns(change: GatewayKeyChange) {
  const { name, expiresAtMs, allowedModels, allowedEndpoints, allowedIps, isForBrowsers } = change;
  return {
    ...(name !== undefined && { name }),
    ...(expiresAtMs !== undefined && { expires_at_ms: expiresAtMs }),
    ...(allowedModels !== undefined && { allowed_models: formatList(allowedModels) }),
    ...(allowedEndpoints !== undefined && { allowed_endpoints: formatList(allowedEndpoints) }),
    ...(allowedIps !== undefined && { allowed_ips: formatList(allowedIps) }),
    ...(isForBrowsers !== undefined && { is_for_browsers: isForBrowsers ? 1 : 0 }),
  };
}

function toRecord(row: Selectable<GatewayKeyTable>): GatewayKeyRecord {
  return {
    id: row.id,
    name: row.name,
    projectId: row.project_id,
    environmentId: row.environment_id,
    customerId: row.customer_id,
    hash: row.hash,
    preview: row.preview,
    allowedModels: parseList(row.allowed_models),
    allowedEndpoints: parseList(row.allowed_endpoints),
    allowedIps: parseList(row.allowed_ips),
    isForBrowsers: row.is_for_browsers === 1n,
    createdAtMs: Number(row.created_at_ms),
    expiresAtMs: toNullableNumber(row.expires_at_ms),
    revokedAtMs: toNullableNumber(row.revoked_at_ms),
  };
}

function toSuperseded(row: Selectable<Tables["gateway_key_secrets"]>) {
  return {
    supersededAtMs: Number(row.superseded_at_ms),
    validUntilMs: Number(row.valid_until_ms),
    reason: row.reason,
  };
}
