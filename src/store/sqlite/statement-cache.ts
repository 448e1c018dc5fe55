import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface Prepared {
  readonly statement: StatementSync;
  /** Kept, because to ask for it takes as long as many a statement: Node describes each column. */
  readonly hasRows: boolean;
}

/** Prepared statements by their text, the least recently used one dropped beyond the limit. */
export class StatementCache {
  readonly #database: DatabaseSync;
  readonly #maxStatements: number;
  readonly #statements = new Map<string, Prepared>();

  constructor(database: DatabaseSync, maxStatements: number) {
    this.#database = database;
    this.#maxStatements = maxStatements;
  }

  get size(): number {
    return this.#statements.size;
  }

  prepare(text: string): Prepared {
    let prepared = this.#statements.get(text);
    if (prepared === undefined) {
      const statement = this.#database.prepare(text);
      statement.setReadBigInts(true);
      prepared = { statement, hasRows: statement.columns().length > 0 };
    } else {
      this.#statements.delete(text);
    }
    this.#statements.set(text, prepared);
    if (this.#statements.size > this.#maxStatements) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return prepared;
  }

  clear(): void {
    this.#statements.clear();
  }
}
