import type { Insertable, Kysely } from "kysely";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** Rows of one part. Times the columns of the widest table this stays far below 65,535 parameters (Postgres). */
const MAX_ROWS_PER_PART = 128;

/** A transaction, and what writing in it takes. */
export interface BulkTarget extends Pick<Connections, "engine" | "budgetRules"> {
  readonly db: Kysely<Tables>;
}

/**
 * Cuts a batch into parts for `insertRows`. Their sizes are powers of two, so that a handful of statements serves
 * every batch and stays prepared. Who works part by part gives the gateway's thread back in between.
 */
export function* partsOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length;) {
    const count = Math.min(MAX_ROWS_PER_PART, 2 ** Math.floor(Math.log2(items.length - start)));
    yield items.slice(start, start + count);
    start += count;
  }
}

/**
 * Inserts the rows of one part, in their order, and says for each whether it is in the table through this: `onConflict`
 * may have it left out. Within a transaction only: after an error some of the rows may be there. The statement is
 * written out rather than built by Kysely, which would keep the gateway's thread for tens of milliseconds with a few
 * thousand rows.
 */
export async function insertRows<Table extends keyof Tables>(
  { db, engine }: BulkTarget,
  table: Table,
  rows: readonly Insertable<Tables[Table]>[],
  onConflict: string,
): Promise<readonly boolean[]> {
  const [first] = rows;
  if (first === undefined) return [];
  if (!db.isTransaction) throw new Error("rows are inserted in a transaction");
  const columns = Object.keys(first);
  const parameters: unknown[] = [];
  for (const row of rows) appendValues(parameters, row, columns);
  return await engine.insertRows(db, { table, columns, onConflict, parameters });
}

/**
 * Rows of one kind come from one place, so they have their columns in one order. To walk along it, and see to it that it
 * is so, costs a third of looking each column up by its name.
 */
function appendValues(
  parameters: unknown[],
  row: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): void {
  let index = 0;
  for (const column in row) {
    if (column !== columns[index]) throw new Error(`${column} is not where the first row has it`);
    parameters.push(row[column]);
    index += 1;
  }
  if (index < columns.length) throw new Error(`a row has no ${columns[index]}`);
}
