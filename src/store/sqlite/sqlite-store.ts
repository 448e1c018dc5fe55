import { Kysely } from "kysely";
import { SqlStore } from "../sql/sql-store.ts";
import type { Tables } from "../sql/tables.ts";
import { InlineSession } from "./inline-session.ts";
import { SqliteDialect } from "./sqlite-dialect.ts";
import { SQLITE_ENGINE } from "./sqlite-engine.ts";
import { SqliteSession } from "./sqlite-session.ts";

export interface SqliteStoreOptions {
  /** The database file; made with mode 0600 when it is not there. Its directory must be. */
  readonly path: string;
  /** How long a statement waits for another process that writes. */
  readonly busyTimeoutMs?: number | undefined;
  /** Works in the caller's own thread, which it blocks: for a command, not for a server. */
  readonly isInline?: boolean | undefined;
}

const DEFAULT_BUSY_TIMEOUT_MS = 10_000;
const MAX_STATEMENTS = 200;

/**
 * The store in one SQLite file, which several processes may share. Two connections, each in a thread of its own, so
 * that looking up a key waits neither for a flush nor for another process's lock. The threads start with first use;
 * inline there are none.
 */
export class SqliteStore extends SqlStore {
  readonly #dialects: readonly SqliteDialect[];

  constructor({
    path,
    busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS,
    isInline = false,
  }: SqliteStoreOptions) {
    const Session = isInline ? InlineSession : SqliteSession;
    const connect = (isReadOnly: boolean): SqliteDialect => {
      const options = { path, busyTimeoutMs, isReadOnly, maxStatements: MAX_STATEMENTS };
      return new SqliteDialect({ isReadOnly, startSession: () => Session.start(options) });
    };
    const writer = connect(false);
    const reader = connect(true);
    super({
      read: new Kysely<Tables>({ dialect: reader }),
      write: new Kysely<Tables>({ dialect: writer }),
      engine: SQLITE_ENGINE,
    });
    this.#dialects = [reader, writer];
  }

  /** Waits for the statements that run, then ends both connections; idempotent. */
  async close(): Promise<void> {
    await this.connections.read.destroy();
    await this.connections.write.destroy();
    await Promise.all(this.#dialects.map((dialect) => dialect.close()));
  }
}
