import type { SchemaWords } from "../sql-engine.ts";

/** How many calls each window of a hard budget has refused. */
export function budgetRefusals({ text, integer, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table budget_refusals (
      window_id ${text} primary key not null,
      count ${integer} not null
    )${clusteredTable}`,
  ];
}
