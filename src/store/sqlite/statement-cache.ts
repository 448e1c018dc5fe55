import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Prepared statements by their text, the least recently used one dropped beyond the limit. */
export class StatementCache {
  readonly #database: DatabaseSync;
  readonly #maxStatements: number;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, maxStatements: number) {
    this.#database = database;
    this.#maxStatements = maxStatements;
  }

  get size(): number {
    return this.#statements.size;
  }

  prepare(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#database.prepare(text);
      statement.setReadBigInts(true);
    } else {
      this.#statements.delete(text);
    }
    this.#statements.set(text, statement);
    if (this.#statements.size > this.#maxStatements) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }

  clear(): void {
    this.#statements.clear();
  }
}
