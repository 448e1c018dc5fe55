import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { SessionOptions, StatementResult } from "./database-session.ts";
import { StatementCache } from "./statement-cache.ts";

const DATABASE_MODE = 0o600;
const OPENING_PAUSE_MS = 10;
/** Twice SQLite's own: half as many pages to write to the log and from there to the file, for the same events. */
const PAGE_BYTES = 8192;

/** One connection of node:sqlite. It blocks whoever calls it, for as long as a statement takes and its lock is waited for. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements: StatementCache;

  constructor(options: SessionOptions) {
    this.#database = openDatabase(options);
    this.#statements = new StatementCache(this.#database, options.maxStatements);
  }

  execute(text: string, parameters: readonly unknown[]): StatementResult {
    const { statement, hasRows } = this.#statements.prepare(text);
    const inputs = parameters.map(toInput);
    if (hasRows) return { rows: statement.all(...inputs), changes: 0n };
    return { rows: [], changes: BigInt(statement.run(...inputs).changes) };
  }

  /** See `DatabaseSession`. */
  repeat(
    text: string,
    parameters: readonly unknown[],
    parametersPerRun: number,
  ): readonly number[] {
    const { statement } = this.#statements.prepare(text);
    const changes: number[] = [];
    const inputs = Array.from<SQLInputValue>({ length: parametersPerRun });
    for (let start = 0; start < parameters.length; start += parametersPerRun) {
      for (let i = 0; i < parametersPerRun; i += 1) inputs[i] = toInput(parameters[start + i]);
      changes.push(Number(statement.run(...inputs).changes));
    }
    return changes;
  }

  rollback(): void {
    // After some errors (a full disk) SQLite itself has rolled back already; that is what was wanted.
    if (this.#database.isTransaction) this.#database.exec("rollback");
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

const SQLITE_BUSY = 5;

/** Whether SQLite has refused because somebody else holds a lock; nothing was done then. */
export function isBusy(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  // The kind of error is its lowest byte. Source: "Result and Error Codes" of SQLite's documentation.
  return (code & 0xff) === SQLITE_BUSY;
}

/**
 * WAL lets readers and one writer work side by side, in any number of processes. A commit is synced to the disk
 * (FULL): after a flush the journal's segment is dropped, and a revoked key must stay revoked, power loss or not. It
 * costs one sync a transaction, on this thread.
 */
function openDatabase(options: SessionOptions): DatabaseSync {
  createPrivately(options.path);
  const database = new DatabaseSync(options.path, {
    timeout: options.busyTimeoutMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  });
  try {
    // Of a new file; one that is there keeps the pages that it has.
    database.exec(`pragma page_size = ${PAGE_BYTES}`);
    useWal(database, options.busyTimeoutMs);
    database.exec("pragma synchronous = full");
    if (options.isReadOnly) database.exec("pragma query_only = on");
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * A new file is made readable by its owner alone before SQLite opens it; its -wal and -shm take over the mode. Only
 * ever an exclusive creation: to open and close a database's file here would drop the locks that SQLite holds on it.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", DATABASE_MODE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The first switch to WAL does not wait for locks by itself, whatever the timeout: two processes may start at once. */
function useWal(database: DatabaseSync, timeoutMs: number): void {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      database.exec("pragma journal_mode = wal");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPENING_PAUSE_MS);
    }
  }
}

/** A JS number would be bound as a float, and `7.0 / 2` is 3.5 where `7 / 2` is 3. */
function toInput(value: unknown): SQLInputValue {
  return typeof value === "number" && Number.isSafeInteger(value)
    ? BigInt(value)
    : (value as SQLInputValue);
}
