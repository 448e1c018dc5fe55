import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { picos, PICOS_PER_USD } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { type EventFilter, InvalidCursorError, type UsageRepository } from "../store.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS, sampleEvent } from "./samples.contract.ts";

/** Newest first by (startedAtMs, id). */
function newestFirst(events: readonly UsageEvent[]): readonly UsageEvent[] {
  return events.toSorted((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1));
}

async function totals(usage: UsageRepository) {
  const { rows } = await usage.summarize({ limit: 1 }, { groupBy: [] });
  return rows[0];
}

/** Long text of three bytes a character that does not compress: the most that an index entry has to hold. */
function wide(): string {
  return String.fromCharCode(...Array.from(randomBytes(256), (byte, i) => 0x4e00 + byte * 64 + i));
}

function matches(event: UsageEvent, filter: EventFilter): boolean {
  return (
    (filter.fromMs === undefined || event.startedAtMs >= filter.fromMs) &&
    (filter.toMs === undefined || event.startedAtMs < filter.toMs) &&
    (filter.projectId ?? event.projectId) === event.projectId &&
    (filter.environmentId ?? event.environmentId) === event.environmentId &&
    (filter.gatewayKeyId ?? event.gatewayKeyId) === event.gatewayKeyId &&
    (filter.clientTokenId ?? event.clientTokenId) === event.clientTokenId &&
    (filter.requestId ?? event.requestId) === event.requestId &&
    (filter.customer === undefined || filter.customer === event.customer) &&
    (filter.feature === undefined || filter.feature === event.feature) &&
    (filter.model === undefined || filter.model === (event.servedModel ?? event.requestedModel)) &&
    (filter.status === undefined || filter.status === event.status)
  );
}

export function describeEvents(createDatabase: CreateTestDatabase): void {
  describe("usage events", () => {
    const fixture = useDatabase(createDatabase);

    test("come back exactly as they were inserted, to the pico", async () => {
      const { usage } = fixture.store;
      const events = [
        sampleEvent(),
        sampleEvent({
          customer: null,
          feature: null,
          providerAccountId: null,
          providerKeyId: null,
          requestedModel: null,
          servedModel: null,
          isStream: false,
          httpStatus: null,
          firstByteMs: null,
          providerResponseId: null,
          serviceTier: null,
          variant: "standard/1024x1024",
          sentModel: "gpt-4o",
          usageSource: "none",
          quantities: {},
          pricing: "unmetered",
          costPicos: null,
          priceRowId: null,
          status: "failed",
        }),
        sampleEvent({ costPicos: picos(0n), pricePicos: picos(1n), holdPicos: picos(999_999n) }),
        sampleEvent({ costPicos: picos(-1n), pricePicos: picos(-1_000_001n) }),
        sampleEvent({ costPicos: picos(2n ** 63n + 5n), pricePicos: picos(-(2n ** 70n)) }),
        sampleEvent({ quantities: { input: Number.MAX_SAFE_INTEGER, audioOutput: 3 } }),
        sampleEvent({ clientTokenId: ids.create("ctk") }),
        sampleEvent({ customer: "Größe 漢字 🙂", feature: 'it\'s "quoted" %_\\' }),
      ];
      const { inserted } = await usage.insertBatch({ events, refusals: [] });
      expect(inserted).toBe(events.length);
      const { rows } = await usage.listEvents({ limit: 100 });
      expect(rows).toEqual(newestFirst(events));
    });

    test("are counted once however often they are sent, in the same batch or in others", async () => {
      const { usage } = fixture.store;
      const events = Array.from({ length: 7 }, () => sampleEvent());
      const batch = { events: [...events, ...events.slice(2)], refusals: [] };
      expect(await usage.insertBatch(batch)).toEqual({ inserted: 7 });
      const once = await totals(usage);
      expect(once?.calls).toBe(7);
      expect(await usage.insertBatch(batch)).toEqual({ inserted: 0 });
      expect(await totals(usage)).toEqual(once);
      const more = { events: [...events.slice(0, 3), sampleEvent()], refusals: [] };
      expect(await usage.insertBatch(more)).toEqual({ inserted: 1 });
      expect((await totals(usage))?.calls).toBe(8);
    });

    test("keep their first version: an event is never changed", async () => {
      const { usage } = fixture.store;
      const event = sampleEvent({ costPicos: picos(5n) });
      const altered = { ...event, costPicos: picos(7n), customer: "another" };
      await usage.insertBatch({ events: [event, altered], refusals: [] });
      await usage.insertBatch({ events: [altered], refusals: [] });
      expect((await usage.listEvents({ limit: 10 })).rows).toEqual([event]);
      expect((await totals(usage))?.costPicos).toBe(5n);
    });

    test("of overlapping batches sent at once add up exactly, with nobody turned away", async () => {
      const { store, database } = fixture;
      const events = Array.from({ length: 300 }, (_, i) =>
        sampleEvent({
          customer: `customer ${i % 7}`,
          startedAtMs: SAMPLE_TIME_MS + (i % 5) * 1_800_000,
          costPicos: picos(BigInt(i) ** 3n),
        }),
      );
      const refusals = [
        {
          hourMs: SAMPLE_TIME_MS,
          code: "overloaded",
          gatewayKeyId: null,
          customer: null,
          count: 1,
        },
      ];
      const stores = [store, database.open(), database.open()];
      const sending = Array.from({ length: 9 }, (_, i) => {
        const slice = events.slice(i * 30, i * 30 + 60);
        const { usage } = stores[i % stores.length] ?? store;
        return usage.insertBatch({ events: i % 2 === 0 ? slice : slice.toReversed(), refusals });
      });
      const answers = await Promise.all(sending);
      const sum = events.reduce((total, event) => total + (event.costPicos ?? 0n), 0n);
      expect(answers.reduce((total, answer) => total + answer.inserted, 0)).toBe(300);
      expect(await totals(store.usage)).toMatchObject({ calls: 300, costPicos: sum });
      expect(await store.usage.summarizeRefusals({})).toEqual([{ code: "overloaded", count: 9 }]);
    });

    test("are taken by the thousand", async () => {
      const { usage } = fixture.store;
      const events = Array.from({ length: 3_001 }, (_, i) =>
        sampleEvent({ customer: `customer ${i % 400}` }),
      );
      expect(await usage.insertBatch({ events, refusals: [] })).toEqual({ inserted: 3_001 });
      expect((await totals(usage))?.calls).toBe(3_001);
      expect(await readAll(1000, (page) => usage.listEvents(page))).toEqual(newestFirst(events));
    });

    test("add up beyond the 64 bits that one column has", async () => {
      const { usage } = fixture.store;
      const costPicos = picos(7_000_000n * PICOS_PER_USD + 123_456_789_012n);
      const events = Array.from({ length: 9 }, () => sampleEvent({ costPicos }));
      await usage.insertBatch({ events: events.slice(0, 5), refusals: [] });
      await usage.insertBatch({ events: events.slice(5), refusals: [] });
      expect(9n * costPicos).toBeGreaterThan(2n ** 63n);
      expect((await totals(usage))?.costPicos).toBe(9n * costPicos);
      const byHour = await usage.summarize({ limit: 5 }, { groupBy: ["hour"] });
      expect(byHour.rows[0]?.costPicos).toBe(9n * costPicos);
    });

    test("are kept whatever text a caller or a provider sends", async () => {
      const { usage } = fixture.store;
      const long = "k".repeat(100_000);
      const hostile: Partial<UsageEvent>[] = [
        { customer: "nul \u0000 inside" },
        { customer: "lone \ud800 surrogate", feature: "\udc00" },
        { customer: long },
        { customer: `${long}2`, feature: long, servedModel: long, requestedModel: long },
        { feature: "🙂".repeat(50_000), providerResponseId: long, serviceTier: long },
        { path: `/v1/${long}`, method: "M".repeat(1000), operation: long, priceRowId: long },
        { customer: "", feature: "", servedModel: "", providerResponseId: "" },
        { customer: wide(), feature: wide(), servedModel: wide(), providerResponseId: wide() },
      ];
      const events = hostile.map((overrides) => sampleEvent(overrides));
      expect(await usage.insertBatch({ events, refusals: [] })).toEqual({ inserted: 8 });
      const find = async (filter: EventFilter) => {
        const { rows } = await usage.listEvents({ limit: 10 }, filter);
        return rows.map((row) => row.id);
      };
      // What was shortened is still found by what was sent, and two long ones stay two.
      expect(await find({ customer: "nul \u0000 inside" })).toEqual([events[0]?.id]);
      expect(await find({ customer: "lone \ud800 surrogate" })).toEqual([events[1]?.id]);
      expect(await find({ customer: long })).toEqual([events[2]?.id]);
      expect(await find({ customer: `${long}2`, model: long, feature: long })).toEqual([
        events[3]?.id,
      ]);
      const byCustomer = await usage.summarize({ limit: 10 }, { groupBy: ["customer"] });
      expect(byCustomer.rows).toHaveLength(7);
      expect(byCustomer.rows[0]?.group).toEqual({ customer: null });
      const { rows } = await usage.listEvents({ limit: 10 }, { requestId: events[6]?.requestId });
      expect(rows[0]).toMatchObject({ customer: null, feature: null, servedModel: null });
    });

    test("may carry times with fractions of a millisecond", async () => {
      const { usage } = fixture.store;
      const event = sampleEvent({
        startedAtMs: SAMPLE_TIME_MS + 0.7,
        durationMs: 12.5,
        firstByteMs: 3.2,
      });
      await usage.insertBatch({ events: [event], refusals: [] });
      expect((await usage.listEvents({ limit: 1 })).rows[0]).toMatchObject({
        startedAtMs: SAMPLE_TIME_MS,
        durationMs: 13,
        firstByteMs: 3,
      });
    });

    test("of a batch that fails are not there at all, and nothing of it is in the sums", async () => {
      const { usage } = fixture.store;
      const good = sampleEvent();
      const impossible = sampleEvent({ costPicos: picos(2n ** 90n) });
      await expect(
        usage.insertBatch({ events: [good, impossible], refusals: [] }),
      ).rejects.toBeInstanceOf(RangeError);
      const unwritable = sampleEvent({ status: null as unknown as UsageEvent["status"] });
      await expect(usage.insertBatch({ events: [good, unwritable], refusals: [] })).rejects.toThrow(
        /status/,
      );
      expect((await usage.listEvents({ limit: 10 })).rows).toEqual([]);
      expect((await totals(usage))?.calls).toBe(0);
      expect(await usage.insertBatch({ events: [good], refusals: [] })).toEqual({ inserted: 1 });
    });

    test("of an empty batch are none", async () => {
      const { usage } = fixture.store;
      expect(await usage.insertBatch({ events: [], refusals: [] })).toEqual({ inserted: 0 });
    });
  });

  describe("the list of usage events", () => {
    const fixture = useDatabase(createDatabase);
    const [projectId, environmentId, gatewayKeyId, clientTokenId, requestId] = [
      ids.create("prj"),
      ids.create("env"),
      ids.create("key"),
      ids.create("ctk"),
      ids.create("req"),
    ] as const;
    const events = Array.from({ length: 60 }, (_, i) =>
      sampleEvent({
        startedAtMs: SAMPLE_TIME_MS + (i % 6) * 10,
        customer: i % 2 === 0 ? "acme" : null,
        feature: i % 3 === 0 ? "voice" : "chat",
        requestedModel: "gpt-4o",
        servedModel: i % 4 === 0 ? null : "gpt-4o-2024-08-06",
        status: i % 5 === 0 ? "failed" : "succeeded",
        ...(i % 7 === 0 && { projectId }),
        ...(i % 7 <= 1 && { environmentId }),
        ...(i % 7 <= 2 && { gatewayKeyId }),
        ...(i % 9 === 0 && { clientTokenId }),
        ...(i % 10 === 0 && { requestId }),
      }),
    );
    test("gives every match once, newest first, for each filter and for several", async () => {
      const { usage } = fixture.store;
      await usage.insertBatch({ events, refusals: [] });
      const filters: readonly EventFilter[] = [
        {},
        { projectId },
        { environmentId },
        { gatewayKeyId },
        { clientTokenId },
        { customer: "acme" },
        { customer: "nobody" },
        { feature: "voice" },
        { model: "gpt-4o" },
        { model: "gpt-4o-2024-08-06" },
        { status: "failed" },
        { requestId },
        { fromMs: SAMPLE_TIME_MS + 20 },
        { toMs: SAMPLE_TIME_MS + 20 },
        { fromMs: SAMPLE_TIME_MS + 10, toMs: SAMPLE_TIME_MS + 41 },
        { fromMs: SAMPLE_TIME_MS + 50, toMs: SAMPLE_TIME_MS + 50 },
        { customer: "acme", feature: "chat", status: "succeeded", toMs: SAMPLE_TIME_MS + 30 },
        { projectId, environmentId, gatewayKeyId, fromMs: SAMPLE_TIME_MS + 10 },
      ];
      for (const filter of filters) {
        const matching = newestFirst(events.filter((event) => matches(event, filter)));
        for (const limit of [1, 4, 60]) {
          expect(await readAll(limit, (page) => usage.listEvents(page, filter))).toEqual(matching);
        }
      }
    });

    test("keeps to a narrower time range that comes with a cursor", async () => {
      const { usage } = fixture.store;
      await usage.insertBatch({ events, refusals: [] });
      const { nextCursor } = await usage.listEvents({ limit: 3 });
      const filter = { toMs: SAMPLE_TIME_MS + 20 };
      const page = { limit: 100, cursor: nextCursor ?? "" };
      const matching = newestFirst(events.filter((event) => matches(event, filter)));
      expect((await usage.listEvents(page, filter)).rows).toEqual(matching);
    });

    test("refuses a cursor of another list", async () => {
      const { usage } = fixture.store;
      await usage.insertBatch({ events, refusals: [] });
      const summary = await usage.summarize({ limit: 1 }, { groupBy: ["feature"] });
      const list = await usage.listEvents({ limit: 1 });
      await expect(
        usage.listEvents({ limit: 1, cursor: summary.nextCursor ?? "" }),
      ).rejects.toBeInstanceOf(InvalidCursorError);
      await expect(
        usage.summarize({ limit: 1, cursor: list.nextCursor ?? "" }, { groupBy: ["feature"] }),
      ).rejects.toBeInstanceOf(InvalidCursorError);
    });
  });
}
