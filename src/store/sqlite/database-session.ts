/** One connection to a database file, in whichever thread it runs. */
export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted by a statement that returns none. */
  readonly changes: bigint;
}

export interface SessionOptions {
  readonly path: string;
  /** Reads only; such a connection refuses to write. */
  readonly isReadOnly: boolean;
  /** How long a statement waits for a lock that another connection or process holds. */
  readonly busyTimeoutMs: number;
  readonly maxStatements: number;
}

/** Statements run one after the other, in the order of the calls. Once it has ended every call is rejected. */
export interface DatabaseSession {
  readonly isAlive: boolean;
  /** Resolves when it has ended, in whichever way. */
  readonly ended: Promise<void>;
  execute(text: string, parameters: readonly unknown[]): Promise<StatementResult>;
  /**
   * Runs a statement that returns nothing several times, each time with the next of the parameters; the rows it answers
   * with are numbers, of rows that each run has inserted, updated or deleted. Not atomic: belongs in a transaction.
   */
  repeat(
    text: string,
    parameters: readonly unknown[],
    parametersPerRun: number,
  ): Promise<StatementResult>;
  /** Ends the running transaction, if there is one. */
  rollback(): Promise<void>;
  /** Lets the statements that wait run, then closes the database. */
  close(): Promise<void>;
}

/** A statement that SQLite refused. `code` is Node's. */
export class SqliteError extends Error {
  readonly code: string;
  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SqliteError";
    this.code = code;
  }
}

export function cannotBeOpened(path: string, error: unknown): SqliteError {
  const { message, code } = error as NodeJS.ErrnoException;
  return new SqliteError(
    `the database file ${path} cannot be opened: ${message}`,
    code ?? "ERR_SQLITE_ERROR",
    { cause: error },
  );
}
