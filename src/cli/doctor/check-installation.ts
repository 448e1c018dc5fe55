import { randomBytes } from "node:crypto";
import { type AdminClient, expectData } from "../../admin/client.ts";
import type { Config } from "../../config/config-schema.ts";
import type { FoundOpenaiKey } from "../../config/import-openai-key.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { holdsSecret } from "../../runtime/find-unimported-key.ts";
import { openLocalStore } from "../../runtime/local-store.ts";
import { openVault } from "../../runtime/open-vault.ts";
import { StartError } from "../../runtime/start-error.ts";
import { addKeyCommands } from "./check-machine.ts";
import { type Check, fail, pass, warn } from "./check.ts";

export interface StoreAndVault {
  readonly checks: readonly Check[];
  /** Undefined where there is no such key, or the vault does not open. */
  readonly holdsAppKey: boolean | undefined;
}

/** That the database opens at the schema of this version, and that the root key at hand is the vault's. */
export async function checkStoreAndVault(
  config: Config,
  appKey: FoundOpenaiKey | undefined,
): Promise<StoreAndVault> {
  const checks: Check[] = [];
  let holdsAppKey: boolean | undefined;
  const store = await orFailure("database", checks, () => openLocalStore(config));
  if (store === undefined) return { checks, holdsAppKey };
  try {
    const schema = await store.currentSchema();
    checks.push(pass("database", `${store.kind}, schema ${schema}, is up to date`));
    const ids = new IdFactory({ nowMs: Date.now, randomBytes });
    const vault = await orFailure("root key", checks, () => openVault({ config, store, ids }));
    if (vault !== undefined) {
      const { id, fingerprint } = vault.rootKey;
      checks.push(pass("root key", `${id} (fingerprint ${fingerprint}) fits`));
      if (appKey !== undefined) holdsAppKey = await holdsSecret({ store, vault }, appKey.secret);
    }
    return { checks, holdsAppKey };
  } finally {
    await store.close();
  }
}

/** The outcome, or undefined with the StartError as a check: it is what the doctor is there to find. */
async function orFailure<Result>(
  name: string,
  checks: Check[],
  open: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    checks.push(fail(name, error.message, error.remedy));
    return undefined;
  }
}

/** What each environment answers with. */
export async function checkEnvironments(client: AdminClient): Promise<readonly Check[]> {
  const { environments } = expectData(await client.GET("/status"));
  const query = { limit: 1 };
  const accounts = expectData(await client.GET("/provider-accounts", { params: { query } }));
  const add = addKeyCommands(accounts.data.length > 0);
  return environments.toReversed().map(({ name, answeredBy, activeProviderKeys }) => {
    const check = `environment ${name}`;
    if (answeredBy === "provider") return pass(check, `provider keys: ${activeProviderKeys}`);
    if (answeredBy === "simulator") return pass(check, "the built-in simulator answers");
    return warn(
      check,
      "has no provider key: its calls are refused",
      `${add} --environment ${name}`,
    );
  });
}

/**
 * Keys of personal accounts that are active in production. Keyward refuses to add one; an account or an environment
 * that came into the database by another way may still hold one.
 */
export async function checkPersonalKeys(client: AdminClient): Promise<Check> {
  const accounts = await collect((cursor) =>
    client.GET("/provider-accounts", { params: { query: { limit: 1000, ...cursor } } }),
  );
  const personal = new Set(accounts.filter(({ kind }) => kind === "personal").map(({ id }) => id));
  const environments = await collect((cursor) =>
    client.GET("/environments", { params: { query: { limit: 1000, ...cursor } } }),
  );
  const production = new Set(
    environments.filter(({ kind }) => kind === "production").map(({ id }) => id),
  );
  const keys = await collect((cursor) =>
    client.GET("/provider-keys", { params: { query: { limit: 1000, ...cursor } } }),
  );
  const wrong = keys.filter(
    (key) =>
      key.status === "active" && personal.has(key.accountId) && production.has(key.environmentId),
  );
  if (wrong.length === 0) return pass("personal keys", "none in production");
  const names = wrong.map(({ name, id }) => `${name} (${id})`).join(", ");
  const remedy = "add a key of the organization's account, then keyward provider-keys revoke <id>";
  return fail("personal keys", `in production: ${names}`, remedy);
}

type Cursor = { cursor?: string };

async function collect<Item>(
  fetch: (
    cursor: Cursor,
  ) => Promise<{ data?: { data: Item[]; nextCursor: string | null }; response: Response }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: Cursor = {};
  for (;;) {
    const page = expectData(await fetch(cursor));
    items.push(...page.data);
    if (page.nextCursor === null) return items;
    cursor = { cursor: page.nextCursor };
  }
}
