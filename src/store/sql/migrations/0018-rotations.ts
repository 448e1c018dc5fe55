import type { SchemaWords } from "../sql-engine.ts";

/** The life of provider keys: their rotations, what is known of them at the provider, and the keys that manage keys. */
export function rotations({ text, integer, blob, table }: SchemaWords): readonly string[] {
  return [
    `create table rotations (
      id ${text} primary key not null,
      key_id ${text} not null references provider_keys (id),
      account_id ${text} not null,
      environment_id ${text} not null,
      revision ${integer} not null,
      state ${text} not null,
      way ${text} not null,
      trigger_kind ${text} not null,
      remote_name ${text} not null,
      progress ${text} not null,
      old_secret ${text} not null,
      old_data_key_id ${text} references data_keys (id),
      old_nonce ${blob},
      old_ciphertext ${blob},
      next_secret ${text},
      next_data_key_id ${text} references data_keys (id),
      next_nonce ${blob},
      next_ciphertext ${blob},
      notes ${text} not null,
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      ended_at_ms ${integer}
    )${table}`,
    // Two rotations of a key at once would each revoke what the other has made.
    "create unique index rotations_key_id_unique on rotations (key_id) where ended_at_ms is null",
    "create index rotations_newest on rotations (created_at_ms, id)",
    "create index rotations_by_key on rotations (key_id, created_at_ms, id)",

    `create table provider_key_facts (
      key_id ${text} primary key not null references provider_keys (id),
      owner ${text},
      owner_source ${text},
      owner_detail ${text},
      owner_seen_at_ms ${integer},
      remote_key_id ${text},
      remote_project_id ${text},
      remote_service_account_id ${text},
      secret_since_ms ${integer},
      rotate_every_days ${integer},
      worked_version ${integer},
      worked_at_ms ${integer},
      refused_version ${integer},
      refused_at_ms ${integer}
    )${table}`,

    `create table provider_admin_keys (
      account_id ${text} primary key not null references provider_accounts (id),
      version ${integer} not null,
      data_key_id ${text} not null references data_keys (id),
      nonce ${blob} not null,
      ciphertext ${blob} not null,
      preview ${text} not null,
      created_by ${text} not null,
      created_at_ms ${integer} not null
    )${table}`,
  ];
}
