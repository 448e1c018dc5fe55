import { describe, expect, test } from "vitest";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import type { Store } from "../store.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  insertBelongings,
  SAMPLE_TIME_MS,
  sampleEvent,
  sampleGatewayKey,
  sampleHash,
} from "./samples.contract.ts";

async function rotate(
  store: Store,
  id: GatewayKeyId,
  times: { nowMs: number; validUntilMs: number },
): Promise<string> {
  const hash = sampleHash();
  expect(await store.gatewayKeys.replaceSecret(id, { hash, preview: "new", ...times })).toBe(true);
  return hash;
}

async function supersededOf(store: Store, hash: string) {
  return (await store.gatewayKeys.findByHash(hash))?.superseded;
}

async function use(store: Store, gatewayKeyId: GatewayKeyId, startedAtMs: number): Promise<void> {
  const events = [sampleEvent({ gatewayKeyId, startedAtMs })];
  await store.usage.insertBatch({ events, refusals: [] });
}

export function describeKeySecrets(createDatabase: CreateTestDatabase): void {
  describe("a gateway key's secret", () => {
    const fixture = useDatabase(createDatabase);
    const T = SAMPLE_TIME_MS;

    test("is replaced by another for the same key, and both are found until and after the end of the old one", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      const before = await store.changes.latestSequence();
      const hash = await rotate(store, key.id, { nowMs: T + 10, validUntilMs: T + 20 });
      expect(await changesSince(store, before)).toEqual([`gatewayKey ${key.id}`]);
      const rotated = { ...key, hash, preview: "new" };
      const superseded = { supersededAtMs: T + 10, validUntilMs: T + 20, reason: "replaced" };
      expect(await store.gatewayKeys.findById(key.id)).toEqual(rotated);
      expect(await store.gatewayKeys.findByHash(hash)).toEqual({ ...rotated, superseded: null });
      expect(await store.gatewayKeys.findByHash(key.hash)).toEqual({ ...rotated, superseded });
      const { preview } = key;
      expect(await store.gatewayKeys.supersededOf([key.id], T + 19)).toEqual([
        { ...superseded, keyId: key.id, preview },
      ]);
      expect(await store.gatewayKeys.supersededOf([key.id], T + 20)).toEqual([]);
    });

    test("that was replaced twice holds as long as it was promised, each by itself", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      const second = await rotate(store, key.id, { nowMs: T, validUntilMs: T + 100 });
      // The clock was set back between the two: their order is the order in which they were made.
      await rotate(store, key.id, { nowMs: T - 50, validUntilMs: T + 30 });
      expect((await supersededOf(store, key.hash))?.validUntilMs).toBe(T + 100);
      expect((await supersededOf(store, second))?.validUntilMs).toBe(T + 30);
      const listed = await store.gatewayKeys.supersededOf([key.id], T + 10);
      expect(listed.map(({ validUntilMs }) => validUntilMs)).toEqual([T + 30, T + 100]);
      expect(await store.gatewayKeys.endSuperseded(key.id, T + 10, [key.hash, second])).toBe(0);
      expect(await store.gatewayKeys.endSuperseded(key.id, T + 10, [key.hash])).toBe(1);
      expect((await supersededOf(store, key.hash))?.validUntilMs).toBe(T + 100);
      expect((await supersededOf(store, second))?.validUntilMs).toBe(T + 10);
      expect(await store.gatewayKeys.endSuperseded(key.id, T + 50)).toBe(1);
      expect((await supersededOf(store, key.hash))?.validUntilMs).toBe(T + 50);
      expect((await supersededOf(store, second))?.validUntilMs).toBe(T + 10);
      const before = await store.changes.latestSequence();
      expect(await store.gatewayKeys.endSuperseded(key.id, T + 50)).toBe(0);
      expect(await store.changes.latestSequence()).toBe(before);
    });

    test("comes back when its replacement is withdrawn in time, and the replacement is refused from then on", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      expect(await store.gatewayKeys.withdrawSecret(key.id, T)).toBe(false);
      const second = await rotate(store, key.id, { nowMs: T, validUntilMs: T + 100 });
      const third = await rotate(store, key.id, { nowMs: T, validUntilMs: T + 100 });
      expect(await store.gatewayKeys.withdrawSecret(key.id, T + 5)).toBe(true);
      expect((await store.gatewayKeys.findById(key.id))?.hash).toBe(second);
      expect(await supersededOf(store, second)).toBeNull();
      expect(await supersededOf(store, third)).toMatchObject({
        validUntilMs: T + 5,
        reason: "withdrawn",
      });
      expect(await store.gatewayKeys.withdrawSecret(key.id, T + 6)).toBe(true);
      expect(await store.gatewayKeys.findById(key.id)).toEqual(key);
      expect(await store.gatewayKeys.withdrawSecret(key.id, T + 7)).toBe(false);
      await rotate(store, key.id, { nowMs: T + 8, validUntilMs: T + 9 });
      expect(await store.gatewayKeys.withdrawSecret(key.id, T + 9)).toBe(false);
    });

    test("is not replaced for a key that is revoked or not there, and nothing changes", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      await rotate(store, key.id, { nowMs: T, validUntilMs: T + 100 });
      await store.gatewayKeys.revoke(key.id, T + 1);
      const before = await store.changes.latestSequence();
      const change = { hash: sampleHash(), preview: "x", nowMs: T, validUntilMs: T };
      for (const id of [key.id, ids.create("key")]) {
        expect(await store.gatewayKeys.replaceSecret(id, change)).toBe(false);
        expect(await store.gatewayKeys.withdrawSecret(id, T)).toBe(false);
      }
      expect(await store.gatewayKeys.findByHash(change.hash)).toBeUndefined();
      expect((await store.gatewayKeys.findByHash(key.hash))?.revokedAtMs).toBe(T + 1);
      expect(await store.changes.latestSequence()).toBe(before);
    });

    test("that has ended is forgotten when a key was rotated often since; one that holds is not", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      const second = await rotate(store, key.id, { nowMs: T, validUntilMs: T + 1_000_000 });
      for (let i = 0; i < 25; i += 1) {
        await rotate(store, key.id, { nowMs: T + i, validUntilMs: T + i });
      }
      expect((await supersededOf(store, key.hash))?.validUntilMs).toBe(T + 1_000_000);
      expect(await store.gatewayKeys.findByHash(second)).toBeUndefined();
    });

    test("replaced by two processes at once is replaced twice, and both new ones are found", async () => {
      const { store, database } = fixture;
      const other = database.open();
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      const times = { nowMs: T, validUntilMs: T + 100 };
      const hashes = await Promise.all([
        rotate(store, key.id, times),
        rotate(other, key.id, times),
      ]);
      const found = await Promise.all(hashes.map((hash) => supersededOf(store, hash)));
      expect(found.filter((one) => one === null)).toHaveLength(1);
      expect(found.filter((one) => one?.reason === "replaced")).toHaveLength(1);
    });
  });

  describe("gateway keys", () => {
    const fixture = useDatabase(createDatabase);

    test("are changed in what they may do, field by field, and in nothing else", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store), { allowedModels: ["gpt-4o"] });
      await store.gatewayKeys.insert(key);
      const before = await store.changes.latestSequence();
      const changes = [
        { name: "another" },
        { expiresAtMs: SAMPLE_TIME_MS + 5, allowedModels: null },
        { allowedEndpoints: ["embeddings"], allowedIps: ["10.0.0.0/8"], isForBrowsers: true },
      ];
      let expected = key;
      for (const change of changes) {
        expect(await store.gatewayKeys.update(key.id, change)).toBe(true);
        expected = { ...expected, ...change };
        expect(await store.gatewayKeys.findById(key.id)).toEqual(expected);
      }
      expect(await changesSince(store, before)).toEqual(changes.map(() => `gatewayKey ${key.id}`));
      expect(await store.gatewayKeys.update(key.id, {})).toBe(true);
      expect(await store.gatewayKeys.update(ids.create("key"), { name: "x" })).toBe(false);
    });

    test("are revoked many at once, each with a change of its own", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const keys = Array.from({ length: 1_100 }, () => sampleGatewayKey(of));
      await store.transaction(async ({ gatewayKeys }) => {
        for (const key of keys) await gatewayKeys.insert(key);
      });
      const [first, ...rest] = keys.map(({ id }) => id);
      await store.gatewayKeys.revoke(first ?? ids.create("key"), SAMPLE_TIME_MS);
      const before = await store.changes.latestSequence();
      const all = [...keys.map(({ id }) => id), ids.create("key")];
      expect(await store.gatewayKeys.revokeMany(all, SAMPLE_TIME_MS + 1)).toBe(rest.length);
      expect(await store.gatewayKeys.revokeMany(all, SAMPLE_TIME_MS + 2)).toBe(0);
      expect(await store.gatewayKeys.countUnrevoked(of.environment.id, 10)).toBe(0);
      const changed: string[] = [];
      for (let last = before; ;) {
        const page = await store.changes.listSince(last, 1000);
        changed.push(...page.map(({ entityId }) => entityId));
        if (page.length < 1000) break;
        last = page.at(-1)?.sequence ?? last;
      }
      expect(new Set(changed)).toEqual(new Set(rest));
      expect(await store.gatewayKeys.revokeMany([], SAMPLE_TIME_MS)).toBe(0);
    });

    test("are listed by what they and their names begin with, to the letter", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const preview = { live: "kw_live_…abcd", dev: "kw_dev_…abcd" };
      const live = sampleGatewayKey(of, { name: "ci_1", preview: preview.live });
      const other = sampleGatewayKey(of, { name: "cix1", preview: preview.dev });
      const gone = sampleGatewayKey(of, {
        name: "ci_2é",
        preview: preview.live,
        revokedAtMs: SAMPLE_TIME_MS,
      });
      for (const key of [live, other, gone]) await store.gatewayKeys.insert(key);
      const listed = async (filter: Parameters<typeof store.gatewayKeys.list>[1]) =>
        new Set(
          (await readAll(2, (page) => store.gatewayKeys.list(page, filter))).map((k) => k.id),
        );
      expect(await listed({ keyPrefix: "kw_live_" })).toEqual(new Set([live.id, gone.id]));
      expect(await listed({ keyPrefix: "kw_live_", isUnrevoked: true })).toEqual(
        new Set([live.id]),
      );
      expect(await listed({ namePrefix: "ci_" })).toEqual(new Set([live.id, gone.id]));
      expect(await listed({ namePrefix: "ci_2é" })).toEqual(new Set([gone.id]));
      expect(await listed({ namePrefix: "%" })).toEqual(new Set());
    });

    test("know their last use to the minute, whoever flushes it and in whatever order", async () => {
      const { store, database } = fixture;
      const other = database.open();
      const [one, two] = [ids.create("key"), ids.create("key")];
      await use(store, one, SAMPLE_TIME_MS + 0.5);
      expect(await store.gatewayKeys.lastUsesOf([one, two])).toEqual(
        new Map([[one, SAMPLE_TIME_MS]]),
      );
      await use(other, one, SAMPLE_TIME_MS + 600_000);
      await use(store, one, SAMPLE_TIME_MS + 120_000);
      await use(store, two, SAMPLE_TIME_MS);
      expect(await store.gatewayKeys.lastUsesOf([one, two])).toEqual(
        new Map([
          [one, SAMPLE_TIME_MS + 600_000],
          [two, SAMPLE_TIME_MS],
        ]),
      );
      await use(store, two, SAMPLE_TIME_MS + 59_999);
      expect((await store.gatewayKeys.lastUsesOf([two])).get(two)).toBe(SAMPLE_TIME_MS);
      await use(store, two, SAMPLE_TIME_MS + 60_000);
      expect((await store.gatewayKeys.lastUsesOf([two])).get(two)).toBe(SAMPLE_TIME_MS + 60_000);
    });

    test("that were not used since a time, or never, are found among those that can be used", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const nowMs = SAMPLE_TIME_MS + 1_000_000_000;
      const sinceMs = nowMs - 500_000_000;
      const old = sampleGatewayKey(of);
      const used = sampleGatewayKey(of);
      const usedLongAgo = sampleGatewayKey(of);
      const young = sampleGatewayKey(of, { createdAtMs: sinceMs });
      const expired = sampleGatewayKey(of, { expiresAtMs: nowMs });
      const revoked = sampleGatewayKey(of, { revokedAtMs: SAMPLE_TIME_MS });
      for (const key of [old, used, usedLongAgo, young, expired, revoked]) {
        await store.gatewayKeys.insert(key);
      }
      const events = [
        sampleEvent({ gatewayKeyId: used.id, startedAtMs: sinceMs }),
        sampleEvent({ gatewayKeyId: usedLongAgo.id, startedAtMs: sinceMs - 1 }),
      ];
      await store.usage.insertBatch({ events, refusals: [] });
      const listed = async (unused: { sinceMs: number | null; nowMs: number }) =>
        new Set(
          (await readAll(2, (page) => store.gatewayKeys.list(page, { unused }))).map((k) => k.id),
        );
      expect(await listed({ sinceMs, nowMs })).toEqual(new Set([old.id, usedLongAgo.id]));
      expect(await listed({ sinceMs: null, nowMs })).toEqual(new Set([old.id, young.id]));
    });
  });
}
