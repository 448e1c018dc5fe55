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
  readonly revokedGatewayKeys: readonly GatewayKeyId[];
  readonly revokedProviderKeys: readonly ProviderKeyId[];
  readonly revokedAdminTokens: readonly AdminTokenId[];
  readonly removedMembers: readonly MemberId[];
}

/** Undefined for what can't be read: a damaged file, or another version's. */
export function readAccessState(path: string): AccessState | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const statements = database;
    const all = (query: string) => statements.prepare(query).all();
    const ids = (query: string) => all(query).map(({ id }) => id);
    const state = {
      gatewayKeySecrets: all(
        "select id, hash, preview from gateway_keys where revoked_at_ms is null",
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
