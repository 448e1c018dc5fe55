import type { SchemaWords } from "../sql-engine.ts";

/** Price overrides, corrections of costs, what an event's price depends on, and what becomes of unpriced models. */
export function prices({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `alter table usage_events add column variant ${text}`,
    `alter table environments add column unpriced_policy ${text} not null default 'allow_and_alert'`,

    `create table price_overrides (
      id ${text} primary key not null,
      provider ${text} not null,
      model ${text} not null,
      tier ${text},
      variant ${text},
      unit_prices ${text},
      discount_basis_points ${integer},
      valid_from_ms ${integer} not null,
      valid_until_ms ${integer},
      note ${text},
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      ended_by ${text},
      ended_at_ms ${integer}
    )${table}`,
    "create index price_overrides_newest on price_overrides (created_at_ms, id)",

    // No foreign key: an event is never deleted, and a correction must outlive whoever thinks otherwise.
    `create table usage_corrections (
      id ${text} primary key not null,
      event_id ${text} not null,
      ordinal ${integer} not null,
      created_at_ms ${integer} not null,
      created_by ${text} not null,
      difference_micros ${integer} not null,
      difference_rest_picos ${integer} not null,
      previous_pricing ${text} not null,
      previous_cost_micros ${integer},
      previous_cost_rest_picos ${integer},
      previous_price_row_id ${text},
      cost_micros ${integer} not null,
      cost_rest_picos ${integer} not null,
      price_row_id ${text} not null
    )${table}`,
    // The n-th correction of an event exists once, however many processes re-price at the same time.
    "create unique index usage_corrections_event_unique on usage_corrections (event_id, ordinal)",
    "create index usage_corrections_newest on usage_corrections (created_at_ms, id)",
  ];
}
