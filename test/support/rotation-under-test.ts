import { randomBytes } from "node:crypto";
import type { IdFactory } from "../../src/core/ids/ids.ts";
import { UNKNOWN_OWNERSHIP } from "../../src/core/keys/ownership.ts";
import type { AskJson } from "../../src/providers/key-administration.ts";
import { simulatorProvider } from "../../src/providers/simulator/simulator-provider.ts";
import { createProviders } from "../../src/runtime/providers.ts";
import { driveOnce } from "../../src/runtime/rotation/rotation-driver.ts";
import type { RunStepDeps } from "../../src/runtime/rotation/run-step.ts";
import type { ProvisionRecord } from "../../src/store/provision-repository.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../../src/store/records.ts";
import type { RotationRecord } from "../../src/store/rotation-records.ts";
import type { Store } from "../../src/store/store.ts";
import { ADMINISTRATION_SCOPE } from "../../src/vault/vault.ts";
import type { Vault } from "../../src/vault/vault.ts";
import type { OpenaiDouble } from "./openai-double.ts";

export interface RotationParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly ids: IdFactory;
}

/** Asks the double without a network. */
export function askDouble(double: OpenaiDouble): AskJson {
  return async ({ method, url, headers, body }) => {
    const { pathname, search } = new URL(url);
    const authorization = headers.find(([name]) => name === "authorization")?.[1];
    const given = { method, path: pathname + search, authorization, body };
    // What is sent is what JSON can say.
    const request = JSON.parse(JSON.stringify(given)) as typeof given;
    const { status, headers: said, body: told } = double.answer(request);
    const answered = { status, headers: new Map(Object.entries(said)), body: told };
    return { kind: "answered", ...answered, retryAfterMs: undefined };
  };
}

/** An account of the double with its admin key. */
export async function addDoubledAccount(
  { store, vault, ids }: RotationParts,
  double: OpenaiDouble,
): Promise<ProviderAccountRecord> {
  const account: ProviderAccountRecord = {
    id: ids.create("acc"),
    name: "openai-main",
    provider: "openai",
    kind: "organization",
    baseUrl: null,
    organizationId: null,
    providerProjectId: null,
    apiVersion: null,
    pricedAs: null,
    createdAtMs: 1,
  };
  await store.providerAccounts.insert(account);
  const adminContext = { environmentId: ADMINISTRATION_SCOPE, secretId: account.id, version: 1 };
  await store.rotation.adminKeys.put({
    fingerprint: null,
    accountId: account.id,
    version: 1,
    sealed: await vault.seal(double.adminKey, adminContext),
    preview: "sk-admin-…",
    createdBy: "test",
    createdAtMs: 1,
  });
  return account;
}

/** Such an account, and one key of a service account in production. */
export async function addDoubledKey(
  parts: RotationParts,
  double: OpenaiDouble,
  environmentName = "production",
): Promise<{ readonly account: ProviderAccountRecord; readonly key: ProviderKeyRecord }> {
  const { store, vault, ids } = parts;
  const environment = await store.environments.findByName(environmentName);
  if (environment === undefined) throw new Error(`there is no ${environmentName}`);
  const project = double.addProject("app");
  const remoteAccount = double.addServiceAccount(project.id, "app");
  const remote = double.addKey(project.id, remoteAccount.id, "first");
  const account = await addDoubledAccount(parts, double);
  const id = ids.create("pky");
  const context = { environmentId: environment.id, secretId: id, version: 1 };
  const key: ProviderKeyRecord = {
    id,
    accountId: account.id,
    environmentId: environment.id,
    name: "main",
    version: 1,
    sealed: await vault.seal(remote.secret, context),
    fingerprint: await vault.fingerprint(remote.secret),
    weight: 1,
    preview: "sk-svcacct-…",
    createdAtMs: 1,
    revokedAtMs: null,
  };
  await store.providerKeys.insert(key);
  return { account, key };
}

export function sampleRotationOf(
  { ids }: Pick<RotationParts, "ids">,
  key: ProviderKeyRecord,
  nowMs: number,
): RotationRecord {
  const id = ids.create("rot");
  return {
    id,
    keyId: key.id,
    accountId: key.accountId,
    environmentId: key.environmentId,
    revision: 0,
    state: "create",
    way: "automatic",
    isCompromise: false,
    observeMs: 60_000,
    graceMs: 3_600_000,
    stateSinceMs: nowMs,
    isVerified: false,
    activatedAtMs: null,
    graceUntilMs: null,
    attempts: 0,
    nextAttemptAtMs: nowMs,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    trigger: "request",
    remoteName: `keyward-${id}`,
    old: {
      version: key.version,
      preview: key.preview,
      fingerprint: key.fingerprint,
      sealed: null,
      remote: null,
      ownership: UNKNOWN_OWNERSHIP,
    },
    next: null,
    isOldExpiring: false,
    oldFate: null,
    oldCheckAtMs: null,
    oldRefusedAtMs: null,
    isHeld: false,
    lateLook: null,
    notes: [],
    createdBy: "test",
    createdAtMs: nowMs,
  };
}

/** Of the account, for an environment; nothing is done yet. */
export function sampleProvisionOf(
  { ids }: Pick<RotationParts, "ids">,
  of: {
    readonly environment: Pick<EnvironmentRecord, "id" | "name">;
    readonly account: Pick<ProviderAccountRecord, "id">;
  },
  nowMs: number,
): ProvisionRecord {
  const id = ids.create("pvn");
  return {
    id,
    environmentId: of.environment.id,
    accountId: of.account.id,
    keyId: ids.create("pky"),
    keyName: "main",
    revision: 0,
    state: "project",
    stateSinceMs: nowMs,
    attempts: 0,
    nextAttemptAtMs: nowMs,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    remoteName: `keyward-${of.environment.name}-${id}`,
    limits: {
      spend: { monthlyCents: 500_00, budgetId: null },
      models: ["gpt-4o", "o4*"],
      rate: { requestsPerMinute: 60, tokensPerMinute: 2_000_000 },
    },
    outcomes: [],
    projectId: null,
    secret: null,
    isVerified: false,
    isHeld: false,
    lateLook: null,
    notes: [],
    createdBy: "test",
    createdAtMs: nowMs,
  };
}

/** Drives it to where it waits for nothing but a person, with the clock put forward to whatever it waits for. */
export async function driveToEnd(
  deps: RunStepDeps & { skipTo(nowMs: number): void },
  id: RotationRecord["id"],
): Promise<RotationRecord> {
  for (let i = 0; i < 200; i += 1) {
    const record = await deps.store.rotation.rotations.findById(id);
    if (record === undefined) throw new Error("the rotation is not there");
    if (record.endedAtMs !== null || record.state === "failed") return record;
    const driven = await driveOnce(deps, record);
    if (driven.kind !== "waits") continue;
    if (driven.untilMs === null) return record;
    deps.skipTo(driven.untilMs);
  }
  throw new Error("the rotation does not end");
}

const ignore = () => undefined;

export function driverDeps(
  parts: RotationParts,
  double: OpenaiDouble,
): RunStepDeps & { skipTo(nowMs: number): void; ask: AskJson } {
  let nowMs = Date.now();

  return {
    ...parts,
    providers: createProviders(simulatorProvider),
    ask: askDouble(double),
    nowMs: () => nowMs,
    skipTo: (ms) => {
      nowMs = Math.max(nowMs, ms);
    },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  };
}

export const unknownSecret = () => ["sk", "proj", randomBytes(30).toString("hex")].join("-");
