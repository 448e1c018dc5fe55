import type { SchemaWords } from "../sql-engine.ts";

/**
 * Provider secrets that a report of a leak is held against, beside those that keys have now: the ones from before a rotation, and admin
 * keys. An admin key that was set before is known when it is set again: only the vault can tell its fingerprint.
 */
export function leakedProviderSecrets({ text, jsonField }: SchemaWords): readonly string[] {
  return [
    `alter table rotations add column old_fingerprint ${text}`,
    `update rotations set old_fingerprint = ${jsonField("old_secret", "fingerprint")}`,
    "create index rotations_by_old_fingerprint on rotations (old_fingerprint, created_at_ms, id)",
    `alter table provider_admin_keys add column fingerprint ${text}`,
    "create index provider_admin_keys_by_fingerprint on provider_admin_keys (fingerprint, account_id)",
  ];
}
