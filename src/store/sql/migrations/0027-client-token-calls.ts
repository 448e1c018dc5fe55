import type { SchemaWords } from "../sql-engine.ts";

/** Which client token a call came with. Rows of calls with a key itself are in no index for it. */
export function clientTokenCalls({ text }: SchemaWords): readonly string[] {
  return [
    `alter table usage_events add column client_token_id ${text}`,
    `create index usage_events_by_client_token on usage_events (client_token_id, started_at_ms, id)
      where client_token_id is not null`,
  ];
}
