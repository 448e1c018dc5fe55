import type { SchemaWords } from "../sql-engine.ts";

/** What the processes know together of provider accounts' own limits; no foreign key, it is nobody's history. */
export function accountViews({ text, integer, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table account_views (
      account_id ${text} not null,
      model ${text} not null,
      view ${text} not null,
      changed_at_ms ${integer} not null,
      primary key (account_id, model)
    )${clusteredTable}`,
    "create index account_views_changed on account_views (changed_at_ms)",
  ];
}
