import type { SchemaWords } from "../sql-engine.ts";

/** Work that its provider reports later: a row from the call that began it until it is charged. */
export function pendingUsage({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table pending_usage (
      id ${text} primary key not null,
      created_at_ms ${integer} not null,
      kind ${text} not null,
      provider_account_id ${text} not null,
      object_id ${text} not null,
      path ${text} not null,
      report ${text},
      checks ${integer} not null,
      next_check_at_ms ${integer} not null,
      last_check_at_ms ${integer},
      problem ${text},
      given_up_at_ms ${integer},
      lease_id ${text},
      leased_until_ms ${integer} not null
    )${table}`,
    // A call that is repeated with the provider's own replay names the same work, which is charged once.
    "create unique index pending_usage_work_unique on pending_usage (object_id, provider_account_id)",
    "create index pending_usage_newest on pending_usage (created_at_ms, id)",
    `create index pending_usage_due on pending_usage (next_check_at_ms)
      where given_up_at_ms is null`,
  ];
}
