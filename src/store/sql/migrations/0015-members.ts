import type { SchemaWords } from "../sql-engine.ts";

/** People, how they come in, and what tokens may do. A token from before may do everything, as it could. */
export function members({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table members (
      id ${text} primary key not null,
      email ${text} not null,
      name ${text},
      role ${text} not null,
      environments ${text},
      password_hash ${text},
      subject ${text},
      created_at_ms ${integer} not null,
      last_login_at_ms ${integer},
      removed_at_ms ${integer}
    )${table}`,
    "create unique index members_email_unique on members (email) where removed_at_ms is null",
    `create unique index members_subject_unique on members (subject)
      where removed_at_ms is null and subject is not null`,
    "create index members_newest on members (created_at_ms, id)",

    `create table invitations (
      id ${text} primary key not null,
      hash ${text} not null,
      email ${text},
      role ${text} not null,
      environments ${text},
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      expires_at_ms ${integer} not null,
      accepted_at_ms ${integer},
      revoked_at_ms ${integer}
    )${table}`,
    "create unique index invitations_hash_unique on invitations (hash)",
    "create index invitations_newest on invitations (created_at_ms, id)",

    `create table sessions (
      id ${text} primary key not null,
      hash ${text} not null,
      member_id ${text} not null references members (id),
      address ${text},
      user_agent ${text},
      created_at_ms ${integer} not null,
      last_seen_at_ms ${integer} not null
    )${table}`,
    "create unique index sessions_hash_unique on sessions (hash)",
    "create index sessions_by_member on sessions (member_id, last_seen_at_ms, id)",

    `create table login_attempts (
      subject ${text} primary key not null,
      failures ${integer} not null,
      last_at_ms ${integer} not null,
      blocked_until_ms ${integer} not null
    )${table}`,
    "create index login_attempts_by_time on login_attempts (last_at_ms)",

    `create table known_devices (
      hash ${text} primary key not null,
      member_id ${text} not null references members (id),
      expires_at_ms ${integer} not null
    )${table}`,
    "create index known_devices_by_member on known_devices (member_id)",

    `alter table admin_tokens add column preview ${text}`,
    `alter table admin_tokens add column role ${text}`,
    `alter table admin_tokens add column permissions ${text}`,
    `alter table admin_tokens add column environments ${text}`,
    `alter table admin_tokens add column member_id ${text}`,
    `alter table admin_tokens add column created_by ${text}`,
    `alter table admin_tokens add column expires_at_ms ${integer}`,
    `alter table admin_tokens add column last_used_at_ms ${integer}`,
    "update admin_tokens set role = 'owner'",
    "create index admin_tokens_newest on admin_tokens (created_at_ms, id)",
    `create index admin_tokens_by_member on admin_tokens (member_id, created_at_ms, id)
      where member_id is not null`,
  ];
}
