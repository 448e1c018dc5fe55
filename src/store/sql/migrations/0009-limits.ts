import type { SchemaWords } from "../sql-engine.ts";

/** Limits, and what was taken of them: a row for each limit and whose calls it counts. */
export function limits({ text, integer, table, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table limits (
      id ${text} primary key not null,
      scope_kind ${text} not null,
      scope_id ${text},
      requests_per_minute ${integer},
      tokens_per_minute ${integer},
      concurrency ${integer},
      created_at_ms ${integer} not null
    )${table}`,
    "create index limits_newest on limits (created_at_ms, id)",
    "create index limits_by_scope on limits (scope_kind, scope_id, created_at_ms, id)",

    // No foreign key: a limit may be removed while a process takes from it, and that must not fail for other limits' sake.
    `create table limit_uses (
      limit_id ${text} not null,
      subject ${text} not null,
      requests ${text} not null,
      tokens ${text} not null,
      slots ${text} not null,
      idle_at_ms ${integer} not null,
      primary key (limit_id, subject)
    )${clusteredTable}`,
    "create index limit_uses_idle on limit_uses (idle_at_ms)",
  ];
}
