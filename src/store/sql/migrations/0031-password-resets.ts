import type { SchemaWords } from "../sql-engine.ts";

/** One-time links by which a member sets a new password. */
export function passwordResets({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table password_resets (
      id ${text} primary key not null,
      hash ${text} not null,
      member_id ${text} not null references members (id),
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      expires_at_ms ${integer} not null,
      used_at_ms ${integer},
      revoked_at_ms ${integer}
    )${table}`,
    "create unique index password_resets_hash_unique on password_resets (hash)",
    `create index password_resets_open on password_resets (member_id)
      where used_at_ms is null and revoked_at_ms is null`,
  ];
}
