import { DatabaseSync } from "node:sqlite";
import type { AdminTokenId, GatewayKeyId, MemberId, ProviderKeyId } from "../../core/ids/ids.ts";

/** Who is let in by a database, as far as it may have changed since a backup of it. */
export interface AccessState {
  /** Those that are not revoked, with what their secrets hash to. */
  readonly gatewayKeySecrets: readonly {
    readonly id: GatewayKeyId;
    readonly hash: string;
    readonly preview: string;
  }[];
  /** That had a secret before, which holds no more. */
  readonly keysWithEndedSecrets: readonly GatewayKeyId[];
  readonly revokedGatewayKeys: readonly GatewayKeyId[];
  readonly revokedProviderKeys: readonly ProviderKeyId[];
  readonly revokedAdminTokens: readonly AdminTokenId[];
  readonly removedMembers: readonly MemberId[];
}

/** Undefined for what can't be read: a damaged file, or another version's. */
export function readAccessState(path: string, nowMs: number): AccessState | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const statements = database;
    const all = (query: string, ...values: number[]) => statements.prepare(query).all(...values);
    const ids = (query: string, ...values: number[]) => all(query, ...values).map(({ id }) => id);
    const state = {
      gatewayKeySecrets: all(
        "select id, hash, preview from gateway_keys where revoked_at_ms is null",
      ),
      keysWithEndedSecrets: ids(
        "select distinct key_id as id from gateway_key_secrets where valid_until_ms <= ?",
        nowMs,
      ),
      revokedGatewayKeys: ids("select id from gateway_keys where revoked_at_ms is not null"),
      revokedProviderKeys: ids("select id from provider_keys where revoked_at_ms is not null"),
      revokedAdminTokens: ids("select id from admin_tokens where revoked_at_ms is not null"),
      removedMembers: ids("select id from members where removed_at_ms is not null"),
    };
    // Strict tables: the columns are texts.
    return state as unknown as AccessState;
  } catch (error) {
    if (error instanceof Error && "errcode" in error) return undefined;
    throw error;
  } finally {
    database?.close();
  }
}
