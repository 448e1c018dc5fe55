import { UniqueViolationError } from "../store.ts";
import type { SqlEngine } from "./sql-engine.ts";

/** Runs a statement; when it would break a uniqueness, throws UniqueViolationError with the record's field. */
export async function refusingTaken<Result>(
  engine: SqlEngine,
  statement: () => Promise<Result>,
): Promise<Result> {
  try {
    return await statement();
  } catch (error) {
    const column = engine.takenColumn(error);
    if (column === undefined) throw error;
    throw new UniqueViolationError(fieldOf(column), { cause: error });
  }
}

/** `external_id` → `externalId`. */
function fieldOf(column: string): string {
  return column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
