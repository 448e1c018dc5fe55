/** The database's own thread: node:sqlite blocks whoever calls it, so nobody else does. Started by sqlite-session.ts. */
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { unpackParameters } from "./packed-parameters.ts";
import {
  OPENING_ID,
  type RunChanges,
  type ThreadOptions,
  type ThreadReply,
  type ThreadRequest,
} from "./sqlite-messages.ts";
import { StatementCache } from "./statement-cache.ts";

const DATABASE_MODE = 0o600;
const OPENING_PAUSE_MS = 10;

if (parentPort === null) throw new Error("sqlite-thread runs as a worker thread only");
serve(parentPort, workerData as ThreadOptions);

function serve(port: MessagePort, options: ThreadOptions): void {
  const send = (reply: ThreadReply): void => port.postMessage(reply);
  let database: DatabaseSync;
  try {
    database = openDatabase(options);
  } catch (error) {
    send(failure(OPENING_ID, error));
    port.close();
    return;
  }
  const statements = new StatementCache(database, options.maxStatements);
  port.on("message", (request: ThreadRequest) => {
    try {
      send(answer(database, statements, request));
    } catch (error) {
      send(failure(request.id, error));
    }
    if (request.kind === "close") port.close();
  });
  send({ kind: "done", id: OPENING_ID, rows: [], changes: 0n });
}

function answer(
  database: DatabaseSync,
  statements: StatementCache,
  request: ThreadRequest,
): ThreadReply {
  const done = { kind: "done", id: request.id, rows: [], changes: 0n } as const;
  if (request.kind === "execute") {
    const statement = statements.prepare(request.text);
    const parameters = request.parameters.map(toInput);
    if (statement.columns().length > 0) return { ...done, rows: statement.all(...parameters) };
    return { ...done, changes: BigInt(statement.run(...parameters).changes) };
  }
  if (request.kind === "repeat") return { ...done, rows: repeat(statements, request) };
  if (request.kind === "rollback") {
    // After some errors (a full disk) SQLite itself has rolled back already; that is what was wanted.
    if (database.isTransaction) database.exec("rollback");
    return done;
  }
  statements.clear();
  database.close();
  return done;
}

function repeat(
  statements: StatementCache,
  { text, parameters: packed, times }: Extract<ThreadRequest, { readonly kind: "repeat" }>,
): readonly RunChanges[] {
  const statement = statements.prepare(text);
  const parameters = unpackParameters(packed);
  const width = parameters.length / times;
  const runs: RunChanges[] = [];
  const inputs = Array.from<SQLInputValue>({ length: width });
  for (let start = 0; start < parameters.length; start += width) {
    for (let i = 0; i < width; i += 1) inputs[i] = toInput(parameters[start + i]);
    runs.push({ changes: Number(statement.run(...inputs).changes) });
  }
  return runs;
}

/**
 * WAL lets readers and one writer work side by side, in any number of processes. A commit is synced to the disk
 * (FULL): after a flush the journal's segment is dropped, and a revoked key must stay revoked, power loss or not. It
 * costs one sync a transaction, on this thread.
 */
function openDatabase(options: ThreadOptions): DatabaseSync {
  createPrivately(options.path);
  const database = new DatabaseSync(options.path, {
    timeout: options.busyTimeoutMs,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    allowExtension: false,
  });
  try {
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
      if (performance.now() > deadline || !/database is locked/.test(String(error))) throw error;
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

function failure(id: number, error: unknown): ThreadReply {
  const { message, code } = error as NodeJS.ErrnoException;
  return {
    kind: "failed",
    id,
    message: message ?? String(error),
    code: code ?? "ERR_SQLITE_ERROR",
  };
}
