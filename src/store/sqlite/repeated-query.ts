import { CompiledQuery } from "kysely";

/**
 * A statement that runs several times in one message to the database's thread, each time with the next of the
 * parameters. Its rows are numbers: how many rows of the table each run has changed.
 */
export interface RepeatedQuery extends CompiledQuery {
  readonly parametersPerRun: number;
}

export function repeatedQuery(
  text: string,
  parameters: unknown[],
  parametersPerRun: number,
): RepeatedQuery {
  return { ...CompiledQuery.raw(text, parameters), parametersPerRun };
}

export function isRepeatedQuery(query: CompiledQuery): query is RepeatedQuery {
  return "parametersPerRun" in query;
}
