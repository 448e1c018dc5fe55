import { describe, expect, test } from "vitest";
import type { LeakRecord } from "../exposure-repositories.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS, sampleHash } from "./samples.contract.ts";

export function sampleLeak(overrides: Partial<LeakRecord> = {}): LeakRecord {
  return {
    id: ids.create("lek"),
    kind: "gatewayKey",
    subjectId: ids.create("key"),
    name: "support-bot",
    preview: "kw_live_…x7Qz",
    environmentId: ids.create("env"),
    fingerprint: sampleHash(),
    outcome: "revoked",
    place: "https://example.com/repository",
    source: "commit",
    address: "192.0.2.7",
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function describeExposure(createDatabase: CreateTestDatabase): void {
  describe("leaks", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, newest first, all or those of a gateway key", async () => {
      const { leaks } = fixture.store.exposure;
      const key = ids.create("key");
      const bare = { preview: null, environmentId: null, place: null, source: null, address: null };
      const records = [
        sampleLeak({ subjectId: key }),
        sampleLeak({ kind: "adminToken", subjectId: ids.create("adm"), ...bare }),
        sampleLeak({ kind: "providerKey", subjectId: ids.create("pky"), outcome: "still_valid" }),
        sampleLeak({ subjectId: key, createdAtMs: SAMPLE_TIME_MS + 1 }),
      ];
      for (const record of records) expect(await leaks.insert(record)).toBe(true);
      const [first, second, third, last] = records;
      expect(await readAll(2, (page) => leaks.list(page))).toEqual([last, third, second, first]);
      const { rows } = await leaks.list({ limit: 10 }, { gatewayKeyId: key });
      expect(rows).toEqual([last, first]);
    });

    test("are one row for a secret and what became of it, however many report it at once", async () => {
      const { leaks } = fixture.store.exposure;
      const leak = sampleLeak({ outcome: "still_valid" });
      const inserted = await Promise.all(
        Array.from({ length: 5 }, () => leaks.insert({ ...leak, id: ids.create("lek") })),
      );
      expect(inserted.filter(Boolean)).toHaveLength(1);
      expect(await leaks.insert({ ...leak, id: ids.create("lek"), outcome: "revoked" })).toBe(true);
      const other = { ...leak, id: ids.create("lek"), fingerprint: sampleHash() };
      expect(await leaks.insert(other)).toBe(true);
    });
  });

  describe("revocations of client tokens", () => {
    const fixture = useDatabase(createDatabase);

    test("are the place in the log of changes after which tokens are good again", async () => {
      const { clientTokens } = fixture.store.exposure;
      const { changes } = fixture.store;
      const environment = ids.create("env");
      expect(await clientTokens.currentSigningKey(environment)).toBe(0);
      const before = await changes.latestSequence();
      const first = await clientTokens.revoke({ kind: "customer", subject: "acme" });
      expect(first).toBeGreaterThan(before);
      expect(await changes.latestSequence()).toBe(first);
      expect(await changes.listSince(before, 10)).toMatchObject([
        { kind: "clientToken", entityId: "acme", sequence: first },
      ]);
      const second = await clientTokens.revoke({ kind: "customer", subject: "acme" });
      const third = await clientTokens.revoke({ kind: "environment", subject: environment });
      expect([second > first, third > second]).toEqual([true, true]);
      expect(await clientTokens.currentSigningKey(environment)).toBe(third);
      const all = (await clientTokens.listAll()).toSorted((a, b) => a.sequence - b.sequence);
      expect(all.slice(-2)).toEqual([
        { kind: "customer", subject: "acme", sequence: second },
        { kind: "environment", subject: environment, sequence: third },
      ]);
    });

    test("at once are each later than the one before, and none is lost", async () => {
      const { clientTokens } = fixture.store.exposure;
      const sequences = await Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          clientTokens.revoke({ kind: "customer", subject: `customer ${i}` }),
        ),
      );
      expect(new Set(sequences).size).toBe(5);
      const all = await clientTokens.listAll();
      expect(all.filter(({ subject }) => subject.startsWith("customer "))).toHaveLength(5);
    });
  });
}
