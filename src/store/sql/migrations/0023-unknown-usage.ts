import type { SchemaWords } from "../sql-engine.ts";

const KEY = [
  "hour_ms",
  "project_id",
  "environment_id",
  "gateway_key_id",
  "customer",
  "feature",
  "model",
] as const;

/** Calls whose usage is not known are counted by themselves: they were among those whose model has no price. */
export function unknownUsage({ integer }: SchemaWords): readonly string[] {
  const isSameRow = KEY.map((column) => `usage_rollups.${column} = found.${column}`).join(" and ");
  return [
    `alter table usage_rollups add column usage_unknown_calls ${integer} not null default 0`,
    // One pass over the events, which takes a second or two for each million of them.
    `update usage_rollups
      set usage_unknown_calls = found.count, unpriced_calls = unpriced_calls - found.count
      from (
        select started_at_ms - started_at_ms % 3600000 as hour_ms, project_id, environment_id, gateway_key_id,
          coalesce(customer, '') as customer, coalesce(feature, '') as feature, coalesce(model, '') as model,
          count(*) as count
        from usage_events
        where pricing = 'unpriced' and usage_source = 'unknown'
        group by 1, 2, 3, 4, 5, 6, 7
      ) as found
      where ${isSameRow}`,
  ];
}
