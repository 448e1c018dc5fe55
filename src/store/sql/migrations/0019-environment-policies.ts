import type { SchemaWords } from "../sql-engine.ts";

/** What an environment was told to watch for. That one secret is active in one environment alone is such a rule now. */
export function environmentPolicies({ text }: SchemaWords): readonly string[] {
  return [
    `alter table environments add column policy ${text}`,
    "drop index provider_keys_fingerprint_unique",
    // Within an environment the same secret may be active once only, also when two admins add it at the same moment.
    `create unique index provider_keys_fingerprint_unique on provider_keys (fingerprint, environment_id)
      where revoked_at_ms is null`,
  ];
}
