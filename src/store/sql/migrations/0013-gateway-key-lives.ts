import type { SchemaWords } from "../sql-engine.ts";

/** Where a key may be used, the secrets that it had, and when it was last used: what the rollups know of that, by the hour. */
export function gatewayKeyLives({
  text,
  integer,
  table,
  clusteredTable,
}: SchemaWords): readonly string[] {
  return [
    `alter table gateway_keys add column allowed_endpoints ${text}`,
    `alter table gateway_keys add column allowed_ips ${text}`,
    `alter table gateway_keys add column is_for_browsers ${integer} not null default 0`,

    `create table gateway_key_secrets (
      hash ${text} primary key not null,
      key_id ${text} not null references gateway_keys (id),
      preview ${text} not null,
      reason ${text} not null,
      superseded_at_ms ${integer} not null,
      valid_until_ms ${integer} not null
    )${table}`,
    "create index gateway_key_secrets_by_key on gateway_key_secrets (key_id, superseded_at_ms)",

    `create table gateway_key_uses (
      key_id ${text} primary key not null,
      used_at_ms ${integer} not null
    )${clusteredTable}`,
    `insert into gateway_key_uses (key_id, used_at_ms)
      select gateway_key_id, max(hour_ms) from usage_rollups group by gateway_key_id`,
  ];
}
