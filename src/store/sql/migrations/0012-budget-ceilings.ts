import type { SchemaWords } from "../sql-engine.ts";

/** What is set aside for a call without an upper bound that a hard budget counts; null: such a call is refused. */
export function budgetCeilings({ integer }: SchemaWords): readonly string[] {
  return [
    `alter table environments add column budget_ceiling_micros ${integer}`,
    `alter table environments add column budget_ceiling_rest_picos ${integer}`,
  ];
}
