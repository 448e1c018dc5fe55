import { describe, expect, test } from "vitest";
import { UniqueViolationError } from "../store.ts";
import { newestFirst } from "./configuration.contract.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import {
  ids,
  insertBelongings,
  SAMPLE_TIME_MS,
  sampleGatewayKey,
  sampleHash,
  sampleProviderKey,
} from "./samples.contract.ts";

export function describeKeys(createDatabase: CreateTestDatabase): void {
  describe("gateway keys", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, by id and by hash", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const bound = sampleGatewayKey(of, {
        customerId: of.customer.id,
        allowedModels: ["gpt-4o-mini", 'odd "model"'],
        allowedEndpoints: ["chat/completions", "@images"],
        allowedIps: ["10.0.0.0/8", "2001:db8::/32"],
        isForBrowsers: true,
        expiresAtMs: SAMPLE_TIME_MS + 5,
      });
      const open = sampleGatewayKey(of);
      const none = sampleGatewayKey(of, { allowedModels: [] });
      for (const key of [bound, open, none]) {
        await store.gatewayKeys.insert(key);
        expect(await store.gatewayKeys.findById(key.id)).toEqual(key);
        expect(await store.gatewayKeys.findByHash(key.hash)).toEqual({ ...key, superseded: null });
      }
      expect(await store.gatewayKeys.findByHash("0".repeat(64))).toBeUndefined();
      expect(await store.gatewayKeys.findById(ids.create("key"))).toBeUndefined();
    });

    test("refuse a hash that is taken", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const key = sampleGatewayKey(of);
      await store.gatewayKeys.insert(key);
      const refused = await store.gatewayKeys
        .insert(sampleGatewayKey(of, { hash: key.hash }))
        .catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(UniqueViolationError);
      expect(refused).toMatchObject({ field: "hash" });
    });

    test("are refused for a project or environment that is not there", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const before = await store.changes.latestSequence();
      for (const overrides of [
        { projectId: ids.create("prj") },
        { environmentId: ids.create("env") },
        { customerId: ids.create("cus") },
      ]) {
        await expect(store.gatewayKeys.insert(sampleGatewayKey(of, overrides))).rejects.toThrow(
          /foreign key/i,
        );
      }
      expect(await store.changes.latestSequence()).toBe(before);
    });

    test("are revoked once; a second time and an unknown key answer false and note no change", async () => {
      const { store } = fixture;
      const key = sampleGatewayKey(await insertBelongings(store));
      await store.gatewayKeys.insert(key);
      const before = await store.changes.latestSequence();
      expect(await store.gatewayKeys.revoke(key.id, SAMPLE_TIME_MS + 7)).toBe(true);
      expect(await store.gatewayKeys.revoke(key.id, SAMPLE_TIME_MS + 8)).toBe(false);
      expect(await store.gatewayKeys.revoke(ids.create("key"), SAMPLE_TIME_MS)).toBe(false);
      expect((await store.gatewayKeys.findByHash(key.hash))?.revokedAtMs).toBe(SAMPLE_TIME_MS + 7);
      expect(await changesSince(store, before)).toEqual([`gatewayKey ${key.id}`]);
    });

    test("are counted by environment while they are not revoked, up to a limit", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const other = await insertBelongings(store);
      const keys = Array.from({ length: 5 }, () => sampleGatewayKey(of));
      for (const key of [...keys, sampleGatewayKey(other)]) await store.gatewayKeys.insert(key);
      const { id } = of.environment;
      expect(await store.gatewayKeys.countUnrevoked(id, 100)).toBe(5);
      expect(await store.gatewayKeys.countUnrevoked(id, 3)).toBe(3);
      for (const key of keys.slice(0, 3)) await store.gatewayKeys.revoke(key.id, SAMPLE_TIME_MS);
      expect(await store.gatewayKeys.countUnrevoked(id, 100)).toBe(2);
      expect(await store.gatewayKeys.countUnrevoked(ids.create("env"), 100)).toBe(0);
    });

    test("are listed to the end by environment, project, customer and any of them together", async () => {
      const { store } = fixture;
      const one = await insertBelongings(store);
      const two = await insertBelongings(store);
      const keys = Array.from({ length: 24 }, (_, i) =>
        sampleGatewayKey(
          {
            project: i % 2 === 0 ? one.project : two.project,
            environment: i % 3 === 0 ? one.environment : two.environment,
          },
          {
            customerId: i % 5 === 0 ? one.customer.id : null,
            createdAtMs: SAMPLE_TIME_MS + (i % 4),
          },
        ),
      );
      for (const key of keys) await store.gatewayKeys.insert(key);
      const projectId = one.project.id;
      const environmentId = two.environment.id;
      const customerId = one.customer.id;
      for (const filter of [
        {},
        { projectId },
        { environmentId },
        { customerId },
        { projectId, environmentId },
        { projectId, environmentId, customerId },
        { customerId: two.customer.id },
      ]) {
        const matching = keys.filter(
          (key) =>
            (filter.projectId ?? key.projectId) === key.projectId &&
            (filter.environmentId ?? key.environmentId) === key.environmentId &&
            (filter.customerId ?? key.customerId) === key.customerId,
        );
        expect(await readAll(3, (page) => store.gatewayKeys.list(page, filter))).toEqual(
          newestFirst(matching),
        );
      }
    });
  });

  describe("provider keys", () => {
    const fixture = useDatabase(createDatabase);

    test("come back with their seal byte by byte", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const key = sampleProviderKey(of, {
        sealed: { dataKeyId: of.dataKey.id, nonce: new Uint8Array(12), ciphertext: everyByte },
      });
      await store.providerKeys.insert(key);
      const found = await store.providerKeys.findById(key.id);
      expect(found).toEqual(key);
      expect(found?.sealed.ciphertext.constructor).toBe(Uint8Array);
      expect(await store.providerKeys.findById(ids.create("pky"))).toBeUndefined();
    });

    test("are active once per fingerprint and environment: a second is refused until the first is revoked", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const elsewhere = await insertBelongings(store);
      const fingerprint = sampleHash();
      const first = sampleProviderKey(of, { fingerprint });
      await store.providerKeys.insert(first);
      expect(await store.providerKeys.findActiveByFingerprint(fingerprint)).toEqual([first]);
      const inAnother = sampleProviderKey(elsewhere, { fingerprint });
      await store.providerKeys.insert(inAnother);
      const both = await store.providerKeys.findActiveByFingerprint(fingerprint);
      expect(new Set(both.map(({ id }) => id))).toEqual(new Set([first.id, inAnother.id]));
      await store.providerKeys.revoke(inAnother.id, SAMPLE_TIME_MS);
      const second = sampleProviderKey(of, { fingerprint });
      await expect(store.providerKeys.insert(second)).rejects.toMatchObject({
        field: "fingerprint",
      });
      expect(await store.providerKeys.revoke(first.id, SAMPLE_TIME_MS + 1)).toBe(true);
      expect(await store.providerKeys.findActiveByFingerprint(fingerprint)).toEqual([]);
      await store.providerKeys.insert(second);
      expect(await store.providerKeys.findActiveByFingerprint(fingerprint)).toEqual([second]);
    });

    test("are handed out oldest first while active, for their own environment only", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const elsewhere = await insertBelongings(store);
      const keys = [3, 1, 2, 1].map((at) =>
        sampleProviderKey(of, { createdAtMs: SAMPLE_TIME_MS + at }),
      );
      for (const key of keys) await store.providerKeys.insert(key);
      await store.providerKeys.insert(sampleProviderKey(elsewhere));
      const [newest, ...rest] = newestFirst(keys);
      await store.providerKeys.revoke(newest?.id ?? ids.create("pky"), SAMPLE_TIME_MS);
      expect(await store.providerKeys.listActive(of.environment.id)).toEqual(rest.toReversed());
    });

    test("are revoked once and note each change", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const key = sampleProviderKey(of);
      const before = await store.changes.latestSequence();
      await store.providerKeys.insert(key);
      expect(await store.providerKeys.revoke(key.id, SAMPLE_TIME_MS + 3)).toBe(true);
      expect(await store.providerKeys.revoke(key.id, SAMPLE_TIME_MS + 4)).toBe(false);
      expect((await store.providerKeys.findById(key.id))?.revokedAtMs).toBe(SAMPLE_TIME_MS + 3);
      expect(await changesSince(store, before)).toEqual([
        `providerKey ${key.id}`,
        `providerKey ${key.id}`,
      ]);
    });

    test("are listed to the end, revoked ones too, by environment and by account", async () => {
      const { store } = fixture;
      const one = await insertBelongings(store);
      const two = await insertBelongings(store);
      const keys = Array.from({ length: 12 }, (_, i) =>
        sampleProviderKey(
          {
            environment: i % 2 === 0 ? one.environment : two.environment,
            account: i % 3 === 0 ? one.account : two.account,
            dataKey: one.dataKey,
          },
          { createdAtMs: SAMPLE_TIME_MS + (i % 3), revokedAtMs: i % 4 === 0 ? 1 : null },
        ),
      );
      for (const key of keys) await store.providerKeys.insert(key);
      const environmentId = one.environment.id;
      const accountId = two.account.id;
      for (const filter of [{}, { environmentId }, { accountId }, { environmentId, accountId }]) {
        const matching = keys.filter(
          (key) =>
            (filter.environmentId ?? key.environmentId) === key.environmentId &&
            (filter.accountId ?? key.accountId) === key.accountId,
        );
        expect(await readAll(2, (page) => store.providerKeys.list(page, filter))).toEqual(
          newestFirst(matching),
        );
      }
    });
  });
}
