import type { SchemaWords } from "../sql-engine.ts";

/** When what has ended is looked after once more; of nearly every row never. */
export function lateLooks({ integer }: SchemaWords): readonly string[] {
  return [
    `alter table rotations add column look_at_ms ${integer}`,
    "create index rotations_to_look_after on rotations (look_at_ms, id) where look_at_ms is not null",
  ];
}
