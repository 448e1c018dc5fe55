import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { unknownUsage } from "./0023-unknown-usage.ts";

const WORDS = { integer: "integer" } as Parameters<typeof unknownUsage>[0];
const KEY = "project_id, environment_id, gateway_key_id, customer, feature, model";

test("takes calls of unknown usage out of those without a price, in the row of their hour", () => {
  const db = new DatabaseSync(":memory:");
  db.exec(`create table usage_rollups (hour_ms integer, ${KEY}, unpriced_calls integer not null)`);
  db.exec(`create table usage_events (started_at_ms integer, ${KEY}, pricing, usage_source)`);
  const event = (ms: number, customer: string | null, pricing: string, source: string): void => {
    db.prepare(
      `insert into usage_events values (?, 'p', 'e', 'k', ?, null, 'gpt-4o', '${pricing}', '${source}')`,
    ).run(ms, customer);
  };
  for (const hourMs of [3_600_000, 7_200_000]) {
    for (const customer of ["acme", ""]) {
      db.exec(
        `insert into usage_rollups values (${hourMs}, 'p', 'e', 'k', '${customer}', '', 'gpt-4o', 3)`,
      );
    }
  }
  event(3_600_000, "acme", "unpriced", "unknown");
  event(7_199_999, "acme", "unpriced", "unknown");
  event(3_700_000, "acme", "unpriced", "reported");
  event(3_700_000, "acme", "priced", "reported");
  event(7_200_000, null, "unpriced", "unknown");
  for (const statement of unknownUsage(WORDS)) db.exec(statement);
  const rows = db
    .prepare("select hour_ms, customer, unpriced_calls, usage_unknown_calls from usage_rollups")
    .all();
  db.close();
  expect(rows.map((row) => Object.values(row))).toEqual([
    [3_600_000, "acme", 1, 2],
    [3_600_000, "", 3, 0],
    [7_200_000, "acme", 3, 0],
    [7_200_000, "", 2, 1],
  ]);
});
