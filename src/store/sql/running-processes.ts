import { type Kysely, sql } from "kysely";
import { SILENT_AFTER_MS } from "../../core/processes/heartbeat.ts";
import type { SqlEngine } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** The ids of those that nobody has ended and that were heard of lately. */
export async function listRunningProcesses(
  db: Kysely<Tables>,
  engine: Pick<SqlEngine, "nowMs">,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("processes")
    .select("id")
    .where("stopped_at_ms", "is", null)
    .where("heartbeat_at_ms", ">", sql<bigint>`${engine.nowMs} - ${SILENT_AFTER_MS}`)
    .execute();
  return new Set(rows.map(({ id }) => id));
}
