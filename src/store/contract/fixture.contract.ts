import { afterEach, beforeEach } from "vitest";
import type { Repositories, Store } from "../store.ts";

/** An empty database of the kind under test. */
export interface TestDatabase {
  /** A store on it. Every call is a connection of its own, as another process would have. */
  open(): Store;
  /** Runs one statement behind the store's back. */
  execute(statement: string): Promise<void>;
  /** Closes every store that was opened, and removes the database. */
  drop(): Promise<void>;
}

export type CreateTestDatabase = () => Promise<TestDatabase>;

/** The stores of the test that runs. */
export interface Fixture {
  readonly database: TestDatabase;
  readonly store: Store;
}

/** Gives every test of the enclosing `describe` a fresh database, migrated unless said otherwise. */
export function useDatabase(
  createDatabase: CreateTestDatabase,
  options: { readonly isMigrated: boolean } = { isMigrated: true },
): Fixture {
  let database: TestDatabase | undefined;
  let store: Store | undefined;
  beforeEach(async () => {
    database = await createDatabase();
    store = database.open();
    if (options.isMigrated) await store.migrate();
  });
  afterEach(async () => {
    await database?.drop();
  });
  return {
    get database() {
      if (database === undefined) throw new Error("outside of a test");
      return database;
    },
    get store() {
      if (store === undefined) throw new Error("outside of a test");
      return store;
    },
  };
}

/** Reads every page and returns the rows in order. Fails when a page is larger than asked for, or empty before the end. */
export async function readAll<Row>(
  limit: number,
  list: (page: { limit: number; cursor?: string }) => Promise<{
    readonly rows: readonly Row[];
    readonly nextCursor: string | null;
  }>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let page = await list({ limit });
  for (;;) {
    if (page.rows.length > limit) throw new Error(`asked for ${limit}, got ${page.rows.length}`);
    rows.push(...page.rows);
    if (page.nextCursor === null) return rows;
    if (page.rows.length !== limit) throw new Error("a page before the last is not full");
    page = await list({ limit, cursor: page.nextCursor });
  }
}

/** Changes after a sequence, without their numbers. */
export async function changesSince(
  store: Pick<Repositories, "changes">,
  sequence: number,
): Promise<readonly string[]> {
  const changes = await store.changes.listSince(sequence, 1000);
  return changes.map((change) => `${change.kind} ${change.entityId}`);
}
