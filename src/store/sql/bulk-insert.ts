import { CompiledQuery, type Insertable, type Kysely } from "kysely";
import type { SqlEngine } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** Rows of one statement. Times the columns of the widest table this stays far below 32,766 parameters (SQLite). */
const MAX_ROWS_PER_STATEMENT = 128;

/**
 * Inserts many rows, in their order. The statements are written out here rather than built by Kysely, which would
 * take tens of milliseconds of the gateway's thread for a few thousand rows; and their row counts are powers of two,
 * so that a handful of texts serves every batch and stays prepared. Returns what `suffix` returns.
 */
export async function bulkInsert<Table extends keyof Tables, Returned = never>(
  connection: { readonly db: Kysely<Tables>; readonly engine: SqlEngine },
  table: Table,
  rows: readonly Insertable<Tables[Table]>[],
  suffix: string,
): Promise<readonly Returned[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const columns = Object.keys(first) as (keyof typeof first & string)[];
  const returned: Returned[] = [];
  for (let start = 0; start < rows.length;) {
    const count = Math.min(MAX_ROWS_PER_STATEMENT, 2 ** Math.floor(Math.log2(rows.length - start)));
    const chunk = rows.slice(start, start + count);
    const text = `insert into ${table} (${columns.join(", ")}) values ${tuples(connection.engine, count, columns.length)} ${suffix}`;
    const parameters = chunk.flatMap((row) => columns.map((column) => row[column]));
    const result = await connection.db.executeQuery<Returned>(CompiledQuery.raw(text, parameters));
    returned.push(...result.rows);
    start += count;
  }
  return returned;
}

/** `($1, $2), ($3, $4)` */
function tuples(engine: SqlEngine, rows: number, columns: number): string {
  const texts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const placeholders: string[] = [];
    for (let column = 1; column <= columns; column += 1) {
      placeholders.push(engine.placeholder(row * columns + column));
    }
    texts.push(`(${placeholders.join(", ")})`);
  }
  return texts.join(", ");
}
