import { describe, expect, test } from "vitest";
import type { Budget } from "../../core/budgets/budget.ts";
import { windowAt } from "../../core/budgets/periods.ts";
import { picos } from "../../core/money/picos.ts";
import { deferredEventId } from "../../core/usage/deferred-usage.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import {
  CENT,
  amountsOf,
  cents,
  insertEvents,
  leaseCents,
  spentOn,
} from "./budget-amounts.contract.ts";
import { type CreateTestDatabase, type Fixture, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  SAMPLE_TIME_MS,
  sampleBudget,
  sampleCorrection,
  sampleEvent,
} from "./samples.contract.ts";

export function describeBudgetPostings(createDatabase: CreateTestDatabase): void {
  describe("what budgets count", () => {
    const fixture = useDatabase(createDatabase);
    describePostings(fixture);
    describeDeferredWork(fixture);
  });
}

function describePostings(fixture: Fixture): void {
  test("the calls that a window refused are counted, by several processes at once", async () => {
    const { store, database } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const windows = async () =>
      (await store.budgets.listWindows({ limit: 2 }, { budgetId: budget.id })).rows;
    await insertEvents(store, [spentOn(1)]);
    const [window] = await windows();
    expect(window?.refusedCalls).toBe(0);
    const refusal = { hourMs: SAMPLE_TIME_MS, code: "insufficient_quota", gatewayKeyId: null };
    const refusals = ["a", "b"].map((customer) => ({
      ...refusal,
      customer,
      count: 2,
      budgetWindowId: window?.id,
    }));
    const stores = [store, database.open(), database.open()];
    await Promise.all(stores.map(({ usage }) => usage.insertBatch({ events: [], refusals })));
    expect((await windows()).map(({ refusedCalls }) => refusedCalls)).toEqual([12]);
  });

  test("what the ledger gets is spent at once, each event once", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const events = [spentOn(3), spentOn(4)];
    await insertEvents(store, events);
    await insertEvents(store, [...events, spentOn(5)]);
    expect(await amountsOf(store, budget)).toEqual({ spent: 12, leased: 0 });
  });

  test("each budget counts the calls of its scope, models and window", async () => {
    const { store } = fixture;
    const one = spentOn(1);
    const expected: readonly (readonly [Partial<Budget>, string, number])[] = [
      [{ scope: { kind: "project", id: one.projectId } }, one.projectId, 3],
      [{ scope: { kind: "environment", id: one.environmentId } }, one.environmentId, 3],
      [{ scope: { kind: "key", id: one.gatewayKeyId } }, one.gatewayKeyId, 3],
      [{ scope: { kind: "customer", id: "other" } }, "other", 2],
      [{ scope: { kind: "feature", id: "chat" } }, "chat", 3],
      [{ scope: { kind: "customer", id: null } }, "acme", 1],
      [{ models: ["O1*"] }, "", 2],
      [{ models: ["o1*"] }, "", 2],
      [{ models: ["o1-mini"] }, "", 2],
      [{ models: ["gpt-4o-mini"] }, "", 1],
      [{ period: "hour" }, "", 3],
      [{ period: "total" }, "", 13],
      [{ scope: { kind: "providerAccount", id: null } }, one.providerAccountId ?? "", 1],
    ];
    const budgets = expected.map(([overrides]) => sampleBudget(overrides));
    const [early, late] = [budgets.slice(0, 7), budgets.slice(7)];
    for (const budget of early) await store.budgets.insert(budget);
    await insertEvents(store, [
      one,
      spentOn(2, { customer: "other", requestedModel: " O1-mini" }),
      spentOn(10, { startedAtMs: SAMPLE_TIME_MS - 1 }),
    ]);
    // The others find the ledger as it is.
    for (const budget of late) await store.budgets.insert(budget);
    for (const [index, budget] of budgets.entries()) {
      const [overrides, subject, spent] = expected[index] ?? [];
      const amounts = await amountsOf(store, budget, subject);
      expect({ overrides, ...amounts }).toEqual({ overrides, spent, leased: 0 });
    }
  });

  test("how each one of a budget stands is counted to the pico-dollar, and the fullest are listed first", async () => {
    const { store } = fixture;
    const limit = 2_000_005n;
    const each = { scope: { kind: "customer", id: null }, limitPicos: picos(limit) } as const;
    const budget = sampleBudget(each);
    // By the next period it has carried over as much as the limit once more, for each one.
    const rolling = sampleBudget({ ...each, rollsOver: true });
    for (const one of [budget, rolling]) await store.budgets.insert(one);
    const nowMs = windowAt(budget, SAMPLE_TIME_MS).endsAtMs ?? 0;
    const spent = [1n, 1_600_003n, 1_600_004n, limit - 1n, limit, 3n * limit];
    await insertEvents(
      store,
      spent.map((amount, index) =>
        sampleEvent({
          customer: `customer ${index}`,
          costPicos: picos(amount),
          startedAtMs: nowMs,
        }),
      ),
    );
    const raised = {
      id: ids.create("inc"),
      amountPicos: picos(2n * limit),
      fromMs: nowMs,
      untilMs: nowMs + 1,
      reason: null,
      createdBy: "local",
      createdAtMs: nowMs,
    };
    for (const [one, near, usedUp] of [
      [budget, 4, 2],
      [rolling, 1, 1],
      [{ ...budget, increases: [raised] }, 1, 1],
    ] as const) {
      const spread = await store.budgets.countSubjects(one, nowMs);
      expect(spread).toEqual({ subjects: 6, near, usedUp });
    }
    const fullest = await readAll(2, (page) =>
      store.budgets.listFullest(page, { budget, atMs: nowMs }),
    );
    expect(new Set(fullest.map(({ subject }) => subject)).size).toBe(6);
    expect(fullest[0]).toMatchObject({ subject: "customer 5", spentPicos: 3n * limit });
    const later = windowAt(budget, nowMs).endsAtMs ?? 0;
    const none = { subjects: 0, near: 0, usedUp: 0 };
    expect(await store.budgets.countSubjects(budget, later)).toEqual(none);
    // So that the store's rules are read anew: the next test's budgets are others.
    for (const { id } of [budget, rolling]) await store.budgets.archive(id, 1);
  });

  test("a new budget finds what was spent before it, and misses nothing that comes meanwhile", async () => {
    const { store, database } = fixture;
    const other = database.open();
    const before = Array.from({ length: 40 }, () => spentOn(1));
    await insertEvents(store, before);
    const budget = sampleBudget({ scope: { kind: "customer", id: null } });
    const meanwhile = Array.from({ length: 40 }, () => spentOn(1));
    await Promise.all([
      ...meanwhile.map((event) => insertEvents(other, [event])),
      store.budgets.insert(budget),
    ]);
    expect(await amountsOf(store, budget, "acme")).toEqual({ spent: 80, leased: 0 });
  });

  test("an unknown cost counts as what was held, an unknown price as the cost, and corrections count", async () => {
    const { store } = fixture;
    const unknown = spentOn(0, { costPicos: null, holdPicos: cents(7), pricing: "unpriced" });
    const known = spentOn(5, { pricePicos: cents(9) });
    const corrections = [
      { event: unknown, of: { previousPricing: "unpriced", previousCostPicos: null } as const },
      { event: known, of: {} },
    ].map(({ event, of }) => ({
      event,
      correction: sampleCorrection(event, {
        ...of,
        costPicos: cents(6),
        differencePicos: picos(cents(6) - (event.costPicos ?? 0n)),
      }),
    }));
    const cost = sampleBudget();
    const price = sampleBudget({ measure: "price" });
    await store.budgets.insert(cost);
    await store.budgets.insert(price);
    await insertEvents(store, [unknown, known]);
    expect(await amountsOf(store, cost)).toMatchObject({ spent: 12 });
    expect(await amountsOf(store, price)).toMatchObject({ spent: 16 });
    await store.corrections.insert(corrections);
    await store.corrections.insert(corrections);
    expect(await amountsOf(store, cost)).toMatchObject({ spent: 12 });
    expect(await amountsOf(store, price)).toMatchObject({ spent: 15 });

    for (const measure of ["cost", "price"] as const) {
      const late = sampleBudget({ measure });
      await store.budgets.insert(late);
      const now = await amountsOf(store, measure === "cost" ? cost : price);
      expect(await amountsOf(store, late)).toEqual(now);
    }
  });

  test("an archived budget counts nothing more, and keeps its history", async () => {
    const { store } = fixture;
    const budget = sampleBudget({ period: "hour" });
    await store.budgets.insert(budget);
    const hourMs = 3_600_000;
    const times = [0, 1, 2].map((hours) => SAMPLE_TIME_MS + hours * hourMs);
    for (const startedAtMs of times) await insertEvents(store, [spentOn(1, { startedAtMs })]);
    await store.budgets.archive(budget.id, 1);
    await insertEvents(store, [spentOn(1)]);
    const filter = { budgetId: budget.id };
    const windows = await readAll(2, (page) => store.budgets.listWindows(page, filter));
    expect(windows.map(({ startsAtMs }) => startsAtMs)).toEqual(times.toReversed());
    expect(windows.every(({ spentPicos }) => spentPicos === CENT)).toBe(true);
    const present = { ...filter, atMs: SAMPLE_TIME_MS + 1 };
    const { rows } = await store.budgets.listWindows({ limit: 5 }, present);
    expect(rows.map(({ startsAtMs }) => startsAtMs)).toEqual([SAMPLE_TIME_MS]);
  });

  test("what a window leaves is handed on once, up to the limit", async () => {
    const { store } = fixture;
    const hourMs = 3_600_000;
    const budget = sampleBudget({ period: "hour", rollsOver: true, limitPicos: cents(10) });
    await store.budgets.insert(budget);
    await insertEvents(store, [spentOn(4)]);
    await insertEvents(store, [spentOn(1, { startedAtMs: SAMPLE_TIME_MS + hourMs })]);
    await insertEvents(store, [spentOn(1, { startedAtMs: SAMPLE_TIME_MS + 2 * hourMs })]);
    await insertEvents(store, [spentOn(30, { startedAtMs: SAMPLE_TIME_MS + 5 * hourMs })]);
    await insertEvents(store, [spentOn(1, { startedAtMs: SAMPLE_TIME_MS + 6 * hourMs })]);
    const { rows } = await store.budgets.listWindows({ limit: 9 }, { budgetId: budget.id });
    expect(rows.map(({ carriedPicos }) => Number(carriedPicos / CENT))).toEqual([0, 10, 10, 6, 0]);
  });
}

function describeDeferredWork(fixture: Fixture): void {
  /** The event of a call that began work, held against the budget; and the process that held. */
  async function begin(budget: Budget, objectId: string) {
    const { store } = fixture;
    const holder = ids.create("prc");
    await leaseCents(store, budget, { holder, need: 30 });
    const work = { kind: "response", objectId, path: `/responses/${objectId}` } as const;
    const event = sampleEvent({
      providerAccountId: ACCOUNT,
      usageSource: "deferred",
      costPicos: picos(0n),
      holdPicos: cents(30),
      providerResponseId: objectId,
      deferred: { step: "begun", work, firstCheckAtMs: SAMPLE_TIME_MS },
    });
    await insertEvents(store, [event], { holder });
    expect(await store.budgets.leasesOf(holder)).toEqual(new Map());
    return event;
  }
  const ACCOUNT = ids.create("acc");

  async function claim(id: UsageEvent["id"]) {
    const leaseId = ids.create("lea");
    const nowMs = SAMPLE_TIME_MS + 1;
    const bounds = { nowMs, leaseMs: 1000, horizonMs: 1000, limit: 5 };
    const rows = await fixture.store.pendingUsage.claim({ leaseId, ...bounds });
    expect(rows.map(({ event }) => event.id)).toEqual([id]);
    return { id, leaseId };
  }

  test("work that goes on keeps what was held for it, until it is charged", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const event = await begin(budget, "resp_1");
    expect(await amountsOf(store, budget)).toEqual({ spent: 0, leased: 30 });
    const { deferred: _, ...rest } = event;
    const id = deferredEventId({ accountId: ACCOUNT, objectId: "resp_1" }, 0);
    const charge: UsageEvent = { ...rest, id, holdPicos: null, costPicos: cents(12) };
    expect(await store.pendingUsage.settle(await claim(event.id), [charge])).toBe(true);
    expect(await amountsOf(store, budget)).toEqual({ spent: 12, leased: 0 });
  });

  test("work that is given up, or was begun before, keeps nothing", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const event = await begin(budget, "resp_2");
    await begin(budget, "resp_2");
    expect(await amountsOf(store, budget)).toEqual({ spent: 0, leased: 30 });
    const lease = await claim(event.id);
    const change = { checkedAtMs: SAMPLE_TIME_MS, problem: "not_found" } as const;
    expect(await store.pendingUsage.giveUp(lease, change)).toBe(true);
    expect(await amountsOf(store, budget)).toEqual({ spent: 0, leased: 0 });
  });
}
