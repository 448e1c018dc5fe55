import { expect, test } from "vitest";
import { ALERTS_NOW_MS, alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import { addDoubledKey, sampleRotationOf } from "../../../test/support/rotation-under-test.ts";
import { DAY_MS, HOUR_MS } from "../../core/alerts/alert-period.ts";
import { parseUsd, type Picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import {
  insertBelongings,
  sampleBudget,
  sampleEvent,
  sampleGatewayKey,
  sampleProviderKey,
} from "../../store/contract/samples.contract.ts";

const alerts = alertsUnderTest();
const usd = (text: string): Picos => parseUsd(text) as Picos;
const THRESHOLDS = { kind: "budget_threshold", settings: { percentages: [50, 80, 100] } } as const;
const EACH_CUSTOMER = { kind: "customer", id: null } as const;

/** Calls of a customer, all of one cost. */
async function spend(
  costUsd: string,
  overrides: Partial<UsageEvent> = {},
  count = 1,
): Promise<void> {
  const events = Array.from({ length: count }, () =>
    sampleEvent({
      id: alerts.ids.create("evt"),
      startedAtMs: alerts.nowMs,
      costPicos: usd(costUsd),
      ...overrides,
    }),
  );
  await alerts.store.usage.insertBatch({ events, refusals: [] });
}

async function titles(): Promise<readonly string[]> {
  return (await alerts.alerts()).map(({ title }) => title).toSorted();
}

test("a budget's thresholds fire once a window each, and the highest alone where it jumps", async () => {
  await alerts.store.budgets.insert(sampleBudget({ name: "everything", limitPicos: usd("10") }));
  await alerts.addRule(THRESHOLDS);
  await alerts.addChannel();
  expect(await alerts.evaluate()).toBe(0);
  await spend("5");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  await spend("5.5");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  expect(await titles()).toEqual([
    "Budget everything is at 50 %",
    "Budget everything is used up (105 %)",
  ]);
  expect((await alerts.alerts())[0]).toMatchObject({
    severity: "critical",
    key: { kind: "organization", id: "" },
    facts: [
      { label: "spent", value: "$10.50 of $10.00" },
      { label: "once it is used up", value: "calls are refused" },
      { label: "period ends", value: "2026-04-01 00:00 UTC" },
      { label: "threshold", value: "100 %" },
    ],
  });
  // The next month is another window.
  alerts.nowMs = Date.UTC(2026, 3, 1);
  expect(await alerts.evaluate()).toBe(0);
  await spend("6");
  expect(await alerts.evaluate()).toBe(1);
});

test("a threshold fires once though three processes look at it at once, each with all channels", async () => {
  await alerts.store.budgets.insert(sampleBudget({ limitPicos: usd("1"), scope: EACH_CUSTOMER }));
  await alerts.addRule(THRESHOLDS);
  const channel = await alerts.addChannel();
  for (let i = 0; i < 3; i += 1) await spend("0.9", { customer: `customer ${i}` });
  const processes = [alerts.store, alerts.openStore(), alerts.openStore()];
  const fired = await Promise.all(
    processes.map((store) => alerts.evaluatorOn(store).evaluate(() => true)),
  );
  expect(fired.reduce((sum, one) => sum + one)).toBe(3);
  const due = await alerts.store.alerts.deliveries.listDue(channel.id, {
    nowMs: alerts.nowMs,
    horizonMs: DAY_MS,
    limit: 100,
  });
  expect(due).toHaveLength(3);
});

test("thousands of customers that cross a threshold at once are one message, and each is in the history", async () => {
  await alerts.store.budgets.insert(sampleBudget({ limitPicos: usd("1"), scope: EACH_CUSTOMER }));
  await alerts.addRule(THRESHOLDS);
  await alerts.addChannel();
  const events = Array.from({ length: 1_500 }, (_, index) =>
    sampleEvent({
      id: alerts.ids.create("evt"),
      startedAtMs: alerts.nowMs,
      customer: `customer ${index}`,
      costPicos: usd("0.8"),
    }),
  );
  await alerts.store.usage.insertBatch({ events, refusals: [] });
  expect(await alerts.evaluate()).toBe(1_500);
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(1);
  const body = JSON.parse(alerts.receiver.posts[0]?.body ?? "") as {
    readonly data: { readonly total: number; readonly alerts: readonly unknown[] };
  };
  expect(body.data.total).toBe(1_500);
  expect(body.data.alerts).toHaveLength(20);
});

test("a rule looks at its scope alone, a budget that is paused is left alone, a rule that is off is", async () => {
  const { budgets } = alerts.store;
  await budgets.insert(sampleBudget({ limitPicos: usd("1"), scope: EACH_CUSTOMER }));
  await budgets.insert(sampleBudget({ limitPicos: usd("1"), pausedAtMs: alerts.nowMs }));
  await alerts.addRule(THRESHOLDS, { scope: { kind: "customer", id: "beta" } });
  await alerts.addRule(THRESHOLDS, { isEnabled: false });
  await spend("1", { customer: "acme" });
  await spend("1", { customer: "beta" });
  expect(await alerts.evaluate()).toBe(1);
  expect((await alerts.alerts())[0]?.key).toMatchObject({ kind: "customer", id: "beta" });
});

test("a budget that will not last is told of once in its window", async () => {
  await alerts.store.budgets.insert(sampleBudget({ name: "march", limitPicos: usd("30") }));
  const condition = { kind: "budget_forecast", settings: { afterPercent: 10 } } as const;
  await alerts.addRule(condition);
  // 3.56 of 31 days have passed.
  await spend("3.4");
  expect(await alerts.evaluate()).toBe(0);
  await spend("0.1");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  expect(await titles()).toEqual(["Budget march will not last until the end of its period"]);
});

test("an hour that is out of the usual for its hour of the week is a spike", async () => {
  const condition = {
    kind: "spend_spike",
    settings: { percentOfUsual: 300, minUsd: "1" },
  } as const;
  await alerts.addRule(condition, { scope: EACH_CUSTOMER });
  for (let week = 1; week <= 4; week += 1) {
    const startedAtMs = ALERTS_NOW_MS - week * 7 * DAY_MS;
    await spend("1", { startedAtMs });
    // Every Wednesday at one it is a lot, and at two it is nothing.
    await spend("20", { startedAtMs, customer: "busy" });
  }
  await spend("3");
  await spend("50", { customer: "busy" });
  await spend("0.9", { customer: "new" });
  expect(await alerts.evaluate()).toBe(0);
  await spend("0.01");
  await spend("0.2", { customer: "new" });
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([2, 0]);
  expect(await titles()).toEqual([
    "Spending of customer acme is out of the usual",
    "Spending of customer new is out of the usual",
  ]);
  // The hour is over, and what came in its last minute is seen.
  alerts.nowMs += HOUR_MS;
  await spend("11", { customer: "busy", startedAtMs: ALERTS_NOW_MS });
  expect(await alerts.evaluate()).toBe(1);
});

test("nothing is a spike in the first days", async () => {
  const settings = { percentOfUsual: 300, minUsd: "1" };
  await alerts.addRule({ kind: "spend_spike", settings }, { scope: EACH_CUSTOMER });
  await spend("0.01", { startedAtMs: ALERTS_NOW_MS - DAY_MS });
  await spend("1000");
  expect(await alerts.evaluate()).toBe(0);
});

test("failed and estimated calls are told of by their share of an hour", async () => {
  const settings = { percent: 20, minCalls: 10 };
  await alerts.addRule({ kind: "error_rate", settings }, { scope: EACH_CUSTOMER });
  await alerts.addRule(
    { kind: "estimated_usage", settings },
    { scope: { kind: "organization", id: null }, repeat: "hour" },
  );
  await spend("0.1", {}, 8);
  await spend("0", { status: "failed" }, 1);
  expect(await alerts.evaluate()).toBe(0);
  await spend("0", { status: "failed" }, 1);
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  await spend("0.1", { usageSource: "estimated" }, 2);
  const unknown = { status: "unknown", usageSource: "unknown", pricing: "unpriced" } as const;
  await spend("0.1", unknown);
  expect(await alerts.evaluate()).toBe(1);
  expect(await titles()).toEqual([
    "20 % of the provider calls of customer acme fail",
    "The usage of 23 % of the calls of the organization is no provider's figure",
  ]);
});

test("a model without a price is told of once a week", async () => {
  await alerts.addRule({ kind: "unpriced_model", settings: {} }, { repeat: "week" });
  await spend("1");
  expect(await alerts.evaluate()).toBe(0);
  // Its process died: what it consumed is not known, and that has nothing to do with its model's price.
  const died = { pricing: "unpriced", status: "unknown", usageSource: "unknown" } as const;
  await spend("0", { ...died, costPicos: null, servedModel: null });
  expect(await alerts.evaluate()).toBe(0);
  const unpriced = { pricing: "unpriced", costPicos: null, servedModel: "new-model" } as const;
  await spend("0", unpriced);
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  alerts.nowMs += DAY_MS;
  await spend("0", { ...unpriced, startedAtMs: alerts.nowMs });
  expect(await alerts.evaluate()).toBe(0);
  alerts.nowMs += 6 * DAY_MS;
  await spend("0", { ...unpriced, startedAtMs: alerts.nowMs });
  expect(await alerts.evaluate()).toBe(1);
});

test("provider keys are told of that cannot be used, that nobody uses, and that are old", async () => {
  const { store } = alerts;
  const of = await insertBelongings(store);
  const sample = (name: string, ageDays: number) =>
    sampleProviderKey(of, { name, createdAtMs: ALERTS_NOW_MS - ageDays * DAY_MS });
  const [young, old, used] = [sample("young", 1), sample("old", 200), sample("used", 100)];
  const revoked = { ...sample("revoked", 500), revokedAtMs: ALERTS_NOW_MS };
  for (const key of [young, old, used, revoked]) await store.providerKeys.insert(key);
  await alerts.addRule({ kind: "provider_key_failing", settings: { seconds: 30 } });
  await alerts.addRule(
    { kind: "provider_key_unused", settings: { days: 30 } },
    { createdAtMs: ALERTS_NOW_MS - 40 * DAY_MS, repeat: "month" },
  );
  await alerts.addRule({ kind: "provider_key_old", settings: { days: 180 } }, { repeat: "month" });
  const usedAtMs = ALERTS_NOW_MS - 29 * DAY_MS;
  await store.alerts.providerKeyUses.note([{ id: used.id, usedAtMs }]);
  alerts.troubles.set(young.id, "refused");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([3, 0]);
  const environment = of.environment.name;
  expect(await titles()).toEqual([
    `Provider key old of ${environment} has not been used for 40 days`,
    `Provider key old of ${environment} is 200 days old`,
    `Provider key young of ${environment} is refused by its provider`,
  ]);
  alerts.nowMs += DAY_MS;
  alerts.troubles.clear();
  expect(await alerts.evaluate()).toBe(1);
  expect(await titles()).toContain(
    `Provider key used of ${environment} has not been used for 30 days`,
  );
});

test("a rotation by schedule is told of once for each day before, and again for the next time only", async () => {
  const { store } = alerts;
  const of = await insertBelongings(store);
  const key = sampleProviderKey(of, { name: "main", createdAtMs: ALERTS_NOW_MS });
  await store.providerKeys.insert(key);
  await alerts.addRule(
    { kind: "rotation_due", settings: { daysBefore: [0, 1, 7] } },
    { repeat: null },
  );
  expect(await alerts.evaluate()).toBe(0);
  await store.rotation.keyFacts.setSchedule(key.id, 30);
  const evaluateAt = async (day: number) => {
    alerts.nowMs = ALERTS_NOW_MS + day * DAY_MS;
    // Each time another process, as after a restart.
    return [await alerts.evaluate(), await alerts.evaluate()];
  };
  expect(await evaluateAt(22.9)).toEqual([0, 0]);
  expect(await evaluateAt(23)).toEqual([1, 0]);
  expect(await evaluateAt(28)).toEqual([0, 0]);
  // A clock that steps back fires nothing twice.
  expect(await evaluateAt(22)).toEqual([0, 0]);
  expect(await evaluateAt(29)).toEqual([1, 0]);
  expect(await evaluateAt(30)).toEqual([1, 0]);
  expect(await evaluateAt(45)).toEqual([0, 0]);
  const what = `The rotation of provider key main of ${of.environment.name}`;
  expect(await titles()).toEqual(
    [
      `${what} is due in 7 days, and it needs a new secret of you`,
      `${what} is due in a day, and it needs a new secret of you`,
      `${what} is due, and it needs a new secret of you`,
    ].toSorted(),
  );
  // With a new secret it begins anew; of days that were slept through the last is told.
  const ownership = { owner: "unknown", evidence: null } as const;
  const sinceMs = ALERTS_NOW_MS + 45 * DAY_MS;
  await store.rotation.keyFacts.startSecret(key.id, { sinceMs, ownership, remote: null });
  expect(await evaluateAt(60)).toEqual([0, 0]);
  expect(await evaluateAt(74.5)).toEqual([1, 0]);
});

test("of a rotation that happens by itself is told before it, and not when it is due or goes on", async () => {
  const { store, ids, vault } = alerts;
  const { environment } = await insertBelongings(store);
  const parts = { store, vault, ids };
  const { key } = await addDoubledKey(parts, new OpenaiDouble(), environment.name);
  const sinceMs = ALERTS_NOW_MS - 29 * DAY_MS;
  const ownership = { owner: "unknown", evidence: null } as const;
  await store.rotation.keyFacts.startSecret(key.id, { sinceMs, ownership, remote: null });
  await store.rotation.keyFacts.setSchedule(key.id, 30);
  await alerts.addRule({ kind: "rotation_due", settings: { daysBefore: [0, 1] } });
  expect(await alerts.evaluate()).toBe(1);
  expect((await alerts.alerts())[0]).toMatchObject({
    severity: "info",
    title: `The rotation of provider key main of ${environment.name} is due in a day`,
  });
  alerts.nowMs += 2 * DAY_MS;
  expect(await alerts.evaluate()).toBe(0);
  await store.rotation.adminKeys.remove(key.accountId);
  const rotation = sampleRotationOf({ ids }, key, alerts.nowMs);
  await store.rotation.rotations.insert(rotation);
  expect(await alerts.evaluate()).toBe(0);
  await store.rotation.rotations.save({ ...rotation, endedAtMs: alerts.nowMs });
  expect(await alerts.evaluate()).toBe(1);
});

test("what is muted is in the history and is sent to nobody, until the mute is over", async () => {
  const { store, ids } = alerts;
  await store.budgets.insert(sampleBudget({ limitPicos: usd("1"), scope: EACH_CUSTOMER }));
  const rule = await alerts.addRule(THRESHOLDS);
  await alerts.addRule(THRESHOLDS, { name: "another rule", scope: { kind: "customer", id: "b" } });
  await alerts.addChannel();
  const mute = {
    id: ids.create("mut"),
    ruleId: rule.id,
    subject: { kind: "customer", id: "a" },
    untilMs: alerts.nowMs + HOUR_MS,
    reason: null,
    createdBy: "anna",
    createdAtMs: alerts.nowMs,
    endedAtMs: null,
  } as const;
  await store.alerts.mutes.insert(mute);
  await spend("1", { customer: "a" });
  await spend("1", { customer: "b" });
  expect(await alerts.evaluate()).toBe(3);
  await alerts.deliver();
  expect(alerts.receiver.posts).toHaveLength(2);
  const muted = (await alerts.alerts()).filter(({ muteId }) => muteId === mute.id);
  expect(muted).toMatchObject([{ key: { id: "a" }, ruleId: rule.id }]);
  // Told once: it does not come later.
  alerts.nowMs += HOUR_MS;
  expect(await alerts.evaluate()).toBe(0);
});

test("a rule tells its own channels, and those that are on", async () => {
  const [one, other] = [await alerts.addChannel(), await alerts.addChannel()];
  await alerts.addChannel({ isEnabled: false });
  await alerts.store.budgets.insert(sampleBudget({ limitPicos: usd("1") }));
  await alerts.addRule(THRESHOLDS);
  await alerts.addRule(THRESHOLDS, { channelIds: [other.id] });
  await alerts.addRule(THRESHOLDS, { channelIds: [] });
  await spend("1");
  expect(await alerts.evaluate()).toBe(3);
  await alerts.deliver();
  expect(alerts.receiver.posts.map(({ path }) => path).toSorted()).toEqual(
    [`/${one.id}`, `/${other.id}`, `/${other.id}`].toSorted(),
  );
});

test("tells once a day of a server's key in a browser, and apart from that of other rules that were broken", async () => {
  await alerts.addRule({ kind: "browser_call_seen", settings: {} }, { repeat: "day" });
  await alerts.addRule({ kind: "policy_violated", settings: {} }, { repeat: "day" });
  const of = await insertBelongings(alerts.store);
  const key = sampleGatewayKey(of, { name: "web-shop" });
  await alerts.store.gatewayKeys.insert(key);
  const count = async (code: string) => {
    const refusal = { hourMs: alerts.nowMs, code, gatewayKeyId: key.id, customer: null, count: 2 };
    await alerts.store.usage.insertBatch({ events: [], refusals: [refusal] });
  };
  await count("model_unpriced");
  expect(await alerts.evaluate()).toBe(0);
  await count("browser_call_refused");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  await count("browser_call_refused.warned");
  await count("ip_not_allowed.warned");
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  const [policy, browser] = await alerts.alerts();
  expect(browser).toMatchObject({
    severity: "critical",
    title: "A browser sent the key web-shop: everybody who opens the page can read it",
    key: { kind: "key", id: key.id },
    facts: [{ label: "no_browser_calls", value: "2 calls refused, 0 passed" }],
  });
  expect(policy).toMatchObject({
    severity: "warning",
    facts: [{ label: "allowed_ips", value: "0 calls refused, 2 passed" }],
  });
  alerts.nowMs += DAY_MS;
  expect(await alerts.evaluate()).toBe(0);
  await count("browser_call_refused");
  expect(await alerts.evaluate()).toBe(1);
});
