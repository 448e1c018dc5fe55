import type { SchemaWords } from "../sql-engine.ts";

/** Budgets, what each window of theirs has spent and lent, and to whom. */
export function budgets({ text, integer, table, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table budgets (
      id ${text} primary key not null,
      name ${text},
      scope_kind ${text} not null,
      scope_id ${text},
      measure ${text} not null,
      models ${text},
      period ${text} not null,
      time_zone ${text} not null,
      anchor ${text},
      rolls_over ${integer} not null,
      limit_micros ${integer} not null,
      limit_rest_picos ${integer} not null,
      enforcement ${text} not null,
      on_tight_budget ${text} not null,
      paused_at_ms ${integer},
      archived_at_ms ${integer},
      created_by ${text} not null,
      created_at_ms ${integer} not null
    )${table}`,
    "create index budgets_newest on budgets (created_at_ms, id)",
    "create index budgets_of_scope on budgets (scope_kind, scope_id, created_at_ms, id)",
    `create table budget_increases (
      id ${text} primary key not null,
      budget_id ${text} not null references budgets (id),
      amount_micros ${integer} not null,
      amount_rest_picos ${integer} not null,
      from_ms ${integer} not null,
      until_ms ${integer} not null,
      reason ${text},
      created_by ${text} not null,
      created_at_ms ${integer} not null
    )${table}`,
    "create index budget_increases_of_budget on budget_increases (budget_id)",
    `create table budget_windows (
      id ${text} primary key not null,
      budget_id ${text} not null references budgets (id),
      subject ${text} not null,
      starts_at_ms ${integer} not null,
      ends_at_ms ${integer},
      spent_micros ${integer} not null,
      spent_rest_picos ${integer} not null,
      leased_micros ${integer} not null,
      leased_rest_picos ${integer} not null,
      carried_micros ${integer} not null,
      carried_rest_picos ${integer} not null
    )${table}`,
    "create index budget_windows_latest on budget_windows (budget_id, starts_at_ms, subject)",
    "create index budget_windows_of_subject on budget_windows (budget_id, subject, starts_at_ms)",
    `create table budget_leases (
      window_id ${text} not null references budget_windows (id),
      holder ${text} not null,
      leased_micros ${integer} not null,
      leased_rest_picos ${integer} not null,
      lost_at_ms ${integer},
      primary key (window_id, holder)
    )${clusteredTable}`,
    "create index budget_leases_of_holder on budget_leases (holder)",
    // One row. Who adds up the ledger for a new budget and who adds events to the ledger take turns at it.
    `create table budget_epoch (
      id ${integer} primary key not null,
      epoch ${text} not null
    )${table}`,
    "insert into budget_epoch (id, epoch) values (1, '')",
  ];
}
