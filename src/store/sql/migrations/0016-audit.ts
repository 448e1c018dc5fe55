import type { SchemaWords } from "../sql-engine.ts";

/** The audit log, and the end of its chain. */
export function audit({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table audit_entries (
      sequence ${integer} primary key not null,
      at_ms ${integer} not null,
      actor_kind ${text} not null,
      actor_id ${text} not null,
      actor_name ${text} not null,
      address ${text},
      request_id ${text},
      action ${text} not null,
      target_kind ${text} not null,
      target_id ${text} not null,
      target_name ${text},
      environment_id ${text},
      before_text ${text},
      after_text ${text},
      previous_hash ${text} not null,
      hash ${text} not null
    )${table}`,
    "create index audit_entries_by_target on audit_entries (target_id, sequence)",
    "create index audit_entries_by_actor on audit_entries (actor_name, sequence)",
    "create index audit_entries_by_action on audit_entries (action, sequence)",

    `create table audit_head (
      id ${integer} primary key not null,
      sequence ${integer} not null,
      hash ${text} not null,
      tag ${text} not null
    )${table}`,
  ];
}
