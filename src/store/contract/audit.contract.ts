import { describe, expect, test } from "vitest";
import type { UnchainedEntry } from "../../core/audit/audit-entry.ts";
import { ChainVerifier } from "../../core/audit/verify-chain.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS } from "./samples.contract.ts";

const hash = (text: string): string => `#${Buffer.from(text).toString("hex").slice(-62)}`;

function sampleEntry(overrides: Partial<UnchainedEntry> = {}): UnchainedEntry {
  return {
    atMs: SAMPLE_TIME_MS,
    actor: { kind: "token", id: ids.create("adm"), name: "a token" },
    address: "127.0.0.1",
    requestId: ids.create("req"),
    action: "budget.updated",
    target: { kind: "budget", id: ids.create("bud"), name: null },
    environmentId: null,
    before: `{"limitUsd":"1"}`,
    after: `{"limitUsd":"2"}`,
    ...overrides,
  };
}

export function describeAudit(createDatabase: CreateTestDatabase): void {
  describe("the audit log", () => {
    const fixture = useDatabase(createDatabase);

    test("is one chain, however many processes write at once", async () => {
      const stores = Array.from({ length: 4 }, () => fixture.database.open());
      const writers = stores.flatMap((store) => Array<typeof store>(6).fill(store));
      await Promise.all(writers.map(({ audit }) => audit.append(sampleEntry(), hash)));
      const { audit } = fixture.store;
      const verifier = new ChainVerifier(hash);
      for (const entry of await audit.listFrom(1, 100)) {
        expect(verifier.accept(entry)).toBeUndefined();
      }
      expect(verifier.last.sequence).toBe(24);
      expect(verifier.end(await audit.findHead())).toBeUndefined();
    });

    test("comes back as it was written, in order and in pages, and is narrowed", async () => {
      const { audit } = fixture.store;
      expect(await audit.findHead()).toBeUndefined();
      const environmentId = ids.create("env");
      const drafts = [
        sampleEntry({ after: null, address: null, requestId: null }),
        sampleEntry({ action: "gatewayKey.created", environmentId, before: null }),
        sampleEntry({
          action: "gatewayKey.revoked",
          actor: { kind: "member", id: "mem_1", name: "Jö \u{1F511}" },
          atMs: SAMPLE_TIME_MS + 10,
        }),
        sampleEntry({ action: "gatewayKeyring.created" }),
      ];
      const written = [];
      for (const draft of drafts) written.push(await audit.append(draft, hash));
      expect(await audit.listFrom(2, 2)).toEqual(written.slice(1, 3));
      expect(await readAll(1, (page) => audit.list(page))).toEqual(written.toReversed());
      expect(await audit.findBySequence(3)).toEqual(written[2]);
      expect(await audit.findBySequence(5)).toBeUndefined();
      const numbersOf = async (filter: Parameters<typeof audit.list>[1]) =>
        (await audit.list({ limit: 10 }, filter)).rows.map(({ sequence }) => sequence);
      expect(await numbersOf({ action: "gatewayKey." })).toEqual([3, 2]);
      expect(await numbersOf({ action: "gatewayKey.revoked" })).toEqual([3]);
      expect(await numbersOf({ actor: "Jö \u{1F511}" })).toEqual([3]);
      expect(await numbersOf({ environmentId })).toEqual([2]);
      expect(await numbersOf({ targetId: drafts[0]?.target.id })).toEqual([1]);
      expect(await numbersOf({ fromMs: SAMPLE_TIME_MS + 1 })).toEqual([3]);
      expect(await numbersOf({ toMs: SAMPLE_TIME_MS + 1 })).toEqual([4, 2, 1]);
    });

    test("has nothing of a change that did not come to be", async () => {
      const { store } = fixture;
      const failing = store.transaction(async ({ audit }) => {
        await audit.append(sampleEntry(), hash);
        throw new Error("broken off");
      });
      await expect(failing).rejects.toThrow("broken off");
      expect(await store.audit.findHead()).toBeUndefined();
      expect((await store.audit.append(sampleEntry(), hash)).sequence).toBe(1);
    });
  });
}
