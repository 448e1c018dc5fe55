import type { SchemaWords } from "../sql-engine.ts";

/** What an account at a provider with dated API versions names, and whose prices hold for it. */
export function providerAccountFields({ text }: SchemaWords): readonly string[] {
  return [
    `alter table provider_accounts add column api_version ${text}`,
    `alter table provider_accounts add column priced_as ${text}`,
  ];
}
