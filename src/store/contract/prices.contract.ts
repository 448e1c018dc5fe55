import { describe, expect, test } from "vitest";
import { picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../records.ts";
import type { Repositories } from "../store.ts";
import { newestFirst } from "./configuration.contract.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  SAMPLE_TIME_MS,
  sampleCorrection,
  sampleEnvironment,
  sampleEvent,
  samplePriceOverride,
} from "./samples.contract.ts";

export function describePrices(createDatabase: CreateTestDatabase): void {
  describeOverrides(createDatabase);
  describeCorrections(createDatabase);
}

function describeOverrides(createDatabase: CreateTestDatabase): void {
  describe("price overrides", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, prices beyond 2^53 included", async () => {
      const { store } = fixture;
      const price = samplePriceOverride({
        unitPrices: { input: 150_000n, webSearches: 2n ** 60n, output: 0n },
        note: "Größe 漢字 'quoted' %_",
      });
      const discount = samplePriceOverride({
        unitPrices: null,
        discountBasisPoints: 1000,
        tier: null,
        variant: "hd/1024x1024",
        validUntilMs: SAMPLE_TIME_MS + 5,
      });
      await store.priceOverrides.insert(price);
      await store.priceOverrides.insert(discount);
      expect(await store.priceOverrides.findById(price.id)).toEqual(price);
      expect(await store.priceOverrides.findById(discount.id)).toEqual(discount);
      expect(await store.priceOverrides.findById(ids.create("pov"))).toBeUndefined();
      expect(await store.priceOverrides.listAll()).toEqual([price, discount]);
    });

    test("are listed newest first, by provider too, page by page", async () => {
      const { store } = fixture;
      const all = [];
      for (const provider of ["openai", "acme", "openai", "acme"]) {
        const record = samplePriceOverride({
          provider,
          createdAtMs: SAMPLE_TIME_MS + (all.length % 2),
        });
        await store.priceOverrides.insert(record);
        all.push(record);
      }
      const listed = (provider?: string) =>
        readAll(1, (page) => store.priceOverrides.list(page, { provider }));
      expect(await listed()).toEqual(newestFirst(all));
      expect(await listed("acme")).toEqual(
        newestFirst(all.filter(({ provider }) => provider === "acme")),
      );
    });

    test("end earlier and never later, and every change of one is logged", async () => {
      const { store } = fixture;
      const record = samplePriceOverride();
      await store.priceOverrides.insert(record);
      const end = (validUntilMs: number, endedBy = "ann") =>
        store.priceOverrides.end(record.id, { validUntilMs, endedBy, endedAtMs: 7 });
      expect(await end(2000)).toBe(true);
      expect(await end(2000, "bob")).toBe(false);
      expect(await end(2001, "bob")).toBe(false);
      expect(await store.priceOverrides.findById(record.id)).toEqual({
        ...record,
        validUntilMs: 2000,
        endedBy: "ann",
        endedAtMs: 7,
      });
      expect(await end(1999, "cat")).toBe(true);
      const change = { validUntilMs: 0, endedBy: "x", endedAtMs: 1 };
      expect(await store.priceOverrides.end(ids.create("pov"), change)).toBe(false);
      expect(await changesSince(store, 0)).toEqual(
        Array.from({ length: 3 }, () => `priceOverride ${record.id}`),
      );
    });

    test("leave the policy of environments alone, whose change is logged as well", async () => {
      const { store } = fixture;
      const environment = sampleEnvironment();
      await store.environments.insert(environment);
      const before = await store.changes.latestSequence();
      expect(await store.environments.update(environment.id, { unpricedPolicy: "refuse" })).toBe(
        true,
      );
      expect(await store.environments.findByName(environment.name)).toEqual({
        ...environment,
        unpricedPolicy: "refuse",
      });
      expect(await changesSince(store, before)).toEqual([`environment ${environment.id}`]);
      const budgetCeilingPicos = picos(2_500_000_000_001n);
      expect(await store.environments.update(environment.id, { budgetCeilingPicos })).toBe(true);
      const changed = { ...environment, unpricedPolicy: "refuse", budgetCeilingPicos };
      expect(await store.environments.findById(environment.id)).toEqual(changed);
      const policy = { modes: { allowed_ips: "warn" }, allowedIps: ["10.0.0.0/8"] } as const;
      expect(await store.environments.update(environment.id, { policy })).toBe(true);
      expect(await store.environments.findById(environment.id)).toEqual({ ...changed, policy });
      await store.environments.update(environment.id, { budgetCeilingPicos: null, policy: {} });
      expect(await store.environments.update(environment.id, {})).toBe(true);
      expect(await store.environments.findById(environment.id)).toEqual({
        ...changed,
        budgetCeilingPicos: null,
      });
      const nobody = ids.create("env");
      expect(await store.environments.update(nobody, {})).toBe(false);
      expect(await store.environments.update(nobody, { unpricedPolicy: "refuse" })).toBe(false);
    });
  });
}

function describeCorrections(createDatabase: CreateTestDatabase): void {
  describe("corrections", () => {
    const fixture = useDatabase(createDatabase);

    async function insertedEvent(changes: Partial<UsageEvent> = {}): Promise<UsageEvent> {
      const event = sampleEvent(changes);
      await fixture.store.usage.insertBatch({ events: [event], refusals: [] });
      return event;
    }

    test("come back as they were inserted, negative and huge amounts included", async () => {
      const { store } = fixture;
      const event = await insertedEvent();
      const corrections = [
        sampleCorrection(event, { ordinal: 1, differencePicos: picos(-1n) }),
        sampleCorrection(event, { ordinal: 2, differencePicos: picos(-(2n ** 70n) - 3n) }),
        sampleCorrection(event, {
          ordinal: 3,
          previousPricing: "unpriced",
          previousCostPicos: null,
          previousPriceRowId: null,
          differencePicos: picos(2n ** 63n + 5n),
        }),
      ];
      for (const correction of corrections) {
        expect(await store.corrections.insert([{ event, correction }])).toEqual({ inserted: 1 });
      }
      const listed = await readAll(2, (page) => store.corrections.list(page));
      expect(listed).toEqual(newestFirst(corrections));
      const of = (eventId: UsageEvent["id"]) => store.corrections.list({ limit: 10 }, { eventId });
      expect((await of(event.id)).rows).toHaveLength(3);
      expect((await of(ids.create("evt"))).rows).toEqual([]);
    });

    test("add to the rollups of their events' hours what the ledger's rows add up to", async () => {
      const { store } = fixture;
      const cheap = await insertedEvent({ costPicos: picos(5_000_001n) });
      const unpriced = await insertedEvent({ pricing: "unpriced", costPicos: null });
      const nextHour = await insertedEvent({
        startedAtMs: SAMPLE_TIME_MS + 3_600_000,
        costPicos: picos(7n),
      });
      const corrected = [
        { event: cheap, differencePicos: picos(-4_999_999n) },
        { event: unpriced, differencePicos: picos(123_456_789n), previousPricing: "unpriced" },
        { event: nextHour, differencePicos: picos(-7n) },
      ] as const;
      await store.corrections.insert(
        corrected.map(({ event, ...change }) => ({
          event,
          correction: sampleCorrection(event, change),
        })),
      );
      const { rows } = await store.usage.summarize({ limit: 10 }, { groupBy: ["hour"] });
      expect(rows).toMatchObject([
        { calls: 2, unpricedCalls: 0, costPicos: 2n + 123_456_789n },
        { calls: 1, unpricedCalls: 0, costPicos: 0n },
      ]);
    });

    test("are there once, however often and from however many processes they come", async () => {
      const { store, database } = fixture;
      const events: UsageEvent[] = [];
      for (let i = 0; i < 40; i += 1) events.push(await insertedEvent({ costPicos: picos(10n) }));
      const attempt = (from: Repositories, differencePicos: bigint) =>
        from.corrections.insert(
          events.map((event) => ({
            event,
            correction: sampleCorrection(event, { differencePicos: picos(differencePicos) }),
          })),
        );
      const others = [database.open(), database.open(), database.open()];
      const results = await Promise.all(others.map((other) => attempt(other, -3n)));
      expect(results.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(40);
      expect(await attempt(store, 999n)).toEqual({ inserted: 0 });
      const { rows } = await store.usage.summarize({ limit: 1 }, { groupBy: [] });
      expect(rows[0]).toMatchObject({ calls: 40, costPicos: 280n });
    });

    test("are all rolled back with the transaction they are part of", async () => {
      const { store } = fixture;
      const event = await insertedEvent({ costPicos: picos(10n) });
      const work = store.transaction(async (repositories) => {
        await repositories.corrections.insert([{ event, correction: sampleCorrection(event) }]);
        throw new Error("no");
      });
      await expect(work).rejects.toThrow("no");
      expect((await store.corrections.list({ limit: 1 })).rows).toEqual([]);
      const { rows } = await store.usage.summarize({ limit: 1 }, { groupBy: [] });
      expect(rows[0]?.costPicos).toBe(10n);
    });

    test("tell the last one of each event that has any", async () => {
      const { store } = fixture;
      const [first, second, third] = [
        await insertedEvent(),
        await insertedEvent(),
        await insertedEvent(),
      ];
      const last: CorrectionRecord[] = [];
      for (const [event, count] of [
        [first, 3],
        [second, 1],
      ] as const) {
        for (let ordinal = 1; ordinal <= count; ordinal += 1) {
          const correction = sampleCorrection(event, { ordinal });
          await store.corrections.insert([{ event, correction }]);
          if (ordinal === count) last.push(correction);
        }
      }
      const found = await store.corrections.lastOf([third.id, second.id, first.id]);
      expect(found.toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))).toEqual(last);
      expect(await store.corrections.lastOf([])).toEqual([]);
    });
  });
}
