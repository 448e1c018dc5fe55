import { describe, expect, test } from "vitest";
import { changesSince, type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids, insertBelongings, sampleProviderKey, sampleRoutingRule } from "./samples.contract.ts";

export function describeRoutingRules(createDatabase: CreateTestDatabase): void {
  describe("routing rules", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, in the order in which they are asked, for their environment only", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const elsewhere = await insertBelongings(store);
      const full = sampleRoutingRule(of, {
        position: 2,
        provider: "openai",
        accountId: of.account.id,
        targetModel: "gpt-4o-mini",
      });
      const sparse = sampleRoutingRule(of, { position: 1, model: "*" });
      const tied = sampleRoutingRule(of, { position: 2, model: "gpt-4*" });
      for (const rule of [full, tied, sparse]) await store.routingRules.insert(rule);
      await store.routingRules.insert(sampleRoutingRule(elsewhere));
      expect(await store.routingRules.listOf(of.environment.id)).toEqual([sparse, full, tied]);
      expect(await store.routingRules.findById(full.id)).toEqual(full);
      expect(await store.routingRules.findById(ids.create("rul"))).toBeUndefined();
    });

    test("are changed and removed while they are there, and note each change", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const before = await store.changes.latestSequence();
      const rule = sampleRoutingRule(of);
      const changed = { ...rule, position: 7, model: "o3", targetModel: null, accountId: null };
      expect(await store.routingRules.update(rule)).toBe(false);
      await store.routingRules.insert(rule);
      expect(await store.routingRules.update(changed)).toBe(true);
      expect(await store.routingRules.findById(rule.id)).toEqual(changed);
      expect(await store.routingRules.remove(rule.id)).toBe(true);
      expect(await store.routingRules.remove(rule.id)).toBe(false);
      expect(await store.routingRules.findById(rule.id)).toBeUndefined();
      expect(await changesSince(store, before)).toEqual(
        Array.from({ length: 3 }, () => `routingRule ${rule.id}`),
      );
    });
  });

  describe("a provider key's weight", () => {
    const fixture = useDatabase(createDatabase);

    test("is changed, and the change is noted", async () => {
      const { store } = fixture;
      const of = await insertBelongings(store);
      const key = sampleProviderKey(of, { weight: 3 });
      await store.providerKeys.insert(key);
      const before = await store.changes.latestSequence();
      expect(await store.providerKeys.setWeight(key.id, 0)).toBe(true);
      expect(await store.providerKeys.setWeight(ids.create("pky"), 5)).toBe(false);
      expect(await store.providerKeys.findById(key.id)).toEqual({ ...key, weight: 0 });
      expect(await changesSince(store, before)).toEqual([`providerKey ${key.id}`]);
    });
  });
}
