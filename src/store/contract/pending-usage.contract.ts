import { describe, expect, test } from "vitest";
import { picos } from "../../core/money/picos.ts";
import { deferredEventId } from "../../core/usage/deferred-usage.ts";
import type { DeferredStep, UsageEvent, UsageReport } from "../../core/usage/usage-event.ts";
import { InvalidCursorError, type PendingUsageRepository, type Store } from "../store.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS, sampleEvent } from "./samples.contract.ts";

const LEASE_MS = 60_000;
const HORIZON_MS = 3_600_000;
const FIRST_CHECK_MS = SAMPLE_TIME_MS + 2_000;

const REPORT: UsageReport = {
  status: "succeeded",
  usageSource: "reported",
  quantities: { input: 10, cachedInput: 4, output: 7 },
  variant: null,
  servedModel: "gpt-4o-2024-08-06",
  serviceTier: "default",
};

let works = 0;

/** The event of a call that began a piece of work. */
function beginning(overrides: Partial<UsageEvent> = {}, objectId?: string): UsageEvent {
  works += 1;
  const id = objectId ?? `resp_${works}`;
  const deferred: DeferredStep = {
    step: "begun",
    work: { kind: "response", objectId: id, path: `/responses/${id}` },
    firstCheckAtMs: FIRST_CHECK_MS,
  };
  return sampleEvent({
    operation: "responses",
    usageSource: "deferred",
    quantities: {},
    costPicos: picos(0n),
    providerResponseId: id,
    priceRowId: null,
    deferred,
    ...overrides,
  });
}

/** An event of a read that shows that the work of `event` has ended. */
function ending(event: UsageEvent, report: UsageReport | null): UsageEvent {
  const objectId = event.providerResponseId ?? "";
  const { providerAccountId } = event;
  return sampleEvent({ providerAccountId, deferred: { step: "ended", objectId, report } });
}

function charging(event: UsageEvent, part = 0): UsageEvent {
  const { providerAccountId: accountId, providerResponseId } = event;
  const id = deferredEventId({ accountId, objectId: providerResponseId ?? "" }, part);
  const { deferred: _, ...stored } = event;
  return { ...stored, id, usageSource: "reported", costPicos: picos(5n) };
}

function claimAt(
  pending: PendingUsageRepository,
  nowMs: number,
  limit = 10,
): ReturnType<PendingUsageRepository["claim"]> {
  const leaseId = ids.create("lea");
  return pending.claim({ leaseId, nowMs, leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit });
}

async function insert(store: Store, ...events: readonly UsageEvent[]): Promise<void> {
  await store.usage.insertBatch({ events, refusals: [] });
}

async function sums(store: Store) {
  const { rows } = await store.usage.summarize({ limit: 1 }, { groupBy: [] });
  return { calls: rows[0]?.calls, costPicos: rows[0]?.costPicos };
}

async function chargeAll(store: Store): Promise<void> {
  for (;;) {
    const leaseId = ids.create("lea");
    const times = { nowMs: FIRST_CHECK_MS, leaseMs: LEASE_MS, horizonMs: HORIZON_MS };
    const rows = await store.pendingUsage.claim({ leaseId, ...times, limit: 4 });
    if (rows.length === 0) return;
    for (const { event } of rows) {
      await store.pendingUsage.settle({ id: event.id, leaseId }, [charging(event)]);
    }
  }
}

export function describePendingUsage(createDatabase: CreateTestDatabase): void {
  describe("pending usage", () => {
    const fixture = useDatabase(createDatabase);

    test("is a row for each piece of work that a call has begun, with the call's event", async () => {
      const { store } = fixture;
      const event = beginning();
      const { deferred: _, ...stored } = event;
      await insert(store, event, sampleEvent());
      expect(await store.pendingUsage.findById(event.id)).toEqual({
        event: stored,
        work: {
          kind: "response",
          objectId: event.providerResponseId,
          path: `/responses/${event.providerResponseId}`,
        },
        report: null,
        createdAtMs: SAMPLE_TIME_MS,
        checks: 0,
        nextCheckAtMs: FIRST_CHECK_MS,
        lastCheckAtMs: null,
        problem: null,
        givenUpAtMs: null,
      });
      expect((await store.pendingUsage.list({ limit: 10 })).rows).toHaveLength(1);
    });

    test("has one row for one work of an account, however often and by how many calls it was begun", async () => {
      const { store, database } = fixture;
      const event = beginning();
      const { providerAccountId, providerResponseId } = event;
      const replayed = beginning({ providerAccountId }, providerResponseId ?? "");
      const elsewhere = beginning({}, providerResponseId ?? "");
      await Promise.all([
        insert(store, event, replayed),
        insert(database.open(), event),
        insert(database.open(), replayed, elsewhere),
      ]);
      await insert(store, event);
      const { rows } = await store.pendingUsage.list({ limit: 10 });
      expect(rows).toHaveLength(2);
      expect(new Set(rows.map((row) => row.event.providerAccountId))).toEqual(
        new Set([providerAccountId, elsewhere.providerAccountId]),
      );
    });

    test("is kept for calls that name no account", async () => {
      const { store } = fixture;
      const event = beginning({ providerAccountId: null, providerKeyId: null });
      await insert(store, event);
      const [row] = await claimAt(store.pendingUsage, FIRST_CHECK_MS);
      expect(row?.event.providerAccountId).toBeNull();
    });

    test("is leased when its time has come, longest due first, and to one process alone", async () => {
      const { store, database } = fixture;
      const events = Array.from({ length: 12 }, () => beginning());
      await insert(store, ...events);
      const { pendingUsage } = store;
      expect(await claimAt(pendingUsage, FIRST_CHECK_MS - 1)).toEqual([]);
      const claims = await Promise.all(
        [store, database.open(), database.open(), database.open()].map((one) =>
          claimAt(one.pendingUsage, FIRST_CHECK_MS, 12),
        ),
      );
      const claimed = claims.flat().map(({ event }) => event.id);
      expect(claimed).toHaveLength(12);
      expect(new Set(claimed).size).toBe(12);
      expect(await claimAt(pendingUsage, FIRST_CHECK_MS + LEASE_MS - 1)).toEqual([]);
    });

    test("is leased again when its lease has run out: its process died", async () => {
      const { store } = fixture;
      await insert(store, beginning());
      await claimAt(store.pendingUsage, FIRST_CHECK_MS);
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS + LEASE_MS)).toHaveLength(1);
    });

    test("is not stuck when the clock steps back behind a lease", async () => {
      const { store } = fixture;
      await insert(store, beginning());
      await claimAt(store.pendingUsage, FIRST_CHECK_MS + 10 * HORIZON_MS);
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS)).toHaveLength(1);
    });

    test("is not stuck when the clock steps back behind a next check", async () => {
      const { store } = fixture;
      const event = beginning();
      await insert(store, event);
      const leaseId = ids.create("lea");
      const aheadMs = FIRST_CHECK_MS + 10 * HORIZON_MS;
      const times = { leaseId, leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit: 1 };
      await store.pendingUsage.claim({ ...times, nowMs: aheadMs });
      await store.pendingUsage.postpone(
        { id: event.id, leaseId },
        { checkedAtMs: aheadMs, problem: "not_finished", nextCheckAtMs: aheadMs + 5_000 },
      );
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS)).toHaveLength(1);
    });

    test("is charged once: the row goes and the events come in one transaction, by who holds the lease", async () => {
      const { store, database } = fixture;
      const event = beginning();
      await insert(store, event);
      const first = ids.create("lea");
      const second = ids.create("lea");
      const times = { leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit: 1 };
      await store.pendingUsage.claim({ ...times, leaseId: first, nowMs: FIRST_CHECK_MS });
      const laterMs = FIRST_CHECK_MS + LEASE_MS;
      await store.pendingUsage.claim({ ...times, leaseId: second, nowMs: laterMs });
      const settled = await Promise.all([
        store.pendingUsage.settle({ id: event.id, leaseId: first }, [charging(event)]),
        database
          .open()
          .pendingUsage.settle({ id: event.id, leaseId: second }, [
            charging(event),
            charging(event, 1),
          ]),
      ]);
      expect(settled).toEqual([false, true]);
      expect(await sums(store)).toEqual({ calls: 3, costPicos: 10n });
      expect(await store.pendingUsage.findById(event.id)).toBeUndefined();
      const lease = { id: event.id, leaseId: second };
      const checked = { checkedAtMs: laterMs, problem: "not_finished" } as const;
      expect(await store.pendingUsage.settle(lease, [charging(event)])).toBe(false);
      expect(await store.pendingUsage.renew(lease, laterMs)).toBe(false);
      expect(await store.pendingUsage.release(lease)).toBe(false);
      expect(await store.pendingUsage.giveUp(lease, checked)).toBe(false);
      expect(await store.pendingUsage.postpone(lease, { ...checked, nextCheckAtMs: laterMs })).toBe(
        false,
      );
    });

    test("is not charged again when a call that is repeated begins the same work once more", async () => {
      const { store } = fixture;
      const event = beginning();
      const { providerAccountId, providerResponseId } = event;
      await insert(store, event);
      for (const one of [event, beginning({ providerAccountId }, providerResponseId ?? "")]) {
        await insert(store, one);
        const leaseId = ids.create("lea");
        const [row] = await store.pendingUsage.claim({
          leaseId,
          nowMs: FIRST_CHECK_MS,
          leaseMs: LEASE_MS,
          horizonMs: HORIZON_MS,
          limit: 1,
        });
        expect(row?.event.id).toBe(one.id);
        // The second time by another way, which finds two models where the first had found one.
        const events = [charging(one), charging(one, 1)] as const;
        const [only] = events;
        const charges = one === event ? ([only] as const) : events;
        expect(await store.pendingUsage.settle({ id: one.id, leaseId }, charges)).toBe(true);
      }
      expect(await sums(store)).toEqual({ calls: 3, costPicos: 5n });
    });

    test("is due at once when a read has shown its end, with what the read reported", async () => {
      const { store } = fixture;
      const [told, untold] = [beginning(), beginning()];
      await insert(store, told, untold);
      await insert(store, ending(told, REPORT), ending(untold, null), ending(beginning(), REPORT));
      const rows = await claimAt(store.pendingUsage, SAMPLE_TIME_MS);
      const reports = new Map(rows.map(({ event, report }) => [event.id, report]));
      expect(reports).toEqual(
        new Map([
          [told.id, REPORT],
          [untold.id, null],
        ]),
      );
    });

    test("stays due when a read has shown its end while the provider was being asked", async () => {
      const { store } = fixture;
      const event = beginning();
      await insert(store, event);
      const leaseId = ids.create("lea");
      const times = { leaseId, leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit: 1 };
      await store.pendingUsage.claim({ ...times, nowMs: FIRST_CHECK_MS });
      await insert(store, ending(event, REPORT));
      const change = { checkedAtMs: FIRST_CHECK_MS, problem: "unreachable" } as const;
      const nextCheckAtMs = FIRST_CHECK_MS + 600_000;
      expect(
        await store.pendingUsage.postpone({ id: event.id, leaseId }, { ...change, nextCheckAtMs }),
      ).toBe(true);
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS)).toMatchObject([
        { report: REPORT, checks: 1, problem: "unreachable", lastCheckAtMs: FIRST_CHECK_MS },
      ]);
    });

    test("is given back as it was by who stops, and keeps its lease while that is renewed", async () => {
      const { store } = fixture;
      const event = beginning();
      await insert(store, event);
      const leaseId = ids.create("lea");
      const times = { leaseId, leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit: 1 };
      await store.pendingUsage.claim({ ...times, nowMs: FIRST_CHECK_MS });
      const lease = { id: event.id, leaseId };
      expect(await store.pendingUsage.renew(lease, FIRST_CHECK_MS + 90_000)).toBe(true);
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS + LEASE_MS)).toEqual([]);
      expect(await store.pendingUsage.release(lease)).toBe(true);
      expect(await claimAt(store.pendingUsage, FIRST_CHECK_MS)).toMatchObject([{ checks: 0 }]);
    });

    test("that was given up is seen, is left alone, and is asked for again when somebody says so", async () => {
      const { store } = fixture;
      const [lost, kept] = [beginning(), beginning()];
      await insert(store, lost);
      const leaseId = ids.create("lea");
      const times = { leaseId, leaseMs: LEASE_MS, horizonMs: HORIZON_MS, limit: 1 };
      await store.pendingUsage.claim({ ...times, nowMs: FIRST_CHECK_MS });
      await insert(store, kept);
      const given = { checkedAtMs: FIRST_CHECK_MS, problem: "not_found" } as const;
      expect(await store.pendingUsage.giveUp({ id: lost.id, leaseId }, given)).toBe(true);
      const idsOf = async (state: "waiting" | "given_up") =>
        (await store.pendingUsage.list({ limit: 10 }, { state })).rows.map(({ event }) => event.id);
      expect(await idsOf("given_up")).toEqual([lost.id]);
      expect(await idsOf("waiting")).toEqual([kept.id]);
      const lateMs = FIRST_CHECK_MS + 10 * LEASE_MS;
      expect((await claimAt(store.pendingUsage, lateMs)).map(({ event }) => event.id)).toEqual([
        kept.id,
      ]);
      expect(await store.pendingUsage.retry(lost.id, lateMs)).toBe(true);
      expect(await claimAt(store.pendingUsage, lateMs)).toMatchObject([
        { event: { id: lost.id }, checks: 0, givenUpAtMs: null, problem: "not_found" },
      ]);
      expect(await store.pendingUsage.retry(sampleEvent().id, lateMs)).toBe(false);
    });

    test("is listed newest first, page by page, and refuses another list's cursor", async () => {
      const { store } = fixture;
      const events = Array.from({ length: 7 }, (_, i) =>
        beginning({ startedAtMs: SAMPLE_TIME_MS + (i % 3) * 1_000 }),
      );
      await insert(store, ...events);
      const expected = events
        .toSorted((a, b) => b.startedAtMs - a.startedAtMs || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      for (const limit of [1, 3, 7]) {
        const rows = await readAll(limit, (page) => store.pendingUsage.list(page));
        expect(rows.map(({ event }) => event.id)).toEqual(expected);
      }
      const { nextCursor } = await store.usage.listEvents({ limit: 1 });
      await expect(
        store.pendingUsage.list({ limit: 1, cursor: nextCursor ?? "" }),
      ).rejects.toBeInstanceOf(InvalidCursorError);
    });

    test("does not deadlock where works are begun, ended and charged at once", async () => {
      const { store, database } = fixture;
      const events = Array.from({ length: 24 }, () => beginning());
      await insert(store, ...events);
      const stores = [store, database.open(), database.open()];
      await Promise.all([
        ...stores.map(chargeAll),
        ...stores.map((one) => insert(one, ...events.toReversed().map((e) => ending(e, REPORT)))),
      ]);
      await chargeAll(store);
      expect((await store.pendingUsage.list({ limit: 1 })).rows).toEqual([]);
      expect((await sums(store)).calls).toBe(24 + 24 + 3 * 24);
    });
  });
}
