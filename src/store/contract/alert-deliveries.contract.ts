import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { AlertMuteRecord } from "../alert-records.ts";
import type { Store } from "../store.ts";
import { sampleAlert, sampleBatch, sampleChannel } from "./alert-samples.contract.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS } from "./samples.contract.ts";

const HORIZON_MS = 7_200_000;
const NOW = { nowMs: SAMPLE_TIME_MS, horizonMs: HORIZON_MS };

/** A channel with `count` messages that wait for it, oldest first. */
async function channelWith(store: Store, count: number, overrides = {}) {
  const channel = sampleChannel(overrides);
  await store.alerts.channels.insert(channel);
  const batches = Array.from({ length: count }, () => sampleBatch([sampleAlert()], [channel]));
  await store.alerts.history.fire(batches);
  return { channel, deliveries: batches.flatMap((batch) => batch.deliveries) };
}

const sampleMute = (overrides: Partial<AlertMuteRecord>): AlertMuteRecord => ({
  id: ids.create("mut"),
  ruleId: ids.create("alr"),
  subject: { kind: "customer", id: "acme" },
  untilMs: SAMPLE_TIME_MS + 1_000,
  reason: "a load test",
  createdBy: "anna",
  createdAtMs: SAMPLE_TIME_MS,
  endedAtMs: null,
  ...overrides,
});

export function describeAlertDeliveries(createDatabase: CreateTestDatabase): void {
  describe("a delivery", () => {
    const fixture = useDatabase(createDatabase);

    test("is due from its time on, oldest first, for channels that are enabled", async () => {
      const { alerts } = fixture.store;
      const { channel, deliveries } = await channelWith(fixture.store, 3);
      const { channel: off } = await channelWith(fixture.store, 1, { isEnabled: false });
      await alerts.channels.insert(sampleChannel());
      expect(await alerts.deliveries.listDueChannels(NOW)).toEqual([channel.id]);
      expect(await alerts.deliveries.listDue(channel.id, { ...NOW, limit: 2 })).toEqual(
        deliveries.slice(0, 2),
      );
      const early = { nowMs: SAMPLE_TIME_MS - 1, horizonMs: HORIZON_MS };
      expect(await alerts.deliveries.listDueChannels(early)).toEqual([]);
      await alerts.channels.update({ ...off, isEnabled: true });
      expect(await alerts.deliveries.listDueChannels(NOW)).toEqual([channel.id, off.id]);
    });

    test("is not stuck when the clock steps back behind its next attempt", async () => {
      const { alerts } = fixture.store;
      const { channel } = await channelWith(fixture.store, 1);
      const before = { nowMs: SAMPLE_TIME_MS - HORIZON_MS - 1, horizonMs: HORIZON_MS };
      expect(await alerts.deliveries.listDueChannels(before)).toEqual([channel.id]);
    });

    test("is tried until it is delivered, and each attempt is noted by one process", async () => {
      const { store, database } = fixture;
      const { channel, deliveries } = await channelWith(store, 1);
      const id = deliveries[0]?.id ?? ids.create("adl");
      const atMs = SAMPLE_TIME_MS + 10;
      const change = { problem: "answered 503", nextAttemptAtMs: atMs + 5_000 };
      const first = { id, attemptsBefore: 0, atMs };
      const noted = await Promise.all([
        store.alerts.deliveries.postpone(first, change),
        database.open().alerts.deliveries.postpone(first, change),
      ]);
      expect(noted.filter(Boolean)).toHaveLength(1);
      const later = { nowMs: atMs + 5_000, horizonMs: HORIZON_MS, limit: 5 };
      expect(await store.alerts.deliveries.listDue(channel.id, { ...NOW, limit: 5 })).toEqual([]);
      expect(await store.alerts.deliveries.listDue(channel.id, later)).toMatchObject([
        { id, attempts: 1, lastAttemptAtMs: atMs, problem: "answered 503" },
      ]);
      expect(await store.alerts.deliveries.countTroubles()).toEqual([
        { channelId: channel.id, waiting: 1, givenUp: 0 },
      ]);
      const second = { id, attemptsBefore: 1, atMs: atMs + 6_000 };
      expect(await store.alerts.deliveries.delivered(second)).toBe(true);
      expect(await store.alerts.deliveries.giveUp({ ...second, attemptsBefore: 2 }, "x")).toBe(
        false,
      );
      const [row] = await store.alerts.deliveries.listOfMessage(
        deliveries[0]?.messageId ?? ids.create("msg"),
      );
      expect(row).toMatchObject({ attempts: 2, problem: null, deliveredAtMs: atMs + 6_000 });
      expect(await store.alerts.deliveries.listDueChannels(later)).toEqual([]);
      expect(await store.alerts.deliveries.countAttempted(channel.id, atMs + 5_999)).toBe(1);
      expect(await store.alerts.deliveries.countAttempted(channel.id, atMs + 6_000)).toBe(0);
    });

    test("that was given up is seen, is left alone, and is tried again when somebody says so", async () => {
      const { deliveries } = fixture.store.alerts;
      const { channel, deliveries: rows } = await channelWith(fixture.store, 2);
      const [lost, kept] = rows;
      const attempt = {
        id: lost?.id ?? ids.create("adl"),
        attemptsBefore: 0,
        atMs: SAMPLE_TIME_MS,
      };
      expect(await deliveries.giveUp(attempt, "answered 410")).toBe(true);
      expect(await deliveries.listDue(channel.id, { ...NOW, limit: 5 })).toEqual([kept]);
      expect(await deliveries.countTroubles()).toEqual([
        { channelId: channel.id, waiting: 0, givenUp: 1 },
      ]);
      const messageId = lost?.messageId ?? ids.create("msg");
      expect(await deliveries.retry(messageId, SAMPLE_TIME_MS + 1)).toBe(1);
      const due = { nowMs: SAMPLE_TIME_MS + 1, horizonMs: HORIZON_MS, limit: 5 };
      expect(await deliveries.listDue(channel.id, due)).toMatchObject([
        { id: lost?.id, attempts: 0, givenUpAtMs: null },
        { id: kept?.id },
      ]);
    });

    test("goes with its channel", async () => {
      const { alerts } = fixture.store;
      const { channel, deliveries } = await channelWith(fixture.store, 1);
      expect(await alerts.channels.remove(channel.id)).toBe(true);
      const messageId = deliveries[0]?.messageId ?? ids.create("msg");
      expect(await alerts.deliveries.listOfMessage(messageId)).toEqual([]);
      expect((await alerts.history.listOfMessage(messageId, 1)).total).toBe(1);
    });
  });

  describe("a mute", () => {
    const fixture = useDatabase(createDatabase);

    test("holds until its time or until it is ended, and stays in the list", async () => {
      const { mutes } = fixture.store.alerts;
      const short = sampleMute({});
      const long = sampleMute({ ruleId: null, subject: null, untilMs: SAMPLE_TIME_MS + 9_000 });
      const organization = sampleMute({ subject: { kind: "organization", id: "" }, reason: null });
      for (const mute of [short, long, organization]) await mutes.insert(mute);
      expect(await mutes.findById(long.id)).toEqual(long);
      expect(await mutes.listActive(SAMPLE_TIME_MS)).toEqual([short, organization, long]);
      expect(await mutes.listActive(SAMPLE_TIME_MS + 1_000)).toEqual([long]);
      expect(await mutes.end(long.id, SAMPLE_TIME_MS + 2_000)).toBe(true);
      expect(await mutes.end(long.id, SAMPLE_TIME_MS + 3_000)).toBe(false);
      expect(await mutes.end(short.id, SAMPLE_TIME_MS + 3_000)).toBe(false);
      expect(await mutes.listActive(SAMPLE_TIME_MS + 2_500)).toEqual([]);
      expect(await readAll(2, (page) => mutes.list(page))).toEqual([
        organization,
        { ...long, endedAtMs: SAMPLE_TIME_MS + 2_000 },
        short,
      ]);
    });
  });

  describe("a lease on alerts' work", () => {
    const fixture = useDatabase(createDatabase);

    test("is held by one process at a time, who renews it and gives it back", async () => {
      const { store, database } = fixture;
      const takers = [store, database.open(), database.open()].map((one) => ({
        leases: one.alerts.leases,
        leaseId: ids.create("lea"),
      }));
      const leaseMs = 60_000;
      const taken = await Promise.all(
        takers.map(({ leases, leaseId }) => leases.take("evaluator", { leaseId, leaseMs })),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
      const holder = takers[taken.indexOf(true)];
      const other = takers[taken.indexOf(false)];
      if (holder === undefined || other === undefined) throw new Error("nobody holds it");
      expect(await holder.leases.take("evaluator", { ...holder, leaseMs })).toBe(true);
      expect(await other.leases.take("another", { ...other, leaseMs })).toBe(true);
      expect(await other.leases.release("evaluator", other.leaseId)).toBe(false);
      expect(await holder.leases.release("evaluator", holder.leaseId)).toBe(true);
      expect(await other.leases.take("evaluator", { ...other, leaseMs })).toBe(true);
    });

    test("runs out when its process died, and is not stuck when it reaches too far ahead", async () => {
      const { leases } = fixture.store.alerts;
      const [dead, alive] = [ids.create("lea"), ids.create("lea")];
      expect(await leases.take("evaluator", { leaseId: dead, leaseMs: 1 })).toBe(true);
      await pause(20);
      expect(await leases.take("evaluator", { leaseId: alive, leaseMs: 60_000 })).toBe(true);
      // As if it had been taken before the clock stepped back.
      expect(await leases.take("evaluator", { leaseId: dead, leaseMs: 1_000 })).toBe(true);
    });
  });

  describe("the last use of a provider key", () => {
    const fixture = useDatabase(createDatabase);

    test("is the latest that any process has told of", async () => {
      const { providerKeyUses } = fixture.store.alerts;
      const [used, unused, other] = [ids.create("pky"), ids.create("pky"), ids.create("pky")];
      await providerKeyUses.note([
        { id: used, usedAtMs: 10 },
        { id: other, usedAtMs: 1 },
      ]);
      await providerKeyUses.note([{ id: used, usedAtMs: 30 }]);
      await providerKeyUses.note([{ id: used, usedAtMs: 20 }]);
      expect(await providerKeyUses.lastUsesOf([used, unused])).toEqual(new Map([[used, 30]]));
      expect(await providerKeyUses.lastUsesOf([])).toEqual(new Map());
    });
  });
}
