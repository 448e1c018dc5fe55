import type { Kysely } from "kysely";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import type { SupersessionReason } from "../../core/keys/superseded-secret.ts";
import { recordChange } from "./change-repository.ts";
import type { Tables } from "./tables.ts";

/** Secrets that hold no more and are still told apart from such that never were, for each key. */
const MAX_ENDED_SECRETS = 20;

interface Secret {
  readonly hash: string;
  readonly preview: string;
}

/** Within an exclusive transaction, as everything here. */
export async function replaceSecret(
  db: Kysely<Tables>,
  id: GatewayKeyId,
  change: Secret & { readonly nowMs: number; readonly validUntilMs: number },
): Promise<boolean> {
  const { hash, preview, nowMs, validUntilMs } = change;
  const current = await currentSecret(db, id);
  if (current === undefined) return false;
  await setAside(db, id, { ...current, nowMs, validUntilMs, reason: "replaced" });
  await forgetEnded(db, id, nowMs);
  // Where a backup was restored it may be one that the key had before.
  await db.deleteFrom("gateway_key_secrets").where("hash", "=", hash).execute();
  await putInPlace(db, id, { hash, preview });
  return true;
}

export async function withdrawSecret(
  db: Kysely<Tables>,
  id: GatewayKeyId,
  nowMs: number,
): Promise<boolean> {
  const current = await currentSecret(db, id);
  const before = await db
    .selectFrom("gateway_key_secrets")
    .select(["hash", "preview", "valid_until_ms"])
    .where("key_id", "=", id)
    .where("reason", "=", "replaced")
    .orderBy("superseded_at_ms", "desc")
    .limit(1)
    .executeTakeFirst();
  if (current === undefined || before === undefined) return false;
  if (before.valid_until_ms <= BigInt(nowMs)) return false;
  await db.deleteFrom("gateway_key_secrets").where("hash", "=", before.hash).execute();
  await setAside(db, id, { ...current, nowMs, validUntilMs: nowMs, reason: "withdrawn" });
  await putInPlace(db, id, { hash: before.hash, preview: before.preview });
  return true;
}

export async function endSecrets(
  db: Kysely<Tables>,
  id: GatewayKeyId,
  { nowMs, but }: { readonly nowMs: number; readonly but: readonly string[] },
): Promise<number> {
  const holding = db
    .updateTable("gateway_key_secrets")
    .set({ valid_until_ms: nowMs })
    .where("key_id", "=", id)
    .where("valid_until_ms", ">", BigInt(nowMs));
  const meant = but.length === 0 ? holding : holding.where("hash", "not in", but);
  const { numUpdatedRows } = await meant.executeTakeFirst();
  if (numUpdatedRows > 0n) await recordChange(db, "gatewayKey", id);
  return Number(numUpdatedRows);
}

async function currentSecret(db: Kysely<Tables>, id: GatewayKeyId): Promise<Secret | undefined> {
  return await db
    .selectFrom("gateway_keys")
    .select(["hash", "preview"])
    .where("id", "=", id)
    .where("revoked_at_ms", "is", null)
    .executeTakeFirst();
}

async function setAside(
  db: Kysely<Tables>,
  id: GatewayKeyId,
  secret: Secret & {
    readonly nowMs: number;
    readonly validUntilMs: number;
    readonly reason: SupersessionReason;
  },
): Promise<void> {
  const { nowMs, validUntilMs, ...row } = secret;
  const last = await db
    .selectFrom("gateway_key_secrets")
    .select(({ fn }) => fn.max("superseded_at_ms").as("ms"))
    .where("key_id", "=", id)
    .executeTakeFirst();
  const afterLastMs = Number(last?.ms ?? -1) + 1;
  const supersededAtMs = Math.max(nowMs, afterLastMs);
  await db
    .insertInto("gateway_key_secrets")
    .values({
      ...row,
      key_id: id,
      superseded_at_ms: supersededAtMs,
      valid_until_ms: validUntilMs,
    })
    .execute();
}

async function putInPlace(db: Kysely<Tables>, id: GatewayKeyId, secret: Secret): Promise<void> {
  await db.updateTable("gateway_keys").set(secret).where("id", "=", id).execute();
  await recordChange(db, "gatewayKey", id);
}

async function forgetEnded(db: Kysely<Tables>, id: GatewayKeyId, nowMs: number): Promise<void> {
  const kept = await db
    .selectFrom("gateway_key_secrets")
    .select("superseded_at_ms")
    .where("key_id", "=", id)
    .orderBy("superseded_at_ms", "desc")
    .offset(MAX_ENDED_SECRETS)
    .limit(1)
    .executeTakeFirst();
  if (kept === undefined) return;
  await db
    .deleteFrom("gateway_key_secrets")
    .where("key_id", "=", id)
    .where("superseded_at_ms", "<=", kept.superseded_at_ms)
    .where("valid_until_ms", "<=", BigInt(nowMs))
    .execute();
}
