import type { SchemaWords } from "../sql-engine.ts";

/** Tokens themselves are kept nowhere: here is what ends them before their time. */
export function clientTokens({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table client_token_revocations (
      kind ${text} not null,
      subject ${text} not null,
      sequence ${integer} not null,
      revoked_at_ms ${integer} not null,
      primary key (kind, subject)
    )${table}`,
  ];
}
