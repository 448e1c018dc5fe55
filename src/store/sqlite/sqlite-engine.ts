import { sql } from "kysely";
import type { SqlEngine } from "../sql/sql-engine.ts";
import { repeatedQuery } from "./repeated-query.ts";

/** "UNIQUE constraint failed: projects.name" */
const TAKEN_PATTERN = /^UNIQUE constraint failed: \w+\.(\w+)(?:, .*)?$/;

export const SQLITE_ENGINE: SqlEngine = {
  kind: "sqlite",
  words: {
    text: "text",
    integer: "integer",
    blob: "blob",
    sequence: "integer primary key autoincrement",
    // Strict: a value of the wrong type is refused, as Postgres does, instead of being kept as it came.
    table: " strict",
    clusteredTable: " strict, without rowid",
    announceChanges: [],
    jsonField: (column, field) => `json_extract(${column}, '$.${field}')`,
  },
  nowMs: sql<bigint>`cast(round(unixepoch('subsec') * 1000) as integer)`,
  /**
   * One small statement for each row: a long one costs SQLite twice as much a row to bind and to run, and `returning`
   * costs a statement more than the insertion.
   */
  async insertRows(db, { table, columns, onConflict, parameters }) {
    const placeholders = columns.map(() => "?").join(", ");
    const text = `insert into ${table} (${columns.join(", ")}) values (${placeholders}) ${onConflict}`;
    const query = repeatedQuery(text, parameters, columns.length);
    const { rows } = await db.executeQuery<number>(query);
    return rows.map((changes) => changes > 0);
  },
  async hasTable(db, name) {
    const found =
      await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(db);
    return found.rows.length > 0;
  },
  // The write lock, with which every transaction begins, is on all rows.
  lockRows: (query) => query,
  async lockBudgetRules() {},
  /** Every transaction begins with the write lock (BEGIN IMMEDIATE), so there is nothing more to lock. */
  async lockWriters() {},
  takenColumn(error) {
    return error instanceof Error ? TAKEN_PATTERN.exec(error.message)?.[1] : undefined;
  },
};
