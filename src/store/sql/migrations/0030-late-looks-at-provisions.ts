import type { SchemaWords } from "../sql-engine.ts";

/** As of rotations, see `0028-late-looks.ts`. */
export function lateLooksAtProvisions({ integer }: SchemaWords): readonly string[] {
  return [
    `alter table provisions add column look_at_ms ${integer}`,
    "create index provisions_to_look_after on provisions (look_at_ms, id) where look_at_ms is not null",
  ];
}
