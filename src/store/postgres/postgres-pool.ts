import type { PostgresPool, PostgresPoolClient } from "kysely";
import { DatabaseError, Pool, types } from "pg";

export interface PoolOptions {
  readonly url: string;
  readonly maxConnections: number;
  /** How long to wait for a connection, new or free. */
  readonly connectTimeoutMs: number;
  /** How long the server works on one statement, waiting for locks included. */
  readonly statementTimeoutMs: number;
  /** An answer that has not come this long after the server's own limit will not come: the connection is dead. */
  readonly answerGraceMs: number;
  /** Told of connections that broke while nobody used them; the next statement gets a new one. */
  readonly onConnectionLost: (error: Error) => void;
}

/** A transaction whose process has stopped answering loses its locks after this. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 30_000;

/** Integers of 64 bits as bigint, for this pool alone. */
const WHOLE_INTEGERS: { readonly getTypeParser: typeof types.getTypeParser } = {
  getTypeParser: (type, format) =>
    type === types.builtins.INT8 ? BigInt : (types.getTypeParser(type, format) as unknown),
};

/** A pool of `pg` as Kysely takes it, made so that a dead or misbehaving server costs a statement, never the process. */
export function createPool(options: PoolOptions): PostgresPool {
  const pool = new Pool({
    connectionString: checkedUrl(options.url),
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs,
    query_timeout: options.statementTimeoutMs + options.answerGraceMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    application_name: "keyward",
    types: WHOLE_INTEGERS,
  });
  pool.on("error", options.onConnectionLost);
  // A connection in use reports its loss here as well as by the statement that fails. With no listener it would end
  // the process.
  pool.on("connect", (client) => client.on("error", ignoreReportedError));
  let ended: Promise<void> | undefined;
  return {
    options: pool.options,
    connect: async () => new DiscardingClient(await pool.connect()),
    end: async () => {
      ended ??= pool.end();
      await ended;
    },
  };
}

/** SQLSTATEs after which the server hangs up: connection exceptions, shutdowns, timeouts of session and transaction. */
const HANGS_UP = /^(08|57P|25P03|25P04)/;

/**
 * A connection on which something other than the refusal of a statement happened (a timeout, a broken socket, a
 * farewell of the server) goes out of the pool: the next statement on it would wait for nothing.
 */
class DiscardingClient implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  #isBroken = false;

  constructor(client: PostgresPoolClient) {
    this.#client = client;
  }

  /** Kysely hands in a text and its parameters, or a cursor, which nothing here asks for. */
  readonly query = (async (text: string, parameters: readonly unknown[]) => {
    try {
      return await this.#client.query(text, parameters);
    } catch (error) {
      const code = error instanceof DatabaseError ? error.code : undefined;
      if (code === undefined || HANGS_UP.test(code)) this.#isBroken = true;
      throw error;
    }
  }) as PostgresPoolClient["query"];

  release(isDiscarded = false): void {
    this.#client.release(isDiscarded || this.#isBroken);
  }
}

/** The URL, if it is one of Postgres. The message names no part of it: there is a password in it. */
function checkedUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new Error(
      "the database URL is not a URL of the form postgres://user:password@host:5432/database",
    );
  }
  return url;
}

function ignoreReportedError(): void {}
