import { describe, expect, test } from "vitest";
import type { LimitRecord } from "../records.ts";
import { changesSince, type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS } from "./samples.contract.ts";

function sampleLimit(overrides: Partial<LimitRecord> = {}): LimitRecord {
  return {
    id: ids.create("lim"),
    scope: { kind: "organization", id: null },
    requestsPerMinute: 60,
    tokensPerMinute: null,
    concurrency: null,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function describeLimits(createDatabase: CreateTestDatabase): void {
  describe("limits", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, one by one, several and in pages, by scope", async () => {
      const { limits } = fixture.store;
      const all = [
        sampleLimit(),
        sampleLimit({ scope: { kind: "customer", id: null }, createdAtMs: SAMPLE_TIME_MS + 1 }),
        sampleLimit({
          scope: { kind: "customer", id: "acme" },
          requestsPerMinute: null,
          tokensPerMinute: 1_000_000_000_000,
          concurrency: 1,
          createdAtMs: SAMPLE_TIME_MS + 2,
        }),
      ];
      for (const limit of all) await limits.insert(limit);
      const [organization, everyCustomer, acme] = all;
      if (!organization || !everyCustomer || !acme) throw new Error("three were made");
      expect(await limits.findById(acme.id)).toEqual(acme);
      expect(await limits.findMany([organization.id, acme.id, ids.create("lim")])).toHaveLength(2);
      expect(await limits.findMany([])).toEqual([]);
      expect(await readAll(1, (page) => limits.list(page))).toEqual(all.toReversed());
      const ofCustomers = await limits.list({ limit: 10 }, { scopeKind: "customer" });
      expect(ofCustomers.rows).toEqual([acme, everyCustomer]);
      const ofEach = { scopeKind: "customer", scopeId: null } as const;
      const ofAcme = { scopeKind: "customer", scopeId: "acme" } as const;
      expect((await limits.list({ limit: 10 }, ofAcme)).rows).toEqual([acme]);
      expect((await limits.list({ limit: 10 }, ofEach)).rows).toEqual([everyCustomer]);
      expect(await limits.count(10)).toBe(3);
      expect(await limits.count(2)).toBe(2);
    });

    test("are changed and removed while they are there, and note each change", async () => {
      const { store } = fixture;
      const before = await store.changes.latestSequence();
      const limit = sampleLimit();
      const changed = { ...limit, requestsPerMinute: null, tokensPerMinute: 5, concurrency: 7 };
      expect(await store.limits.update(limit)).toBe(false);
      await store.limits.insert(limit);
      expect(await store.limits.update(changed)).toBe(true);
      expect(await store.limits.findById(limit.id)).toEqual(changed);
      await store.limitUses.change([{ limitId: limit.id, subject: "" }], (uses) => uses);
      expect(await store.limits.remove(limit.id)).toBe(true);
      expect(await store.limits.remove(limit.id)).toBe(false);
      expect(await store.limits.findById(limit.id)).toBeUndefined();
      expect(await store.limitUses.listOf(limit.id, 10)).toEqual([]);
      expect(await changesSince(store, before)).toEqual(
        Array.from({ length: 3 }, () => `limit ${limit.id}`),
      );
    });
  });
}
