import type { SchemaWords } from "../sql-engine.ts";

/** Secrets of ours that were found elsewhere. */
export function leaks({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table leaks (
      id ${text} primary key not null,
      kind ${text} not null,
      subject_id ${text} not null,
      name ${text} not null,
      preview ${text},
      environment_id ${text},
      fingerprint ${text} not null,
      outcome ${text} not null,
      place ${text},
      source ${text},
      address ${text},
      created_at_ms ${integer} not null
    )${table}`,
    // However often it is reported: strangers must not be able to fill the table.
    `create unique index leaks_secret_unique
      on leaks (subject_id, fingerprint, outcome, kind)`,
    "create index leaks_newest on leaks (created_at_ms, id)",
    "create index leaks_by_subject on leaks (kind, subject_id, created_at_ms, id)",
  ];
}
