import type { SchemaWords } from "../sql-engine.ts";

/** With which admin token a link or another token was made; null for what was made otherwise, or before this was kept. */
export function madeWith({ text }: SchemaWords): readonly string[] {
  return ["invitations", "password_resets", "admin_tokens"].flatMap((name) => [
    `alter table ${name} add column made_with ${text}`,
    `create index ${name}_made_with on ${name} (made_with) where made_with is not null`,
  ]);
}
