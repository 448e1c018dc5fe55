import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Repositories, Store } from "../store.ts";

/** A database of the kind under test, empty at first. */
export interface TestDatabase {
  /** A store on it. Every call is a connection of its own, as another process would have. */
  open(): Store;
  /** Runs statements behind the store's back. */
  execute(statements: string): Promise<void>;
  /** The statement after which the change log counts from 1 again. */
  readonly restartSequence: string;
  /** Closes every store that was opened. */
  closeStores(): Promise<void>;
  /** The same, and removes the database. */
  drop(): Promise<void>;
}

export type CreateTestDatabase = () => Promise<TestDatabase>;

/** What the test that runs works with. */
export interface Fixture {
  readonly database: TestDatabase;
  readonly store: Store;
}

/** Every table but the schema's own; who refers to another comes first. */
const TABLES = [
  "audit_entries",
  "audit_head",
  "alert_deliveries",
  "alerts",
  "alert_mutes",
  "alert_rules",
  "alert_channels",
  "alert_leases",
  "offered_alert_kinds",
  "provider_key_uses",
  "budget_leases",
  "budget_windows",
  "budget_increases",
  "budgets",
  "refusal_rollups",
  "usage_rollups",
  "usage_corrections",
  "pending_usage",
  "usage_events",
  "change_log",
  "rotations",
  "provisions",
  "provider_key_facts",
  "provider_admin_keys",
  "routing_rules",
  "provider_keys",
  "gateway_key_uses",
  "gateway_key_secrets",
  "gateway_keys",
  "admin_tokens",
  "sessions",
  "known_devices",
  "login_attempts",
  "password_resets",
  "invitations",
  "members",
  "data_keys",
  "root_keys",
  "customers",
  "provider_accounts",
  "environments",
  "projects",
  "price_overrides",
  "processes",
  "limit_uses",
  "account_views",
  "account_minutes",
  "account_hours",
  "limits",
];

/** For a test and for the hooks around it; a busy machine takes its time to start threads and servers. */
export const TIMEOUT_MS = 120_000;

/** Made and migrated once for all of the contract: nothing else takes as long. */
const migrated = new WeakMap<CreateTestDatabase, Promise<TestDatabase>>();

/** For the `describe` around every `useDatabase`: removes what they shared. */
export function shareDatabase(createDatabase: CreateTestDatabase): void {
  afterAll(async () => {
    const database = await migrated.get(createDatabase);
    await database?.drop();
  }, TIMEOUT_MS);
}

async function findMigrated(createDatabase: CreateTestDatabase): Promise<TestDatabase> {
  let found = migrated.get(createDatabase);
  if (found === undefined) {
    found = migrate(await createDatabase());
    migrated.set(createDatabase, found);
  }
  return await found;
}

async function migrate(database: TestDatabase): Promise<TestDatabase> {
  await database.open().migrate();
  await database.closeStores();
  return database;
}

/** Gives every test of the enclosing `describe` a database that is migrated and has no rows. */
export function useDatabase(createDatabase: CreateTestDatabase): Fixture {
  const fixture = new CurrentFixture();
  beforeAll(async () => {
    fixture.use(await findMigrated(createDatabase));
  }, TIMEOUT_MS);
  beforeEach(async () => {
    const { database } = fixture;
    const deletions = TABLES.map((table) => `delete from ${table}`);
    // In one transaction: a commit for each table is most of what most tests would take.
    await database.execute(["begin", ...deletions, database.restartSequence, "commit"].join(";"));
  }, TIMEOUT_MS);
  afterAll(async () => {
    await fixture.database.closeStores();
  }, TIMEOUT_MS);
  return fixture;
}

/** Gives every test of the enclosing `describe` a database that nobody has touched. */
export function useEmptyDatabase(createDatabase: CreateTestDatabase): Fixture {
  const fixture = new CurrentFixture();
  beforeEach(async () => {
    fixture.use(await createDatabase());
  }, TIMEOUT_MS);
  afterEach(async () => {
    await fixture.drop();
  }, TIMEOUT_MS);
  return fixture;
}

class CurrentFixture implements Fixture {
  #current: { readonly database: TestDatabase; readonly store: Store } | undefined;

  get database(): TestDatabase {
    return this.#required.database;
  }

  get store(): Store {
    return this.#required.store;
  }

  use(database: TestDatabase): void {
    this.#current = { database, store: database.open() };
  }

  async drop(): Promise<void> {
    await this.#current?.database.drop();
    this.#current = undefined;
  }

  get #required(): Fixture {
    if (this.#current === undefined) throw new Error("there is no database outside of a test");
    return this.#current;
  }
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
