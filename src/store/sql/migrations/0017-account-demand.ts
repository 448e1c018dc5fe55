import type { SchemaWords } from "../sql-engine.ts";

/** How much is asked of provider accounts; no foreign key, it is added up while calls go on. */
export function accountDemand({ text, integer, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table account_minutes (
      account_id ${text} not null,
      model ${text} not null,
      minute_ms ${integer} not null,
      requests ${integer} not null,
      tokens ${integer} not null,
      request_limit ${integer},
      token_limit ${integer},
      primary key (account_id, model, minute_ms)
    )${clusteredTable}`,
    "create index account_minutes_by_time on account_minutes (minute_ms)",
    `create table account_hours (
      account_id ${text} not null,
      model ${text} not null,
      hour_ms ${integer} not null,
      peak_requests ${integer} not null,
      peak_requests_at_ms ${integer} not null,
      peak_tokens ${integer} not null,
      peak_tokens_at_ms ${integer} not null,
      waited ${integer} not null,
      longest_wait_ms ${integer} not null,
      refused ${integer} not null,
      request_limit ${integer},
      token_limit ${integer},
      primary key (account_id, model, hour_ms)
    )${clusteredTable}`,
    "create index account_hours_by_time on account_hours (hour_ms)",
  ];
}
