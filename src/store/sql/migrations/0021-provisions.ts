import type { SchemaWords } from "../sql-engine.ts";

/** What is made at providers for new environments. */
export function provisions({ text, integer, blob, table }: SchemaWords): readonly string[] {
  return [
    `create table provisions (
      id ${text} primary key not null,
      environment_id ${text} not null references environments (id),
      account_id ${text} not null references provider_accounts (id),
      key_id ${text} not null,
      key_name ${text} not null,
      revision ${integer} not null,
      state ${text} not null,
      remote_name ${text} not null,
      limits ${text} not null,
      progress ${text} not null,
      project_id ${text},
      secret ${text},
      data_key_id ${text} references data_keys (id),
      nonce ${blob},
      ciphertext ${blob},
      notes ${text} not null,
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      ended_at_ms ${integer}
    )${table}`,
    // Two provisions of an environment at once would each make a project, and no project can be deleted.
    `create unique index provisions_environment_id_unique on provisions (environment_id)
      where ended_at_ms is null`,
    "create index provisions_newest on provisions (created_at_ms, id)",
  ];
}
