import { Kysely, PostgresDialect, type PostgresPool } from "kysely";
import { migrate } from "../sql/migrate.ts";
import { SqlStore } from "../sql/sql-store.ts";
import type { Tables } from "../sql/tables.ts";
import type { ChangeWatch } from "../store.ts";
import { ChangeListener } from "./change-listener.ts";
import { POSTGRES_ENGINE } from "./postgres-engine.ts";
import { createPool, type PoolOptions } from "./postgres-pool.ts";

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`, with the parameters of libpq (`?sslmode=verify-full`). */
  readonly url: string;
  readonly maxConnections?: number | undefined;
  readonly connectTimeoutMs?: number | undefined;
  readonly statementTimeoutMs?: number | undefined;
  /** Told of connections that broke while nobody used them. */
  readonly onConnectionLost?: ((error: Error) => void) | undefined;
}

/** Of one process. Times the processes it must stay below the server's `max_connections`, which is 100 by default. */
const DEFAULT_MAX_CONNECTIONS = 10;
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_STATEMENT_TIMEOUT_MS = 30_000;
const ANSWER_GRACE_MS = 5_000;
/** A migration may rewrite a large table, or wait for another process that does. */
const MIGRATION_TIMEOUT_MS = 600_000;

/** The store in a Postgres database, for any number of processes and machines. Connects with first use. */
export class PostgresStore extends SqlStore {
  readonly #options: PoolOptions;
  readonly #pool: PostgresPool;

  constructor(options: PostgresStoreOptions) {
    const poolOptions: PoolOptions = {
      url: options.url,
      maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: options.statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS,
      answerGraceMs: ANSWER_GRACE_MS,
      onConnectionLost: options.onConnectionLost ?? (() => {}),
    };
    const pool = createPool(poolOptions);
    const db = queryThrough(pool);
    super({ read: db, write: db, engine: POSTGRES_ENGINE });
    this.#options = poolOptions;
    this.#pool = pool;
  }

  override async migrate(): Promise<void> {
    const pool = createPool({
      ...this.#options,
      maxConnections: 1,
      statementTimeoutMs: MIGRATION_TIMEOUT_MS,
    });
    try {
      await migrate(queryThrough(pool), POSTGRES_ENGINE);
    } finally {
      await pool.end();
    }
  }

  override watchChanges(onChange: () => void): ChangeWatch {
    const { url, connectTimeoutMs, onConnectionLost } = this.#options;
    return new ChangeListener({ url, connectTimeoutMs, onChange, onLost: onConnectionLost });
  }

  /** Waits for the statements that run, then closes every connection; idempotent. */
  async close(): Promise<void> {
    await this.#pool.end();
  }
}

function queryThrough(pool: PostgresPool): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}
