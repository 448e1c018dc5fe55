import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { ownFile } from "../../files/own-file.ts";
import {
  cannotBeOpened,
  type DatabaseSession,
  type SessionOptions,
  SqliteError,
  type StatementResult,
} from "./database-session.ts";
import { packRuns } from "./packed-parameters.ts";
import { OPENING_ID, type ThreadReply, type ThreadRequest } from "./sqlite-messages.ts";

interface Waiting {
  resolve(result: StatementResult): void;
  reject(error: Error): void;
}

/** Statements of one session that may wait at once; beyond it they are refused rather than piled up in memory. */
const MAX_WAITING = 10_000;

/**
 * One connection, in a thread of its own. Statements run one after the other, in the order of the calls. When the
 * thread dies, every statement that waits is rejected, and so is every later one; a new session starts afresh.
 */
export class SqliteSession implements DatabaseSession {
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #path: string;
  #lastId = OPENING_ID;
  #failure: Error | undefined;

  private constructor(options: SessionOptions, threadFile: URL) {
    this.#path = options.path;
    // No flags, and nothing of the environment: secrets and loaders of the process have no business in this thread.
    this.#worker = new Worker(threadFile, {
      workerData: options,
      env: compileCache(),
      execArgv: [],
      name: "keyward-sqlite",
    });
    this.#worker.on("message", (reply: ThreadReply) => this.#settle(reply));
    this.#worker.on("messageerror", (error) => this.#fail(error));
    this.#worker.on("error", (error) => this.#fail(error));
    this.ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#fail(undefined);
        resolve();
      });
    });
  }

  /** Starts the thread and opens the database. Rejects when that fails, and leaves no thread behind. */
  static async start(
    options: SessionOptions,
    threadFile: URL = ownFile("store/sqlite/sqlite-thread"),
  ): Promise<SqliteSession> {
    const session = new SqliteSession(options, threadFile);
    try {
      await session.#wait(OPENING_ID);
      return session;
    } catch (error) {
      await session.terminate();
      throw cannotBeOpened(options.path, error);
    }
  }

  get isAlive(): boolean {
    return this.#failure === undefined;
  }

  async execute(text: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return await this.#run((id) => ({ kind: "execute", id, text, parameters }));
  }

  async repeat(
    text: string,
    parameters: readonly unknown[],
    parametersPerRun: number,
  ): Promise<StatementResult> {
    const packs = packRuns(parameters, parametersPerRun);
    return await this.#run((id) => ({ kind: "repeat", id, text, packs, parametersPerRun }));
  }

  async rollback(): Promise<void> {
    await this.#request((id) => ({ kind: "rollback", id }));
  }

  /** Ends the thread with it. */
  async close(): Promise<void> {
    try {
      if (this.isAlive) await this.#request((id) => ({ kind: "close", id }));
    } finally {
      await this.terminate();
    }
  }

  /** Ends the thread at once; what waits is rejected, an open transaction is rolled back by SQLite. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.ended;
  }

  async #run(request: (id: number) => ThreadRequest): Promise<StatementResult> {
    if (this.#waiting.size >= MAX_WAITING) {
      throw new SqliteError(
        `${MAX_WAITING} statements wait for the database ${this.#path} already`,
        "ERR_SQLITE_OVERLOAD",
      );
    }
    return await this.#request(request);
  }

  async #request(request: (id: number) => ThreadRequest): Promise<StatementResult> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastId += 1;
    const message = request(this.#lastId);
    // Posted first: a parameter that cannot be sent throws here, and then nobody must wait for an answer.
    this.#worker.postMessage(message, []);
    return await this.#wait(message.id);
  }

  #wait(id: number): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #settle(reply: ThreadReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.kind === "done") waiting?.resolve({ rows: reply.rows, changes: reply.changes });
    else waiting?.reject(new SqliteError(reply.message, reply.code));
  }

  #fail(cause: unknown): void {
    this.#failure ??= new SqliteError(
      `the thread of the database ${this.#path} has ended${cause instanceof Error ? `: ${cause.message}` : ""}`,
      "ERR_SQLITE_THREAD",
      { cause },
    );
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Where the process keeps compiled code, if anywhere: from there a thread starts in a fraction of the time. */
function compileCache(): Readonly<Record<string, string>> {
  const directory = getCompileCacheDir();
  // Node answers with the folder of its own version below the one that was named.
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}
