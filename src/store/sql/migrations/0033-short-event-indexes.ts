/** In the order in which they are made, and SQLite, which keeps no statistics, prefers the one that was made last. */
const BY_TIME = [
  { name: "project", column: "project_id" },
  { name: "environment", column: "environment_id" },
  { name: "model", column: "model", where: "model is not null" },
  { name: "feature", column: "feature", where: "feature is not null" },
  { name: "gateway_key", column: "gateway_key_id" },
  { name: "customer", column: "customer", where: "customer is not null" },
  { name: "status", column: "status", where: "status <> 'succeeded'" },
  { name: "client_token", column: "client_token_id", where: "client_token_id is not null" },
  { name: "request", column: "request_id" },
] as const satisfies readonly { name: string; column: string; where?: string }[];

/**
 * Every call pays for the indexes of events, so they are kept short. They end with the time: a list sorts the few events
 * of one millisecond by their ids itself. Calls that succeeded, nearly all, are in none by status; a list of them walks
 * those by time. To make them anew takes ten seconds or so for each million of events.
 */
export function shortEventIndexes(): readonly string[] {
  return [
    "drop index usage_events_newest",
    "create index usage_events_newest on usage_events (started_at_ms)",
    ...BY_TIME.flatMap((index) => [
      `drop index usage_events_by_${index.name}`,
      `create index usage_events_by_${index.name} on usage_events (${index.column}, started_at_ms)${
        "where" in index ? ` where ${index.where}` : ""
      }`,
    ]),
  ];
}
