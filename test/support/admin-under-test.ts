import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { type AdminApp, createAdminApp } from "../../src/admin/admin-app.ts";
import type { AdminDeps, AdminFault } from "../../src/admin/admin-deps.ts";
import { TRUST_CALLER } from "../../src/admin/authenticator.ts";
import { type AdminClient, createAdminClient } from "../../src/admin/client.ts";
import { PasswordHasher } from "../../src/admin/password-hasher.ts";
import {
  DEFAULT_UNPRICED_POLICY,
  ENVIRONMENT_KINDS,
} from "../../src/core/environments/environment.ts";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { createAllowedHosts } from "../../src/core/network/allowed-hosts.ts";
import { NO_SETTINGS } from "../../src/core/policy/environment-policy.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import { simulatorProvider } from "../../src/providers/simulator/simulator-provider.ts";
import { openAudit } from "../../src/runtime/open-audit.ts";
import { createProviders } from "../../src/runtime/providers.ts";
import type { AuditedStore } from "../../src/store/audited-store.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { openLocalVault } from "../../src/vault/local/local-vault.ts";
import { createRootKey } from "../../src/vault/local/root-key.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { writeMigratedDatabase } from "./migrated-database.ts";
import { createScratchDirectory } from "./scratch-directory.ts";

export const NOW_MS = Date.UTC(2026, 0, 31, 9, 0, 0);
const DATABASE = "keyward.db";
const ORIGIN = "http://keyward.test";

/** An answer of the admin API as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly body: unknown;
}

export interface AdminUnderTest {
  readonly app: AdminApp;
  readonly deps: TestDeps;
  readonly store: SqliteStore;
  readonly databasePath: string;
  readonly vault: Vault;
  readonly client: AdminClient;
  /** What the log was told; a test that expects a fault takes it out. */
  readonly faults: AdminFault[];
  /** Stands still until a test sets it. */
  nowMs: number;
  /** A second app on the same store, for instance with another authenticator. */
  appWith(changes: Partial<AdminDeps>): AdminApp;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<RawAnswer>;
  /** A body that is no string is sent as JSON. */
  post(
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<RawAnswer>;
}

/**
 * The admin app on a fresh SQLite database and a real vault for every test of the file, with the project and the
 * environments of a first start. It trusts its caller unless a test makes another with `appWith`. No fault may be
 * left unnoticed.
 */
export function adminUnderTest(): AdminUnderTest {
  const admin = {} as AdminUnderTest;
  let directory: string;
  beforeEach(async () => {
    directory = await createScratchDirectory("keyward-admin-");
    Object.assign(admin, { nowMs: NOW_MS, faults: [] });
    const deps = await createDeps(admin, directory);
    await seed(deps);
    const databasePath = join(directory, DATABASE);
    Object.assign(admin, harnessOf(deps), { databasePath });
  });
  afterEach(async () => {
    await admin.store.close();
    await rm(directory, { recursive: true });
    expect(admin.faults).toEqual([]);
  });
  return admin;
}

export interface TestDeps extends AdminDeps {
  readonly store: AuditedStore;
  /** Past the audit log. */
  readonly direct: SqliteStore;
  readonly vault: Vault;
  readonly ids: IdFactory;
}

async function createDeps(admin: AdminUnderTest, directory: string): Promise<TestDeps> {
  const path = join(directory, DATABASE);
  await writeMigratedDatabase(path);
  const store = new SqliteStore({ path, isInline: true });
  const clock = { nowMs: () => admin.nowMs };
  const ids = new IdFactory({ nowMs: clock.nowMs, randomBytes });
  const vault = await openLocalVault({
    rootKey: { kind: "given", key: createRootKey() },
    keys: store.vaultKeys,
    ids,
    clock,
  });
  return {
    store: await openAudit({ store, vault, nowMs: clock.nowMs, markPlace: undefined }),
    direct: store,
    vault,
    providers: createProviders(simulatorProvider),
    allowedHosts: createAllowedHosts(["localhost:11434"]),
    priceBook: createPriceBook(BUILT_IN_PRICE_LIST, { freeProviders: ["simulator"] }),
    keyDesk: {
      wake: () => undefined,
      administrationOf: () => Promise.resolve({ kind: "absent", problem: "nobody is asked here" }),
      tryOldSecret: () => Promise.resolve("unknown"),
    },
    ids,
    clock,
    randomBytes,
    sendAlert: () => Promise.resolve({ kind: "delivered" }),
    authenticator: TRUST_CALLER,
    passwords: new PasswordHasher({ logN: 4, r: 8, p: 1 }),
    serverInfo: { version: "1.2.3", startedAtMs: NOW_MS, urls: [ORIGIN], processId: null },
    onFault: (fault) => admin.faults.push(fault),
  };
}

function harnessOf(deps: TestDeps): Omit<AdminUnderTest, "nowMs" | "faults" | "databasePath"> {
  const app = createAdminApp(deps);
  return {
    app,
    deps,
    store: deps.direct,
    vault: deps.vault,
    client: createAdminClient({ baseUrl: ORIGIN, fetch: app.fetch }),
    appWith: (changes) => createAdminApp({ ...deps, ...changes }),
    get: (path, headers = {}) => call(app, path, { headers }),
    post: (path, body, headers = {}) => call(app, path, postOf(body, headers)),
  };
}

async function seed({ direct: store, ids }: TestDeps): Promise<void> {
  const createdAtMs = NOW_MS;
  await store.projects.insert({ id: ids.create("prj"), name: "default", createdAtMs });
  for (const kind of ENVIRONMENT_KINDS) {
    const unpricedPolicy = DEFAULT_UNPRICED_POLICY;
    const id = ids.create("env");
    const policies = { unpricedPolicy, budgetCeilingPicos: null, policy: NO_SETTINGS };
    await store.environments.insert({ id, name: kind, kind, ...policies, createdAtMs });
  }
}

/** A body that is no string is sent as JSON. */
export function postOf(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  if (body === undefined) return { method: "POST", headers };
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

/** `path` without `/api/v1`. */
export async function call(
  app: AdminApp,
  path: string,
  init: RequestInit = {},
): Promise<RawAnswer> {
  const answer = await app.fetch(new Request(`${ORIGIN}/api/v1${path}`, init));
  const text = await answer.text();
  const isJson = answer.headers.get("content-type") === "application/json";
  const body: unknown = isJson ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, text, body };
}
