import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { DatabaseSession } from "./database-session.ts";
import { isRepeatedQuery } from "./repeated-query.ts";
import { Turns } from "./turns.ts";

/** A transaction that has not ended after this will not. As long as a statement may take on Postgres. */
const MAX_TURN_WAIT_MS = 30_000;

export interface SqliteDialectOptions {
  /** Opens the database; asked once more when a session has died. */
  readonly startSession: () => Promise<DatabaseSession>;
  readonly isReadOnly: boolean;
}

/** Kysely on one connection of `node:sqlite`, which starts with first use. */
export class SqliteDialect implements Dialect {
  readonly #driver: SqliteDriver;

  constructor(options: SqliteDialectOptions) {
    this.#driver = new SqliteDriver(options);
  }

  createDriver(): Driver {
    return this.#driver;
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new TurnTakingAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }

  /** Ends the session, whether or not Kysely has used it; idempotent. */
  async close(): Promise<void> {
    await this.#driver.destroy();
  }
}

/** Says that connections may be asked for side by side: the driver lets them take turns, first come, first served. */
class TurnTakingAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #options: SqliteDialectOptions;
  readonly #turns = new Turns(MAX_TURN_WAIT_MS);
  #connection: Promise<SessionConnection> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteDialectOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {}

  /** A connection that only reads has no transactions, so its statements need not wait for one another's turn. */
  async acquireConnection(): Promise<SessionConnection> {
    if (!this.#options.isReadOnly) await this.#turns.take();
    try {
      return await this.#liveConnection();
    } catch (error) {
      if (!this.#options.isReadOnly) this.#turns.pass();
      throw error;
    }
  }

  async releaseConnection(): Promise<void> {
    if (!this.#options.isReadOnly) this.#turns.pass();
  }

  /** IMMEDIATE takes the write lock at once: a transaction that reads first could otherwise find itself unable to write. */
  async beginTransaction(connection: SessionConnection): Promise<void> {
    await connection.session.execute("begin immediate", []);
  }

  async commitTransaction(connection: SessionConnection): Promise<void> {
    await connection.session.execute("commit", []);
  }

  async rollbackTransaction(connection: SessionConnection): Promise<void> {
    // With its session the transaction is gone.
    if (connection.session.isAlive) await connection.session.rollback();
  }

  async destroy(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.session.close();
  }

  /** The connection; a new one when there is none yet or its session has died. */
  async #liveConnection(): Promise<SessionConnection> {
    if (this.#closing !== undefined) throw new Error("the store is closed");
    this.#connection ??= this.#connect();
    return await this.#connection;
  }

  async #connect(): Promise<SessionConnection> {
    const forget = (): void => {
      this.#connection = undefined;
    };
    try {
      const session = await this.#options.startSession();
      void session.ended.then(forget);
      return new SessionConnection(session);
    } catch (error) {
      forget();
      throw error;
    }
  }
}

class SessionConnection implements DatabaseConnection {
  readonly session: DatabaseSession;

  constructor(session: DatabaseSession) {
    this.session = session;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { sql, parameters } = query;
    const { rows, changes } = isRepeatedQuery(query)
      ? await this.session.repeat(sql, parameters, query.parametersPerRun)
      : await this.session.execute(sql, parameters);
    return { rows: rows as Row[], numAffectedRows: changes };
  }

  // oxlint-disable-next-line require-yield -- the contract asks for a generator
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("lists are read page by page, not streamed");
  }
}
