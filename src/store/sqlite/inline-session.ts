import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import {
  cannotBeOpened,
  type DatabaseSession,
  type SessionOptions,
  type StatementResult,
} from "./database-session.ts";
import { isBusy, SqliteConnection } from "./sqlite-connection.ts";

const LOCK_POLL_MS = 2;

/**
 * A connection in the thread that asks it: for a command, which serves nobody meanwhile and is done before a thread of the
 * database's own would have started. A lock that somebody else holds is asked for again and again rather than waited for:
 * that somebody may be of this thread, too.
 */
export class InlineSession implements DatabaseSession {
  readonly ended: Promise<void>;
  readonly #connection: SqliteConnection;
  readonly #busyTimeoutMs: number;
  readonly #end: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #isAlive = true;

  private constructor(connection: SqliteConnection, busyTimeoutMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#connection = connection;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** Opens the database. Rejects when that fails. */
  static async start(options: SessionOptions): Promise<InlineSession> {
    const { path, busyTimeoutMs } = options;
    try {
      const open = () => new SqliteConnection({ ...options, busyTimeoutMs: 0 });
      return new InlineSession(await untilFree(busyTimeoutMs, open), busyTimeoutMs);
    } catch (error) {
      throw cannotBeOpened(path, error);
    }
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  async execute(text: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return await this.#inTurn(() =>
      untilFree(this.#busyTimeoutMs, () => this.#connection.execute(text, parameters)),
    );
  }

  async repeat(
    text: string,
    parameters: readonly unknown[],
    parametersPerRun: number,
  ): Promise<StatementResult> {
    // Not tried again: some of the runs may have been done. Within a transaction there is no lock left to wait for.
    return await this.#inTurn(() => {
      const rows = this.#connection.repeat(text, parameters, parametersPerRun);
      return { rows, changes: 0n };
    });
  }

  async rollback(): Promise<void> {
    await this.#inTurn(() => this.#connection.rollback());
  }

  async close(): Promise<void> {
    await this.#inTurn(() => {
      if (!this.#isAlive) return;
      this.#isAlive = false;
      this.#connection.close();
      this.#end();
    });
  }

  #inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    // The event loop goes round once a statement, as it would with a thread: who asks without end starves nobody.
    const result = this.#last.then(() => nextTurn()).then(work);
    // Its failure is its caller's; the next one runs all the same.
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** Does the work as soon as nobody else has the lock that it needs. */
async function untilFree<Result>(timeoutMs: number, work: () => Result): Promise<Result> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    await delay(LOCK_POLL_MS);
  }
}
