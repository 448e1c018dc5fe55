import { describe, expect, test } from "vitest";
import { picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import {
  amountsOf,
  cents,
  insertEvents,
  leaseCents,
  spentOn,
  windowOf,
} from "./budget-amounts.contract.ts";
import {
  changesSince,
  type CreateTestDatabase,
  type Fixture,
  readAll,
  useDatabase,
} from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS, sampleBudget } from "./samples.contract.ts";

export function describeBudgets(createDatabase: CreateTestDatabase): void {
  describe("budgets", () => {
    const fixture = useDatabase(createDatabase);
    describeRules(fixture);
    describeLeases(fixture);
  });
}

function describeRules(fixture: Fixture): void {
  test("a budget is kept as it was made, and every change is noted", async () => {
    const { store } = fixture;
    const budget = sampleBudget({
      name: "All of acme",
      scope: { kind: "customer", id: "acme" },
      measure: "price",
      models: ["gpt-4o", "o*"],
      period: "week",
      timeZone: "Asia/Kathmandu",
      anchor: "2026-01-07T06:30",
      rollsOver: true,
      limitPicos: picos(9_000_000_000_000_000_000_123n),
      enforcement: "soft",
      onTightBudget: "clamp",
    });
    const sequence = await store.changes.latestSequence();
    await store.budgets.insert(budget);
    expect(await store.budgets.findById(budget.id)).toEqual(budget);

    const increase = {
      id: ids.create("inc"),
      amountPicos: cents(50),
      fromMs: 1,
      untilMs: 2,
      reason: "a launch",
      createdBy: "local",
      createdAtMs: 3,
    };
    expect(await store.budgets.addIncrease(budget.id, increase)).toBe(true);
    const change = {
      name: null,
      limitPicos: cents(7),
      enforcement: "hard",
      pausedAtMs: 5,
    } as const;
    expect(await store.budgets.update(budget.id, change)).toBe(true);
    const changed = { ...budget, ...change, increases: [increase] };
    expect(await store.budgets.findById(budget.id)).toEqual(changed);
    expect(await store.budgets.listActive()).toEqual([changed]);

    expect(await store.budgets.archive(budget.id, 9)).toBe(true);
    expect(await store.budgets.findById(budget.id)).toEqual({ ...changed, archivedAtMs: 9 });
    expect(await store.budgets.listActive()).toEqual([]);
    expect(await store.budgets.count()).toBe(0);
    expect(await changesSince(store, sequence)).toEqual(
      Array.from({ length: 4 }, () => `budget ${budget.id}`),
    );
  });

  test("an increase is ended earlier, once, and of its own budget alone", async () => {
    const { budgets, changes } = fixture.store;
    const [one, other] = [sampleBudget(), sampleBudget()];
    for (const budget of [one, other]) await budgets.insert(budget);
    const more = { reason: null, createdBy: "local", createdAtMs: 0, fromMs: 5, untilMs: 100 };
    const increase = { id: ids.create("inc"), amountPicos: cents(1), ...more };
    await budgets.addIncrease(one.id, increase);
    const before = await changes.latestSequence();
    expect(await budgets.endIncrease(other.id, increase.id, 50)).toBe(false);
    expect(await budgets.endIncrease(one.id, increase.id, 100)).toBe(false);
    expect(await changes.latestSequence()).toBe(before);
    expect(await budgets.endIncrease(one.id, increase.id, 50)).toBe(true);
    expect((await changes.listSince(before, 10)).map(({ entityId }) => entityId)).toEqual([one.id]);
    expect((await budgets.findById(one.id))?.increases).toEqual([{ ...increase, untilMs: 50 }]);
    expect(await budgets.endIncrease(one.id, increase.id, 50)).toBe(false);
  });

  test("nothing changes in a budget that is archived or not there", async () => {
    const { store } = fixture;
    const archived = sampleBudget();
    await store.budgets.insert(archived);
    await store.budgets.archive(archived.id, 1);
    for (const id of [archived.id, ids.create("bud")]) {
      expect(await store.budgets.update(id, { limitPicos: cents(1) })).toBe(false);
      expect(await store.budgets.archive(id, 2)).toBe(false);
      const increase = { amountPicos: cents(1), fromMs: 0, untilMs: 1, reason: null };
      const made = { id: ids.create("inc"), createdBy: "local", createdAtMs: 0, ...increase };
      expect(await store.budgets.addIncrease(id, made)).toBe(false);
      expect(await store.budgets.endIncrease(id, made.id, 0)).toBe(false);
    }
  });

  test("budgets are listed newest first, by scope, without archived ones", async () => {
    const { store } = fixture;
    const made = [1, 2, 3].map((n) =>
      sampleBudget({ createdAtMs: n, scope: { kind: "customer", id: n === 3 ? "b" : "a" } }),
    );
    for (const budget of made) await store.budgets.insert(budget);
    const archived = sampleBudget();
    await store.budgets.insert(archived);
    await store.budgets.archive(archived.id, 1);
    expect(await readAll(2, (page) => store.budgets.list(page))).toEqual(made.toReversed());
    const filter = { scopeKind: "customer", scopeId: "a" } as const;
    const ofA = await readAll(1, (page) => store.budgets.list(page, filter));
    expect(ofA).toEqual([made[1], made[0]]);
    const all = await store.budgets.list({ limit: 10 }, { withArchived: true });
    expect(all.rows).toHaveLength(4);
  });
}

function describeLeases(fixture: Fixture): void {
  test("leases never add up to more than is left, whoever asks at once", async () => {
    const { store, database } = fixture;
    const other = database.open();
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    await insertEvents(store, [spentOn(35)]);
    const granted = await Promise.all(
      Array.from({ length: 10 }, (_, n) => leaseCents(n % 2 === 0 ? store : other, budget, {})),
    );
    expect(granted.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 10, 10, 10, 10, 10, 10]);
    expect(await amountsOf(store, budget)).toEqual({ spent: 35, leased: 60 });
    expect(await leaseCents(store, budget, { need: 30, least: 5 })).toBe(5);
    expect(await leaseCents(store, budget, { need: 1 })).toBe(0);
  });

  test("the limit is the one that stands: raised, increased for a while, paused, archived", async () => {
    const { store } = fixture;
    const budget = sampleBudget({ limitPicos: cents(10) });
    await store.budgets.insert(budget);
    await insertEvents(store, [spentOn(10)]);
    expect(await leaseCents(store, budget, {})).toBe(0);
    await store.budgets.update(budget.id, { limitPicos: cents(20) });
    expect(await leaseCents(store, budget, {})).toBe(10);
    const increase = { amountPicos: cents(10), reason: null, createdBy: "local", createdAtMs: 0 };
    const over = { id: ids.create("inc"), fromMs: 0, untilMs: SAMPLE_TIME_MS, ...increase };
    await store.budgets.addIncrease(budget.id, over);
    expect(await leaseCents(store, budget, {})).toBe(0);
    const now = { id: ids.create("inc"), fromMs: 0, untilMs: SAMPLE_TIME_MS + 1, ...increase };
    await store.budgets.addIncrease(budget.id, now);
    expect(await leaseCents(store, budget, {})).toBe(10);
    await store.budgets.update(budget.id, { limitPicos: cents(1) });
    expect(await leaseCents(store, budget, {})).toBe(0);
    await store.budgets.update(budget.id, { pausedAtMs: 1 });
    expect(await leaseCents(store, budget, {})).toBe(10);
    expect(await amountsOf(store, budget)).toEqual({ spent: 10, leased: 20 });
    await store.budgets.archive(budget.id, 1);
    expect(await leaseCents(store, budget, {})).toBe(10);
  });

  test("an event is spent out of the lease that it was held from, and from no other", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const holder = ids.create("prc");
    await leaseCents(store, budget, { holder, need: 50 });
    await leaseCents(store, budget, { need: 20 });
    const window = await windowOf(store, budget);
    const held = spentOn(10);
    const notHeld = spentOn(5);
    const windowsOf = ({ id }: UsageEvent) => (id === held.id && window ? [window] : []);
    const batch = [held, notHeld];
    await insertEvents(store, batch, { holder, windowsOf });
    await insertEvents(store, batch, { holder, windowsOf });
    expect(await amountsOf(store, budget)).toEqual({ spent: 15, leased: 60 });
    // More than was held is spent all the same, and takes nothing from the others' leases.
    await insertEvents(store, [spentOn(45)], { holder });
    expect(await amountsOf(store, budget)).toEqual({ spent: 60, leased: 20 });
    expect(await store.budgets.leasesOf(holder)).toEqual(new Map());
  });

  test("what is given back is free, and never more than is there", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const holder = ids.create("prc");
    await leaseCents(store, budget, { holder, need: 60 });
    const windowId = (await windowOf(store, budget))?.id ?? "";
    await store.budgets.giveBack(holder, [{ windowId, picos: cents(20) }]);
    expect(await store.budgets.leasesOf(holder)).toEqual(new Map([[windowId, cents(40)]]));
    await store.budgets.giveBack(ids.create("prc"), [{ windowId, picos: cents(20) }]);
    await store.budgets.giveBack(holder, [{ windowId, picos: cents(90) }]);
    expect(await amountsOf(store, budget)).toEqual({ spent: 0, leased: 0 });
  });

  test("a lost process's leases stay set aside and are shown, until it is closed", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    const lost = ids.create("prc");
    await leaseCents(store, budget, { holder: lost, need: 60 });
    await leaseCents(store, budget, { need: 10 });
    await store.budgets.markLost(lost, 5);
    expect(await windowOf(store, budget)).toMatchObject({
      leasedPicos: cents(70),
      lostPicos: cents(60),
    });
    await store.budgets.markFound(lost);
    expect(await windowOf(store, budget)).toMatchObject({ leasedPicos: cents(70), lostPicos: 0n });
    await store.budgets.markLost(lost, 6);
    // Its journal comes to the ledger after all.
    await insertEvents(store, [spentOn(15)], { holder: lost });
    expect(await windowOf(store, budget)).toMatchObject({
      spentPicos: cents(15),
      leasedPicos: cents(55),
      lostPicos: cents(45),
    });
    await store.budgets.closeLeases(lost);
    expect(await windowOf(store, budget)).toMatchObject({
      spentPicos: cents(15),
      leasedPicos: cents(10),
      lostPicos: 0n,
    });
  });

  test("extra is handed out while there is plenty", async () => {
    const { store } = fixture;
    const budget = sampleBudget();
    await store.budgets.insert(budget);
    expect(await leaseCents(store, budget, { need: 4, least: 1, extra: 100 })).toBe(10);
    expect(await leaseCents(store, budget, { need: 80, least: 1, extra: 100 })).toBe(80);
    expect(await leaseCents(store, budget, { need: 80, least: 1, extra: 100 })).toBe(10);
  });
}
