import type { SchemaWords } from "../sql-engine.ts";

/** Several provider keys in an environment: their weights, rules for models, and which attempt an event stands for. */
export function routing({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `alter table provider_keys add column weight ${integer} not null default 1`,
    `alter table usage_events add column attempt ${integer} not null default 1`,
    `create table routing_rules (
      id ${text} primary key not null,
      environment_id ${text} not null references environments (id),
      position ${integer} not null,
      model ${text} not null,
      provider ${text},
      account_id ${text} references provider_accounts (id),
      target_model ${text},
      created_at_ms ${integer} not null
    )${table}`,
    "create index routing_rules_in_order on routing_rules (environment_id, position, id)",
  ];
}
