import { expect, test } from "vitest";
import { alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { figuresOf } from "../../core/alerts/alert-content.ts";
import { parseUsd, type Picos } from "../../core/money/picos.ts";
import { sampleBudget, sampleEvent } from "../../store/contract/samples.contract.ts";

const alerts = alertsUnderTest();
const usd = (text: string): Picos => parseUsd(text) as Picos;
const THRESHOLDS = { kind: "budget_threshold", settings: { percentages: [50, 80, 100] } } as const;
const EACH_CUSTOMER = { kind: "customer", id: null } as const;

async function spend(costUsd: string, customer = "acme"): Promise<void> {
  const sample = sampleEvent({ id: alerts.ids.create("evt"), startedAtMs: alerts.nowMs });
  const events = [{ ...sample, customer, costPicos: usd(costUsd) }];
  await alerts.store.usage.insertBatch({ events, refusals: [] });
}

async function titles(): Promise<readonly string[]> {
  return (await alerts.alerts()).map(({ title }) => title);
}

test("a hard budget that turns calls away is told of once a window, though it never gets to 100 %", async () => {
  const budget = sampleBudget({ name: "trial", limitPicos: usd("1"), scope: EACH_CUSTOMER });
  const { budgets, usage } = alerts.store;
  await budgets.insert(budget);
  await alerts.addRule(THRESHOLDS);
  await alerts.addRule({ kind: "budget_threshold", settings: { percentages: [90] } });
  await spend("0.6");
  expect(await alerts.evaluate()).toBe(1);
  const [window] = (await budgets.listWindows({ limit: 1 }, { budgetId: budget.id })).rows;
  const refuse = async (): Promise<void> => {
    const refusal = { hourMs: alerts.nowMs, gatewayKeyId: null, customer: "acme", count: 20 };
    const refusals = [
      { ...refusal, code: "insufficient_quota", budgetWindowId: window?.id },
      // Refused for something else.
      { ...refusal, code: "rate_limit_exceeded" },
    ];
    await usage.insertBatch({ events: [], refusals });
  };
  await refuse();
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  expect((await alerts.alerts())[0]).toMatchObject({
    severity: "critical",
    title: "Budget trial of customer acme refuses calls: $0.60 of $1.00 spent, $0.00 held",
    key: { kind: "customer", id: "acme" },
    facts: [
      { label: "spent" },
      { label: "held for calls", value: "$0.00" },
      { label: "calls refused so far", value: "20" },
      { label: "why" },
      { label: "period ends" },
    ],
  });
  expect(figuresOf((await alerts.alerts())[0]?.facts ?? [])).toEqual({
    budgetId: budget.id,
    spentUsd: "0.6",
    limitUsd: "1",
    percent: 60,
    heldUsd: "0",
    refusedCalls: 20,
    periodEndsAt: "2026-04-01T00:00:00.000Z",
  });
  await refuse();
  expect(await alerts.evaluate()).toBe(0);
  // Where it got to its end all the same, that is said by the share.
  await spend("1", "beta");
  const [other] = (
    await budgets.listWindows({ limit: 1 }, { budgetId: budget.id, subject: "beta" })
  ).rows;
  const refusal = { hourMs: 0, code: "insufficient_quota", gatewayKeyId: null, customer: "beta" };
  const refusals = [{ ...refusal, count: 1, budgetWindowId: other?.id }];
  await usage.insertBatch({ events: [], refusals });
  expect(await alerts.evaluate()).toBe(2);
  expect(await titles()).toContain("Budget trial of customer beta is used up (100 %)");
  expect(await titles()).toContain("Budget trial of customer beta has passed 90 % (100 %)");
});

test("a rule says of its own share that it was passed, and leaves the rest to the rule that watches for it", async () => {
  await alerts.store.budgets.insert(sampleBudget({ name: "everything", limitPicos: usd("1") }));
  await alerts.addRule({ kind: "budget_threshold", settings: { percentages: [90] } });
  await spend("1.92");
  expect(await alerts.evaluate()).toBe(1);
  expect((await alerts.alerts())[0]).toMatchObject({
    severity: "warning",
    title: "Budget everything has passed 90 % (192 %)",
  });
});
