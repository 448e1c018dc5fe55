import { CompiledQuery } from "kysely";

/** A statement that runs several times in one message to the database's thread, each time with the next parameters. */
interface RepeatedQuery extends CompiledQuery {
  readonly times: number;
}

export function repeatedQuery(
  text: string,
  parameters: readonly unknown[],
  times: number,
): RepeatedQuery {
  return { ...CompiledQuery.raw(text, [...parameters]), times };
}

export function timesOf(query: CompiledQuery): number {
  return "times" in query ? (query as RepeatedQuery).times : 1;
}
