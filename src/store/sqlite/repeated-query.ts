import { CompiledQuery } from "kysely";

/**
 * A statement that runs several times in one message to the database's thread, each time with the next of the
 * parameters. It answers with `RunChanges`, one a run.
 */
export interface RepeatedQuery extends CompiledQuery {
  readonly times: number;
}

export function repeatedQuery(text: string, parameters: unknown[], times: number): RepeatedQuery {
  return { ...CompiledQuery.raw(text, parameters), times };
}

export function isRepeatedQuery(query: CompiledQuery): query is RepeatedQuery {
  return "times" in query;
}
