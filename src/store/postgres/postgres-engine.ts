import { CompiledQuery, sql } from "kysely";
import { DatabaseError } from "pg";
import type { SqlEngine } from "../sql/sql-engine.ts";

const UNIQUE_VIOLATION = "23505";

/** "keyward" in ASCII: the advisory lock that transactions of configuration and migrations take turns with. */
const WRITERS_LOCK = 0x6b_65_79_77_61_72_64n;
/** "budgets" in ASCII. */
const BUDGET_RULES_LOCK = 0x62_75_64_67_65_74_73n;

export const POSTGRES_ENGINE: SqlEngine = {
  kind: "postgres",
  words: {
    text: 'text collate "C"',
    integer: "bigint",
    blob: "bytea",
    sequence: "bigint generated always as identity primary key",
    table: "",
    clusteredTable: "",
    jsonField: (column, field) => `(${column}::json ->> '${field}')`,
    announceChanges: [
      `create function keyward_announce_change() returns trigger language plpgsql as $$
        begin
          perform pg_notify('keyward_change', '');
          return null;
        end
      $$`,
      `create trigger change_log_announced after insert on change_log
        for each statement execute function keyward_announce_change()`,
    ],
  },
  /** Not `now()`, which stands still in a transaction; not `clock_timestamp()`, which no index can be used with. */
  nowMs: sql<bigint>`(extract(epoch from statement_timestamp()) * 1000)::bigint`,
  /**
   * One statement for all rows: what costs here is the round trip. A row is known again by its first column, which no two
   * of those that `onConflict` may leave out have in common.
   */
  async insertRows(db, { table, columns, onConflict, parameters }) {
    const [key = ""] = columns;
    const rows = parameters.length / columns.length;
    const text = `insert into ${table} (${columns.join(", ")}) values ${tuplesOf(rows, columns.length)} ${onConflict} returning ${key} as key`;
    const result = await db.executeQuery<{ readonly key: unknown }>(
      CompiledQuery.raw(text, parameters),
    );
    const inserted = new Set(result.rows.map((row) => String(row.key)));
    return Array.from({ length: rows }, (_, row) =>
      inserted.has(String(parameters[row * columns.length])),
    );
  },
  /**
   * By a query of the catalogue, not by `to_regclass`: that one answers from the connection's cache, which does not hear
   * of a table that another process has made while this one waited for the writers' lock.
   */
  async hasTable(db, name) {
    const found = await sql`
      select 1 from pg_catalog.pg_tables
      where tablename = ${name} and schemaname = any (current_schemas(false))
    `.execute(db);
    return found.rows.length > 0;
  },
  lockRows: (query) => query.forUpdate(),
  /** Not by a row: locking one writes to it, with every flush of every process. */
  async lockBudgetRules(db, mode) {
    const lock = mode === "shared" ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock";
    await sql`select ${sql.raw(lock)}(${BUDGET_RULES_LOCK})`.execute(db);
  },
  /** Held until the transaction ends, whichever way. */
  async lockWriters(transaction) {
    await sql`select pg_advisory_xact_lock(${WRITERS_LOCK})`.execute(transaction);
  },
  /** Unique indexes are named `<table>_<column>_unique`, see the migrations. */
  takenColumn(error) {
    if (!(error instanceof DatabaseError) || error.code !== UNIQUE_VIOLATION) return undefined;
    const { table = "", constraint = "" } = error;
    if (constraint === `${table}_pkey`) return "id";
    return constraint.slice(`${table}_`.length).replace(/_unique$/, "");
  },
};

/** `($1, $2), ($3, $4)` */
function tuplesOf(rows: number, columns: number): string {
  const tuples: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const placeholders: string[] = [];
    for (let column = 1; column <= columns; column += 1) {
      placeholders.push(`$${row * columns + column}`);
    }
    tuples.push(`(${placeholders.join(", ")})`);
  }
  return tuples.join(", ");
}
