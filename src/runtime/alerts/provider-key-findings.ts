import {
  type AlertFact,
  describeDueRotation,
  describeFailingKey,
  describeKey,
  describeOldKey,
  describeUnusedKey,
  type KeyTrouble,
  type ProviderKeyFacts,
} from "../../core/alerts/alert-content.ts";
import { DAY_MS } from "../../core/alerts/alert-period.ts";
import type { ConditionOf } from "../../core/alerts/alert-rule.ts";
import { rotationDueMs } from "../../core/rotation/rotation-schedule.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import { listAll } from "../../store/list-all.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { type Finding, formatMinute, periodName } from "./finding.ts";

type KeyStore = Pick<
  Store,
  "environments" | "providerAccounts" | "providerKeys" | "alerts" | "rotation"
>;

export interface KeyFindingDeps {
  readonly store: KeyStore;
  readonly nowMs: number;
}

export async function findUnusedKeys(
  { store, nowMs }: KeyFindingDeps,
  rule: AlertRuleRecord,
  { settings }: ConditionOf<"provider_key_unused">,
): Promise<readonly Finding[]> {
  const keys = await listKeys(store, rule);
  const uses = await store.alerts.providerKeyUses.lastUsesOf(keys.map(({ id }) => id));
  return keys.flatMap((key) => {
    // Before the rule was there nobody noted uses.
    const sinceMs = Math.max(uses.get(key.id) ?? 0, key.createdAtMs, rule.createdAtMs);
    const days = Math.floor((nowMs - sinceMs) / DAY_MS);
    if (days < settings.days) return [];
    return {
      key: keyOf(key, rule, nowMs),
      describe: async () => describeUnusedKey(await factsOf(store, key), days),
    };
  });
}

export async function findOldKeys(
  { store, nowMs }: KeyFindingDeps,
  rule: AlertRuleRecord,
  { settings }: ConditionOf<"provider_key_old">,
): Promise<readonly Finding[]> {
  const keys = await listKeys(store, rule);
  const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  return keys.flatMap((key) => {
    const sinceMs = facts.get(key.id)?.secretSinceMs ?? key.createdAtMs;
    const days = Math.floor((nowMs - sinceMs) / DAY_MS);
    if (days < settings.days) return [];
    return {
      key: keyOf(key, rule, nowMs),
      describe: async () => describeOldKey(await factsOf(store, key), days),
    };
  });
}

/**
 * Keys that are to be rotated by schedule, once for each of the rule's days before one and the same time: of several that
 * have come meanwhile the last alone.
 */
export async function findDueRotations(
  { store, nowMs }: KeyFindingDeps,
  rule: AlertRuleRecord,
  { settings }: ConditionOf<"rotation_due">,
): Promise<readonly Finding[]> {
  const keys = await listKeys(store, rule);
  const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  const findings: Finding[] = [];
  for (const key of keys) {
    const { rotateEveryDays = null, secretSinceMs = null } = facts.get(key.id) ?? {};
    if (rotateEveryDays === null) continue;
    const dueMs = rotationDueMs(secretSinceMs ?? key.createdAtMs, rotateEveryDays);
    // Longer ones than the schedule itself would tell at once of every new secret.
    const leads = settings.daysBefore.filter((days) => days < rotateEveryDays);
    const daysBefore = lastReached(leads, dueMs, nowMs);
    if (daysBefore === undefined) continue;
    // One that goes on needs nobody to be told.
    if ((await store.rotation.rotations.findOpenOf(key.id)) !== undefined) continue;
    const isAutomatic = (await store.rotation.adminKeys.find(key.accountId)) !== undefined;
    // What happens by itself at that time is told of before it.
    if (isAutomatic && dueMs <= nowMs) continue;
    const due = { dueMs, daysLeft: Math.ceil((dueMs - nowMs) / DAY_MS), isAutomatic };
    findings.push({
      key: {
        kind: "providerKey",
        id: key.id,
        period: `${daysBefore} days before ${formatMinute(dueMs)}`,
      },
      describe: async () => describeDueRotation(await factsOf(store, key), due, formatMinute),
    });
  }
  return findings;
}

function lastReached(
  daysBefore: readonly number[],
  dueMs: number,
  nowMs: number,
): number | undefined {
  const reached = daysBefore.filter((days) => nowMs >= dueMs - days * DAY_MS);
  return reached.length === 0 ? undefined : Math.min(...reached);
}

/** `troubleOf`: what this process knows; undefined while a key is well, or has not failed for that long. */
export async function findFailingKeys(
  { store, nowMs }: KeyFindingDeps,
  rule: AlertRuleRecord,
  troubleOf: (key: ProviderKeyRecord) => KeyTrouble | undefined,
): Promise<readonly Finding[]> {
  return (await listKeys(store, rule)).flatMap((key) => {
    const trouble = troubleOf(key);
    if (trouble === undefined) return [];
    return {
      key: keyOf(key, rule, nowMs),
      describe: async () => describeFailingKey(await factsOf(store, key), trouble),
    };
  });
}

function keyOf({ id }: ProviderKeyRecord, rule: AlertRuleRecord, nowMs: number) {
  return { kind: "providerKey", id, period: periodName(rule.repeat, nowMs) } as const;
}

/** The keys in use that the rule is for. */
async function listKeys(
  store: Pick<Store, "environments" | "providerKeys">,
  { scope }: Pick<AlertRuleRecord, "scope">,
): Promise<readonly ProviderKeyRecord[]> {
  const keys: ProviderKeyRecord[] = [];
  for (const { id } of await listAll((page) => store.environments.list(page))) {
    if (scope?.kind === "environment" && scope.id !== null && scope.id !== id) continue;
    keys.push(...(await store.providerKeys.listActive(id)));
  }
  const accountId = scope?.kind === "providerAccount" ? scope.id : null;
  return accountId === null ? keys : keys.filter((key) => key.accountId === accountId);
}

async function factsOf(store: KeyStore, key: ProviderKeyRecord): Promise<ProviderKeyFacts> {
  const { id, name, preview, accountId, environmentId } = key;
  const [account, environment] = await Promise.all([
    store.providerAccounts.findById(accountId),
    store.environments.findById(environmentId),
  ]);
  return {
    id,
    name,
    preview,
    accountId,
    account: account?.name ?? accountId,
    environment: environment?.name ?? environmentId,
  };
}

/** What an alert says of a key in general, and the name of its environment. */
export async function keyFactsOf(
  store: KeyStore,
  key: ProviderKeyRecord,
): Promise<{ readonly environment: string; readonly facts: readonly AlertFact[] }> {
  const facts = await factsOf(store, key);
  return { environment: facts.environment, facts: describeKey(facts) };
}
