import { DatabaseSync } from "node:sqlite";
import type { AdminTokenId, GatewayKeyId, MemberId, ProviderKeyId } from "../../core/ids/ids.ts";
import type { MemberRecord } from "../access-records.ts";

/** Who is let in by a database, as far as it may have changed since a backup of it. */
export interface AccessState {
  /** Of keys that are not revoked, the secrets that open them: oldest first, so that the last is the key's own. */
  readonly gatewayKeySecrets: ReadonlyMap<GatewayKeyId, readonly HoldingSecret[]>;
  readonly revokedGatewayKeys: readonly GatewayKeyId[];
  readonly revokedProviderKeys: readonly ProviderKeyId[];
  readonly revokedAdminTokens: readonly AdminTokenId[];
  readonly removedMembers: readonly MemberId[];
  /** Those who were not removed. */
  readonly members: readonly Pick<
    MemberRecord,
    "id" | "role" | "environments" | "passwordHash" | "subject"
  >[];
  /** From when on keys that are not revoked are refused. */
  readonly keyEnds: readonly { readonly id: GatewayKeyId; readonly expiresAtMs: number }[];
}

interface HoldingSecret {
  readonly hash: string;
  readonly preview: string;
  /** Null for the key's own. */
  readonly validUntilMs: number | null;
}

/** A change that somebody made by hand, as the audit log tells it. */
export interface HandChange {
  readonly sequence: number;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
}

const MAX_HAND_CHANGES = 1000;

/**
 * The changes after an entry of the audit log, newest first, at most a thousand. Undefined for what can't be read, and where the log of this
 * database does not lead through that entry.
 */
export function readChangesSince(
  path: string,
  since: { readonly sequence: number; readonly hash: string },
): readonly HandChange[] | undefined {
  return reading(path, (database) => {
    if (!leadsThrough(database, since)) return undefined;
    const rows = database
      .prepare(
        `select sequence, at_ms as atMs, actor_name as actor, action,
           coalesce(target_name, target_id) as target
         from audit_entries where sequence > ? order by sequence desc limit ?`,
      )
      .all(since.sequence, MAX_HAND_CHANGES);
    return rows as unknown as readonly HandChange[];
  });
}

/** An entry of the audit log, as it was written. */
interface LoggedChange {
  readonly sequence: number;
  readonly action: string;
  readonly targetId: string;
  /** A JSON object of what changed. */
  readonly after: string | null;
}

/** All entries of these actions after an entry of the log, oldest first. Undefined where `readChangesSince` is. */
export function readActionsSince(
  path: string,
  since: { readonly sequence: number; readonly hash: string },
  actions: readonly string[],
): readonly LoggedChange[] | undefined {
  return reading(path, (database) => {
    if (!leadsThrough(database, since)) return undefined;
    const rows = database
      .prepare(
        `select sequence, action, target_id as targetId, after_text as after from audit_entries
         where sequence > ? and action in (select value from json_each(?)) order by sequence`,
      )
      .all(since.sequence, JSON.stringify(actions));
    return rows as unknown as readonly LoggedChange[];
  });
}

function leadsThrough(
  database: DatabaseSync,
  { sequence, hash }: { readonly sequence: number; readonly hash: string },
): boolean {
  const known = database
    .prepare("select 1 from audit_entries where sequence = ? and hash = ?")
    .get(sequence, hash);
  return known !== undefined;
}

/** Undefined for what can't be read: a damaged file, or another version's. */
export function readAccessState(path: string, nowMs: number): AccessState | undefined {
  return reading(path, (database) => {
    const all = (query: string, ...values: number[]) => database.prepare(query).all(...values);
    const ids = (query: string, ...values: number[]) => all(query, ...values).map(({ id }) => id);
    const state = {
      gatewayKeySecrets: secretsByKey(
        all(
          `select k.id, s.hash, s.preview, s.valid_until_ms as validUntilMs
           from gateway_key_secrets s join gateway_keys k on k.id = s.key_id
           where k.revoked_at_ms is null and s.valid_until_ms > ? order by s.superseded_at_ms`,
          nowMs,
        ),
        all(
          `select id, hash, preview, null as validUntilMs from gateway_keys
           where revoked_at_ms is null`,
        ),
      ),
      revokedGatewayKeys: ids("select id from gateway_keys where revoked_at_ms is not null"),
      revokedProviderKeys: ids("select id from provider_keys where revoked_at_ms is not null"),
      revokedAdminTokens: ids("select id from admin_tokens where revoked_at_ms is not null"),
      removedMembers: ids("select id from members where removed_at_ms is not null"),
      members: all(
        `select id, role, environments, password_hash as passwordHash, subject
         from members where removed_at_ms is null`,
      ).map((row) => ({ ...row, environments: parseList(row["environments"]) })),
      keyEnds: all(
        `select id, expires_at_ms as expiresAtMs from gateway_keys
         where revoked_at_ms is null and expires_at_ms is not null`,
      ),
    };
    // Strict tables: the columns are texts, and times are within a number's reach.
    return state as unknown as AccessState;
  });
}

type Row = Readonly<Record<string, unknown>>;

function secretsByKey(...rows: readonly (readonly Row[])[]): Map<unknown, Row[]> {
  const byKey = new Map<unknown, Row[]>();
  for (const { id, ...secret } of rows.flat()) byKey.set(id, [...(byKey.get(id) ?? []), secret]);
  return byKey;
}

function parseList(text: unknown): unknown {
  return typeof text === "string" ? JSON.parse(text) : null;
}

function reading<Result>(
  path: string,
  read: (database: DatabaseSync) => Result,
): Result | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    return read(database);
  } catch (error) {
    if (error instanceof Error && "errcode" in error) return undefined;
    throw error;
  } finally {
    database?.close();
  }
}
