import { describe, expect, test } from "vitest";
import type { LimitUse, LimitUseKey } from "../../core/limits/limit-use.ts";
import type { Store } from "../store.ts";
import { type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids } from "./samples.contract.ts";

const DAY_MS = 24 * 60 * 60_000;

function addRequest(uses: readonly LimitUse[]): readonly LimitUse[] {
  return uses.map((use) => ({
    ...use,
    requests: [{ atMs: 1_800_000_000_000, amount: (use.requests[0]?.amount ?? 0) + 1 }],
  }));
}

export function describeLimitUses(createDatabase: CreateTestDatabase): void {
  describe("uses of limits", () => {
    const fixture = useDatabase(createDatabase);
    const limitId = ids.create("lim");
    const key = (subject: string): LimitUseKey => ({ limitId, subject });

    async function runningProcess(store: Store = fixture.store) {
      const id = ids.create("prc");
      const dataDirectoryId = ids.create("dir");
      await store.processes.register({ id, dataDirectoryId, hostName: "h", pid: 1, version: "1" });
      return id;
    }

    test("begin with nothing taken, and are read back as they were decided, in the order asked for", async () => {
      const { limitUses } = fixture.store;
      const decided: LimitUse[] = [
        {
          ...key("b"),
          requests: [
            { atMs: 1_800_000_000_000, amount: 1 },
            { atMs: 1_800_000_000_101, amount: 1_000_000_000_000 },
          ],
          tokens: [],
          slots: { prc_1: { held: 3, inFlight: 2 } },
        },
        { ...key("a"), requests: [], tokens: [{ atMs: 1_800_000_000_002, amount: 5 }], slots: {} },
      ];
      const seen: (readonly LimitUse[])[] = [];
      await limitUses.change([key("b"), key("a")], (uses) => {
        seen.push(uses);
        return decided;
      });
      await limitUses.change([key("b"), key("a")], (uses) => {
        seen.push(uses);
        return uses;
      });
      const nothing = { requests: [], tokens: [], slots: {} };
      expect(seen).toEqual([
        [
          { ...key("b"), ...nothing },
          { ...key("a"), ...nothing },
        ],
        decided,
      ]);
      expect(await limitUses.listOf(limitId, 10)).toEqual(decided.toReversed());
      expect(await limitUses.listOf(limitId, 1)).toHaveLength(1);
      await limitUses.change([], () => {
        throw new Error("there is nothing to decide");
      });
    });

    test("tell every subject apart, whatever its name", async () => {
      const { limitUses } = fixture.store;
      const subjects = ["", " ", "A", "a", "é", "e\u0301", "😀", "x".repeat(256), "%", "'"];
      await limitUses.change(subjects.map(key), addRequest);
      await limitUses.change([key("a")], addRequest);
      const found = await limitUses.listOf(limitId, 100);
      expect(new Set(found.map(({ subject }) => subject))).toEqual(new Set(subjects));
      expect(found.filter(({ requests }) => requests[0]?.amount === 2)).toHaveLength(1);
    });

    test("are decided one after the other by processes that change the same at once, in any order", async () => {
      const stores = Array.from({ length: 4 }, () => fixture.database.open());
      const keys = [key("a"), key("b"), key("c")];
      const changes = stores.flatMap((store, index) =>
        Array.from({ length: 10 }, (_, turn) =>
          store.limitUses.change((index + turn) % 2 ? keys : keys.toReversed(), addRequest),
        ),
      );
      await Promise.all(changes);
      const uses = await fixture.store.limitUses.listOf(limitId, 10);
      expect(uses.map(({ requests }) => requests[0]?.amount)).toEqual([40, 40, 40]);
    });

    test("stay as they were when the decision fails", async () => {
      const { limitUses } = fixture.store;
      await limitUses.change([key("a")], addRequest);
      const failing = limitUses.change([key("a"), key("b")], () => {
        throw new Error("no decision");
      });
      await expect(failing).rejects.toThrow("no decision");
      expect(await limitUses.listOf(limitId, 10)).toMatchObject([
        { subject: "a", requests: [{ amount: 1 }] },
      ]);
    });

    test("are decided by the database's clock, and beside the processes that run", async () => {
      const { store, database } = fixture;
      const [alive, stopped, silent] = [
        await runningProcess(),
        await runningProcess(),
        await runningProcess(),
      ];
      await store.processes.end(stopped);
      await database.execute(
        `update processes set heartbeat_at_ms = heartbeat_at_ms - 60000 where id = '${silent}'`,
      );
      let decidedAtMs = 0;
      await store.limitUses.change([key("a")], (uses, { nowMs, runningProcesses }) => {
        decidedAtMs = nowMs;
        expect([...runningProcesses]).toEqual([alive]);
        return uses;
      });
      // The test's database is on this machine: the two clocks are one.
      expect(Math.abs(decidedAtMs - Date.now())).toBeLessThan(60_000);
    });

    test("are removed when nothing of them counts any more; slots are remembered for longer", async () => {
      const { store, database } = fixture;
      await store.limitUses.change([key("idle"), key("fresh"), key("held")], (uses) =>
        uses.map((use) => ({
          ...use,
          slots: use.subject === "held" ? { prc_1: { held: 1, inFlight: 1 } } : {},
        })),
      );
      const age = (forMs: number, subject: string) =>
        database.execute(
          `update limit_uses set idle_at_ms = idle_at_ms - ${forMs} where subject = '${subject}'`,
        );
      await age(60 * 60_000, "idle");
      await age(60 * 60_000, "held");
      expect(await store.limitUses.removeIdle(10)).toBe(1);
      const left = async () =>
        (await store.limitUses.listOf(limitId, 10)).map(({ subject }) => subject);
      expect(await left()).toEqual(["fresh", "held"]);
      await age(2 * DAY_MS, "held");
      expect(await store.limitUses.removeIdle(10)).toBe(1);
      expect(await left()).toEqual(["fresh"]);
    });
  });
}
