import { CompiledQuery, type Insertable, type Kysely } from "kysely";
import type { SqlEngine } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** Rows of one statement. Times the columns of the widest table this stays far below 32,766 parameters (SQLite). */
const MAX_ROWS_PER_STATEMENT = 128;

export interface BulkTarget {
  readonly db: Kysely<Tables>;
  readonly engine: SqlEngine;
}

/**
 * Cuts a batch into parts for `insertRows`. Their sizes are powers of two, so that a handful of statements serves
 * every batch and stays prepared. Who works part by part gives the gateway's thread back in between.
 */
export function* partsOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length;) {
    const count = Math.min(
      MAX_ROWS_PER_STATEMENT,
      2 ** Math.floor(Math.log2(items.length - start)),
    );
    yield items.slice(start, start + count);
    start += count;
  }
}

/**
 * Inserts the rows of one part, in their order, and returns what `suffix` returns. The statement is written out here
 * rather than built by Kysely, which would keep the gateway's thread for tens of milliseconds with a few thousand rows.
 */
export async function insertRows<Table extends keyof Tables, Returned = never>(
  { db, engine }: BulkTarget,
  table: Table,
  rows: readonly Insertable<Tables[Table]>[],
  suffix: string,
): Promise<readonly Returned[]> {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first) as (keyof typeof first & string)[];
  const tuples = tuplesOf(engine, rows.length, columns.length);
  const text = `insert into ${table} (${columns.join(", ")}) values ${tuples} ${suffix}`;
  const parameters = rows.flatMap((row) => columns.map((column) => row[column]));
  const result = await db.executeQuery<Returned>(CompiledQuery.raw(text, parameters));
  return result.rows;
}

/** `($1, $2), ($3, $4)` */
function tuplesOf(engine: SqlEngine, rows: number, columns: number): string {
  const tuples: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const placeholders: string[] = [];
    for (let column = 1; column <= columns; column += 1) {
      placeholders.push(engine.placeholder(row * columns + column));
    }
    tuples.push(`(${placeholders.join(", ")})`);
  }
  return tuples.join(", ");
}
