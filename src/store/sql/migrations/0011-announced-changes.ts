import type { SchemaWords } from "../sql-engine.ts";

/** Changes are announced with their commit, where the database can do that; everywhere else they are polled for. */
export function announcedChanges({ announceChanges }: SchemaWords): readonly string[] {
  return announceChanges;
}
