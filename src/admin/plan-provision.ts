import type { ProvisionId } from "../core/ids/ids.ts";
import type { Picos } from "../core/money/picos.ts";
import { resolvePolicy } from "../core/policy/environment-policy.ts";
import {
  modelsOf,
  type ProviderLimits,
  rateLimitOf,
  type SpendLimit,
  spendLimitOf,
} from "../core/provisioning/provider-limits.ts";
import type { KeyAdministration } from "../providers/key-administration.ts";
import { listAll } from "../store/list-all.ts";
import type { ProvisionRecord } from "../store/provision-repository.ts";
import type { EnvironmentRecord, LimitRecord, ProviderAccountRecord } from "../store/records.ts";
import { UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";

export interface ProvisionRequest {
  readonly environment: EnvironmentRecord;
  readonly keyName: string;
  /** Instead of what the budgets come to. */
  readonly monthlyLimitPicos: Picos | undefined;
  /** Also where the environment has a key of the account. */
  readonly isAnother: boolean;
}

/** What stands in the way, for people. */
export interface ProvisionConflict {
  readonly message: string;
  readonly param: string;
}

type PlanDeps = Pick<AdminDeps, "store" | "keyDesk">;

const PICOS_PER_CENT = 10_000_000_000n;

/** What the provider would be asked to hold the project to. */
export async function planLimits(
  { store }: Pick<AdminDeps, "store">,
  { environment, monthlyLimitPicos }: ProvisionRequest,
): Promise<ProviderLimits> {
  const { id, kind, policy } = environment;
  const [budgets, limits] = await Promise.all([store.budgets.listActive(), listLimits(store)]);
  return {
    spend:
      monthlyLimitPicos === undefined ? spendLimitOf(budgets, id) : namedLimit(monthlyLimitPicos),
    models: modelsOf(resolvePolicy(kind, policy)),
    rate: rateLimitOf(limits, id),
  };
}

function namedLimit(amount: Picos): SpendLimit {
  const cents = Number((amount + PICOS_PER_CENT - 1n) / PICOS_PER_CENT);
  return { monthlyCents: Math.max(1, cents), budgetId: null };
}

/** Those that may count the environment's calls. */
async function listLimits({
  limits,
}: Pick<AdminDeps["store"], "limits">): Promise<readonly LimitRecord[]> {
  const [ofEnvironments, ofAll] = await Promise.all([
    listAll((page) => limits.list(page, { scopeKind: "environment" })),
    listAll((page) => limits.list(page, { scopeKind: "organization" })),
  ]);
  return [...ofEnvironments, ...ofAll];
}

/** Everything that would refuse it now, asked without changing anything; empty: nothing would. */
export async function findProvisionConflicts(
  deps: PlanDeps,
  request: ProvisionRequest,
  account: ProviderAccountRecord | undefined,
): Promise<readonly ProvisionConflict[]> {
  const ofEnvironment = await environmentConflicts(deps, request, account);
  if (account === undefined) return ofEnvironment;
  const conflicts = [...accountConflicts(account), ...ofEnvironment];
  if (conflicts.length > 0) return conflicts;
  const found = await deps.keyDesk.administrationOf(account);
  if (found.kind === "absent") return [{ message: `${found.problem}.`, param: "account" }];
  return await adminKeyConflicts(found.administration, account);
}

function accountConflicts({
  name,
  kind,
  providerProjectId,
}: ProviderAccountRecord): readonly ProvisionConflict[] {
  const conflicts: ProvisionConflict[] = [];
  if (kind !== "organization") {
    const message = `The account \`${name}\` is a person's: projects and service accounts are an organization's. Name another account.`;
    conflicts.push({ message, param: "account" });
  }
  if (providerProjectId !== null) {
    const message = `The account \`${name}\` calls as the project ${providerProjectId}, and a new environment gets a project of its own: name an account that has no \`projectId\`.`;
    conflicts.push({ message, param: "account" });
  }
  return conflicts;
}

async function environmentConflicts(
  { store }: Pick<AdminDeps, "store">,
  { environment, isAnother }: ProvisionRequest,
  account: ProviderAccountRecord | undefined,
): Promise<readonly ProvisionConflict[]> {
  const open = await store.rotation.provisions.findOpenOf(environment.id);
  if (open !== undefined)
    return [{ message: alreadyOpen(environment, open), param: "environment" }];
  if (isAnother) return [];
  const keys = await store.providerKeys.listActive(environment.id);
  const own = keys.find(({ accountId }) => accountId === account?.id);
  if (own === undefined) return [];
  const message = `\`${environment.name}\` has the provider key \`${own.name}\` (${own.id}) of this account already: rotate it, or ask for \`another\`.`;
  return [{ message, param: "environment" }];
}

function alreadyOpen({ name }: EnvironmentRecord, { id, state }: ProvisionRecord): string {
  const how = state === "failed" ? "retry or cancel it" : "wait for its end, or cancel it";
  return `\`${name}\` is being provisioned already: ${how}. See \`keyward provisions show ${id}\`.`;
}

/** That the admin key is taken, and may at least look; whether it may write is seen when it does. */
async function adminKeyConflicts(
  administration: KeyAdministration,
  account: ProviderAccountRecord,
): Promise<readonly ProvisionConflict[]> {
  const checked = await administration.check();
  if (checked.kind === "done") return [];
  const why = checked.kind === "missing" ? "it knows no such API" : checked.problem;
  const advice =
    checked.kind === "refused"
      ? ` Set another admin key: keyward provider-accounts set-admin-key ${account.name}.`
      : "";
  return [
    { message: `The provider did not take the admin key: ${why}.${advice}`, param: "account" },
  ];
}

/**
 * Writes down what is to be made. Nothing is made here: whoever drives provisions finds the record and goes on from it.
 * Told again what stands in the way where another request was first.
 */
export async function beginProvision(
  { store, ids, clock }: Pick<AdminDeps, "store" | "ids" | "clock">,
  request: ProvisionRequest & { readonly account: ProviderAccountRecord },
  createdBy: string,
): Promise<{ readonly record: ProvisionRecord } | { readonly conflict: ProvisionConflict }> {
  const { environment, account, keyName } = request;
  const id = ids.create("pvn");
  const nowMs = clock.nowMs();
  const record: ProvisionRecord = {
    id,
    environmentId: environment.id,
    accountId: account.id,
    keyId: ids.create("pky"),
    keyName,
    revision: 0,
    state: "project",
    stateSinceMs: nowMs,
    attempts: 0,
    nextAttemptAtMs: nowMs,
    problem: null,
    failedIn: null,
    endedAtMs: null,
    remoteName: remoteNameOf(environment, id),
    limits: await planLimits({ store }, request),
    outcomes: [],
    projectId: null,
    secret: null,
    isVerified: false,
    isHeld: false,
    lateLook: null,
    notes: [{ atMs: nowMs, state: "project", text: `begun by ${createdBy}` }],
    createdBy,
    createdAtMs: nowMs,
  };
  try {
    await store.rotation.provisions.insert(record);
    return { record };
  } catch (error) {
    if (!(error instanceof UniqueViolationError) || error.field !== "environmentId") throw error;
    const open = await store.rotation.provisions.findOpenOf(environment.id);
    return {
      conflict: { message: alreadyOpen(environment, open ?? record), param: "environment" },
    };
  }
}

/** Begins as all that Keyward makes at a provider, and ends with what no other provision has. */
export function remoteNameOf({ name }: EnvironmentRecord, id: ProvisionId | "<id>"): string {
  return `keyward-${name}-${id}`;
}
