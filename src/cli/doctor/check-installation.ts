import { randomBytes } from "node:crypto";
import type { components } from "../../admin/api-types.ts";
import { type AdminClient, expectData } from "../../admin/client.ts";
import type { Config } from "../../config/config-schema.ts";
import type { FoundOpenaiKey } from "../../config/import-openai-key.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { counted } from "../../core/text/counted.ts";
import { holdsSecret } from "../../runtime/find-unimported-key.ts";
import { openLocalStore } from "../../runtime/local-store.ts";
import { openVault } from "../../runtime/open-vault.ts";
import { StartError } from "../../runtime/start-error.ts";
import {
  type AccountOwnership,
  describeConflict,
  describeDue,
  dueRemedyOf,
  formatFoundOwners,
  remedyOf,
} from "../describe-key-standing.ts";
import {
  describeOpenLeak,
  describeStolenSecret,
  describeStuckWork,
  leakRemedyOf,
  leaksBeside,
  stolenRemedyOf,
  stuckRemedyOf,
} from "../describe-trouble.ts";
import { collectPages } from "../list-pages.ts";
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
  return environments.toReversed().map((environment) => {
    const { name, answeredBy, activeProviderKeys, refusedProviderKeys, simulatorKeys } =
      environment;
    const check = `environment ${name}`;
    const usable = activeProviderKeys - refusedProviderKeys;
    const madeUp = simulatorKeys > 0 ? `, of which the simulator's: ${simulatorKeys}` : "";
    if (answeredBy === "provider") return pass(check, `provider keys: ${usable}${madeUp}`);
    if (answeredBy === "nobody" && activeProviderKeys > 0) {
      const problem = "its policy shuts every provider key out: its calls are refused";
      return warn(check, problem, `keyward environments policy ${name}`);
    }
    if (answeredBy === "simulator") return pass(check, "the built-in simulator answers");
    return warn(
      check,
      "has no provider key: its calls are refused",
      `${add} --environment ${name}`,
    );
  });
}

/** Whose the keys of each account are, as declared and as found, which rotations failed or are due, and what has leaked. */
export async function checkKeys(client: AdminClient): Promise<readonly Check[]> {
  const { accounts, rotationsDue, stolenSecrets, stuckWork, openLeaks, time } = expectData(
    await client.GET("/status"),
  );
  return [
    ...leaksBeside(openLeaks, stolenSecrets).map((leak) => {
      const say = leak.standing === "valid" ? fail : warn;
      return say("leaked", describeOpenLeak(leak), leakRemedyOf(leak));
    }),
    ...stolenSecrets.map((stolen) =>
      fail("stolen secret", describeStolenSecret(stolen), stolenRemedyOf(stolen)),
    ),
    ...stuckWork.map((work) => {
      const say = work.hasFailed ? fail : warn;
      return say(work.kind, describeStuckWork(work), stuckRemedyOf(work));
    }),
    ...accounts.flatMap(checkOwnership),
    ...rotationsDue.map((due) => {
      const message = describeDue(due, Date.parse(time));
      const isLate = Date.parse(due.dueAt) <= Date.parse(time);
      // What the provider is asked for comes by itself, until its time has passed and it has not.
      return due.isAutomatic && !isLate
        ? pass("rotation", message)
        : warn("rotation", message, dueRemedyOf(due));
    }),
  ];
}

function checkOwnership(account: AccountOwnership): readonly Check[] {
  const check = `account ${account.account}`;
  const { declared, conflicts } = account;
  if (conflicts.length === 0) {
    return [pass(check, `declared ${declared}; keys found to be: ${formatFoundOwners(account)}`)];
  }
  return conflicts.map((conflict) => {
    const said = describeConflict(account, conflict);
    // The rule of the environment says how much it matters; a key that it refuses fails the check of the policy.
    return conflict.rule === "off"
      ? pass(check, `${said}; ${conflict.environment} does not mind`)
      : warn(check, said, remedyOf(account, conflict));
  });
}

/** Whether the audit log is whole, and as far as it was seen to be. */
export async function checkAuditLog(client: AdminClient): Promise<Check> {
  const { last, problem, mark } = expectData(await client.GET("/audit/verify"));
  if (problem !== null) {
    const message = `is not whole, or not what was seen of it (${problem.fault}, entry ${problem.sequence})`;
    return fail("audit log", message, "keyward audit verify");
  }
  const seen = mark === null ? "" : `; seen up to ${mark.sequence}`;
  return pass("audit log", `whole, ${counted(last.sequence, "entry", "entries")}${seen}`);
}

/** What breaks each environment's policy: keys that are refused, and calls of the last day that were or would have been. */
export async function checkPolicies(client: AdminClient): Promise<readonly Check[]> {
  const environments = await collectPages((page) =>
    client.GET("/environments", { params: { query: page } }),
  );
  const checks: Check[] = [];
  for (const { name } of environments.toReversed()) {
    const params = { path: { id: name } };
    const { violations } = expectData(await client.GET("/environments/{id}/policy", { params }));
    checks.push(...checkPolicy(name, violations));
  }
  return checks;
}

function checkPolicy(
  environment: string,
  violations: readonly components["schemas"]["PolicyViolation"][],
): readonly Check[] {
  const check = `policy ${environment}`;
  if (violations.length === 0) return [pass(check, "nothing breaks it")];
  return violations.map(({ rule, mode, subject, message }) => {
    const isKey = subject.kind === "providerKey";
    const said = `${rule}: ${subject.name} (${subject.id}). ${message}`;
    const remedy = isKey
      ? `add a key that the policy allows, then keyward provider-keys revoke ${subject.id}`
      : `keyward keys show ${subject.id}; keyward environments policy ${environment}`;
    // A call that was refused is a rule that works; a key that is refused is a way that is not there.
    return isKey && mode === "enforce" ? fail(check, said, remedy) : warn(check, said, remedy);
  });
}
