import type { SchemaWords } from "../sql-engine.ts";

/** What the provider was asked for, without which a call that a rule sent as another model cannot be priced again. */
export function sentModel({ text }: SchemaWords): readonly string[] {
  return [`alter table usage_events add column sent_model ${text}`];
}
