/** Alerts on a fresh SQLite database and a real vault, with a clock that a test drives and a real HTTP receiver. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import {
  ALERT_SECRETS_SCOPE,
  createSigningSecret,
  type AlertTarget,
} from "../../src/core/alerts/alert-channel.ts";
import type { KeyTrouble } from "../../src/core/alerts/alert-content.ts";
import { type AlertPeriod } from "../../src/core/alerts/alert-period.ts";
import type { AlertCondition } from "../../src/core/alerts/alert-rule.ts";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { createAllowedHosts } from "../../src/core/network/allowed-hosts.ts";
import { AlertEvaluator } from "../../src/runtime/alerts/alert-evaluator.ts";
import { type AlertSenders, createAlertSenders } from "../../src/runtime/alerts/alert-senders.ts";
import { createBudgetUsageSource } from "../../src/runtime/alerts/budget-usage.ts";
import { AlertDelivery } from "../../src/runtime/alerts/delivery-loop.ts";
import type {
  AlertChannelRecord,
  AlertRecord,
  AlertRuleRecord,
} from "../../src/store/alert-records.ts";
import type { ProviderKeyRecord } from "../../src/store/records.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { openLocalVault } from "../../src/vault/local/local-vault.ts";
import { createRootKey } from "../../src/vault/local/root-key.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { type AlertReceiver, startAlertReceiver } from "./alert-receiver.ts";
import { LogOfTest } from "./ledger-under-test.ts";
import { writeMigratedDatabase } from "./migrated-database.ts";

/** 2026-03-04 13:30 UTC, a Wednesday. */
export const ALERTS_NOW_MS = Date.UTC(2026, 2, 4, 13, 30);

export interface AlertsUnderTest {
  nowMs: number;
  store: SqliteStore;
  vault: Vault;
  ids: IdFactory;
  receiver: AlertReceiver;
  senders: AlertSenders;
  log: LogOfTest;
  /** What the process knows of keys. */
  troubles: Map<string, KeyTrouble>;
  /** Another process on the same database. */
  openStore(): SqliteStore;
  evaluatorOn(store?: SqliteStore): AlertEvaluator;
  deliveryOn(store?: SqliteStore): AlertDelivery;
  /** Evaluates once, in a process of its own that remembers nothing. */
  evaluate(): Promise<number>;
  /** Delivers what is due, to its end. */
  deliver(): Promise<void>;
  addRule(condition: AlertCondition, changes?: Partial<AlertRuleRecord>): Promise<AlertRuleRecord>;
  /** A webhook to the receiver. */
  addChannel(changes?: Partial<AlertChannelRecord>): Promise<AlertChannelRecord>;
  alerts(): Promise<readonly AlertRecord[]>;
}

export function alertsUnderTest(): AlertsUnderTest {
  const test = {} as AlertsUnderTest;
  let directory: string;
  let stores: SqliteStore[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "keyward-alerts-"));
    const path = join(directory, "keyward.db");
    await writeMigratedDatabase(path);
    stores = [];
    const openStore = (): SqliteStore => {
      const store = new SqliteStore({ path, isInline: true });
      stores.push(store);
      return store;
    };
    test.nowMs = ALERTS_NOW_MS;
    test.store = openStore();
    const clock = { nowMs: () => test.nowMs };
    test.ids = new IdFactory({ ...clock, randomBytes });
    test.vault = await openLocalVault({
      rootKey: { kind: "given", key: createRootKey() },
      keys: test.store.vaultKeys,
      ids: test.ids,
      clock,
    });
    test.receiver = await startAlertReceiver();
    test.log = new LogOfTest();
    test.troubles = new Map();
    const allowedHosts = createAllowedHosts([test.receiver.host]);
    test.senders = createAlertSenders({ vault: test.vault, allowedHosts, ...clock });
    test.openStore = openStore;
    Object.assign(test, workOf(test));
  });
  afterEach(async () => {
    await test.senders.close();
    await test.receiver.close();
    for (const store of stores) await store.close();
    await rm(directory, { recursive: true });
    expect(test.log.lines.filter((line) => line.startsWith("error: a rule"))).toEqual([]);
  });
  return test;
}

function workOf(test: AlertsUnderTest): Partial<AlertsUnderTest> {
  const log = {
    debug: () => undefined,
    info: test.log.info.bind(test.log),
    warn: test.log.warn.bind(test.log),
    error: test.log.error.bind(test.log),
  };
  const nowMs = () => test.nowMs;
  const evaluatorOn = (store = test.store): AlertEvaluator =>
    new AlertEvaluator({
      store,
      ids: test.ids,
      log,
      nowMs,
      troubleOf: ({ id }: ProviderKeyRecord) => test.troubles.get(id),
      budgets: createBudgetUsageSource(store.budgets),
      accountLimits: undefined,
    });
  const deliveryOn = (store = test.store): AlertDelivery =>
    new AlertDelivery({
      store,
      senders: test.senders,
      ids: test.ids,
      log,
      nowMs,
      random: () => 0,
    });
  return {
    evaluatorOn,
    deliveryOn,
    evaluate: () => evaluatorOn().evaluate(() => true),
    async deliver() {
      const delivery = deliveryOn();
      await delivery.look();
      await delivery.settled();
    },
    addRule: (condition, changes) => addRule(test, condition, changes),
    addChannel: (changes) => addChannel(test, changes),
    alerts: async () => (await test.store.alerts.history.list({ limit: 1000 })).rows,
  };
}

async function addRule(
  { store, ids }: AlertsUnderTest,
  condition: AlertCondition,
  changes: Partial<AlertRuleRecord> = {},
): Promise<AlertRuleRecord> {
  const id = ids.create("alr");
  const rule: AlertRuleRecord = {
    id,
    name: `${condition.kind} ${id}`,
    condition,
    scope: null,
    repeat: "day" satisfies AlertPeriod,
    channelIds: null,
    isEnabled: true,
    createdAtMs: ALERTS_NOW_MS,
    ...changes,
  };
  await store.alerts.rules.insert(rule);
  return rule;
}

async function addChannel(
  { store, vault, ids, receiver }: AlertsUnderTest,
  changes: Partial<AlertChannelRecord> = {},
): Promise<AlertChannelRecord> {
  const id = ids.create("ach");
  const target: AlertTarget = {
    kind: "webhook",
    url: `${receiver.url}/${id}`,
    signingSecret: createSigningSecret(randomBytes),
  };
  const context = { environmentId: ALERT_SECRETS_SCOPE, secretId: id, version: 1 };
  const channel: AlertChannelRecord = {
    id,
    name: id,
    kind: "webhook",
    sealed: await vault.seal(JSON.stringify(target), context),
    preview: "",
    recipients: [],
    sender: null,
    isEnabled: true,
    createdAtMs: ALERTS_NOW_MS,
    lastDeliveredAtMs: null,
    lastFailedAtMs: null,
    lastProblem: null,
    ...changes,
  };
  await store.alerts.channels.insert(channel);
  return channel;
}
