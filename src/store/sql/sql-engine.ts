/**
 * What the shared SQL of this folder asks of a database. Everything here runs on SQLite and on Postgres alike; where
 * they differ, the engine of `sqlite/` or `postgres/` knows. Nothing in this folder opens a connection.
 */
import type { Kysely, RawBuilder, SelectQueryBuilder, Transaction } from "kysely";
import type { BudgetRules } from "../../core/budgets/budget-rules.ts";
import type { KeyUseNotes } from "./key-use-notes.ts";
import type { Tables } from "./tables.ts";

/** The words in which the two databases write the same table. */
export interface SchemaWords {
  /** Text that compares and sorts byte by byte, so that a page is cut alike everywhere. */
  readonly text: string;
  /** Signed 64-bit integer. */
  readonly integer: string;
  readonly blob: string;
  /** Column definition of a primary key that the database counts up and never reuses. */
  readonly sequence: string;
  /** After the closing bracket of a table. */
  readonly table: string;
  /** Statements that have every row of `change_log` announced when it is committed; none where that can't be. */
  readonly announceChanges: readonly string[];
  /** After the closing bracket of a table that is read by ranges of its primary key. */
  readonly clusteredTable: string;
  /** A text field of the JSON object that a column holds as text. */
  readonly jsonField: (column: string, field: string) => string;
}

/** Rows for one table. */
interface Insertion {
  readonly table: string;
  readonly columns: readonly string[];
  /** What follows the values: `on conflict … do …`. */
  readonly onConflict: string;
  /** Row after row, in the order of `columns`. */
  readonly parameters: unknown[];
}

export interface SqlEngine {
  /** `sqlite` or `postgres`; for people. */
  readonly kind: string;
  readonly words: SchemaWords;
  /** The database's own clock in whole ms since the epoch: one clock for processes on many machines. */
  readonly nowMs: RawBuilder<bigint>;
  /** Inserts many rows the way that costs this database the least; whether each was inserted or updated by it. */
  insertRows(db: Kysely<Tables>, insertion: Insertion): Promise<readonly boolean[]>;
  hasTable(db: Kysely<Tables>, name: string): Promise<boolean>;
  /** The query so that its rows are this transaction's to change; others that ask for them wait. */
  lockRows<Table extends keyof Tables, Row>(
    query: SelectQueryBuilder<Tables, Table, Row>,
  ): SelectQueryBuilder<Tables, Table, Row>;
  /**
   * Until the transaction ends: who adds to the ledger shares the lock, who adds up the ledger for a new budget has it
   * alone. So no row is missed, and none counted twice.
   */
  lockBudgetRules(db: Kysely<Tables>, mode: "shared" | "alone"): Promise<void>;
  /** Makes other transactions that ask for it wait until this one has ended. */
  lockWriters(transaction: Transaction<Tables>): Promise<void>;
  /** The column whose uniqueness the statement would have broken; undefined for any other error. */
  takenColumn(error: unknown): string | undefined;
}

export interface BudgetRuleSource {
  /** As they stand in this transaction, and do until it ends: a budget that is made meanwhile waits for it. */
  rulesIn(transaction: {
    readonly db: Kysely<Tables>;
    readonly engine: SqlEngine;
  }): Promise<BudgetRules>;
}

/** Where the repositories read and write. Within a transaction both are that transaction. */
export interface Connections {
  readonly read: Kysely<Tables>;
  readonly write: Kysely<Tables>;
  readonly engine: SqlEngine;
  readonly budgetRules: BudgetRuleSource;
  readonly keyUses: KeyUseNotes;
}

/**
 * One transaction that excludes every other of its kind. Changes to configuration are few, so they take turns: that
 * makes the order of `change_log` the order of commits, and leaves no two of them to deadlock.
 */
export async function exclusively<Result>(
  connections: Connections,
  work: (db: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  const { write, engine } = connections;
  if (write.isTransaction) return await work(write);
  return await write.transaction().execute(async (transaction) => {
    await engine.lockWriters(transaction);
    return await work(transaction);
  });
}
