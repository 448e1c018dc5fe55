import { describe, expect, test } from "vitest";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { type AccountView, NO_AMOUNTS, NONE_WAITING } from "../../core/limits/account-view.ts";
import type { Store } from "../store.ts";
import { type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids } from "./samples.contract.ts";

const HOUR_MS = 60 * 60_000;

function takeOne(views: readonly AccountView[]): readonly AccountView[] {
  return views.map((view) => {
    const { calls } = view.processes["prc_1"]?.reserved ?? NO_AMOUNTS;
    const reserved = { calls: calls + 1, tokens: 0 };
    return {
      ...view,
      processes: { prc_1: { onTheirWay: NO_AMOUNTS, reserved, waiting: NONE_WAITING } },
    };
  });
}

export function describeAccountViews(createDatabase: CreateTestDatabase): void {
  describe("views of accounts", () => {
    const fixture = useDatabase(createDatabase);
    const accountId: ProviderAccountId = ids.create("acc");
    const key = (model: string) => ({ accountId, model });
    const all = { cursor: undefined, freshMs: HOUR_MS, limit: 100 };

    async function listModels(store: Store = fixture.store) {
      const { views } = await store.accountViews.listChanged(all);
      return views.map(({ model }) => model);
    }

    test("begin with nothing known, and are read back as they were decided, in the order asked for", async () => {
      const { accountViews } = fixture.store;
      const decided: AccountView[] = [
        {
          ...key("gpt-4o"),
          requests: {
            limit: 60,
            left: 12.5,
            atMs: 1_800_000_000_000,
            refill: "steady",
            perMs: 0.001,
          },
          tokens: {
            limit: 9,
            left: -3,
            atMs: 5,
            refill: "at_once",
            resetsAtMs: 60_005,
            doubtMs: 3,
            provenUntilMs: 60_001,
          },
          countedBeforeMs: 4,
          closedUntilMs: 6,
          rests: [
            {
              reason: "rate_limited",
              scope: { owner: "account", calls: "model", model: null },
              isNamed: true,
              untilMs: 7,
            },
          ],
          processes: {
            prc_1: {
              onTheirWay: { calls: 1, tokens: 2 },
              reserved: { calls: 3, tokens: 4 },
              waiting: { ...NONE_WAITING, production: { calls: 5, tokens: 6 } },
            },
          },
        },
        {
          ...key("😀 ' %"),
          requests: null,
          tokens: null,
          countedBeforeMs: 0,
          closedUntilMs: 0,
          rests: [],
          processes: {},
        },
      ];
      const keys = [key("gpt-4o"), key("😀 ' %")];
      const seen: (readonly AccountView[])[] = [];
      await accountViews.change(keys, (views) => {
        seen.push(views);
        return decided;
      });
      await accountViews.change(keys, (views) => {
        seen.push(views);
        return views;
      });
      expect(seen[0]).toMatchObject(
        keys.map((one) => ({ ...one, requests: null, tokens: null, processes: {} })),
      );
      expect(seen[1]).toEqual(decided);
      await accountViews.change([], () => {
        throw new Error("there is nothing to decide");
      });
    });

    test("are decided one after the other by processes that change the same at once, in any order", async () => {
      const stores = Array.from({ length: 4 }, () => fixture.database.open());
      const keys = [key("a"), key("b"), key("c")];
      const changes = stores.flatMap((store, index) =>
        Array.from({ length: 10 }, (_, turn) =>
          store.accountViews.change((index + turn) % 2 ? keys : keys.toReversed(), takeOne),
        ),
      );
      await Promise.all(changes);
      const { views } = await fixture.store.accountViews.listChanged(all);
      const taken = views.map(({ processes }) => processes["prc_1"]?.reserved.calls);
      expect(taken).toEqual([40, 40, 40]);
    });

    test("stay as they were when the decision fails", async () => {
      const { accountViews } = fixture.store;
      await accountViews.change([key("a")], takeOne);
      const failing = accountViews.change([key("a"), key("b")], () => {
        throw new Error("no decision");
      });
      await expect(failing).rejects.toThrow("no decision");
      expect(await listModels()).toEqual(["a"]);
    });

    test("are decided by the database's clock, and beside the processes that run", async () => {
      const { store, database } = fixture;
      const [alive, stopped, silent] = [
        ids.create("prc"),
        ids.create("prc"),
        ids.create("prc"),
      ] as const;
      for (const id of [alive, stopped, silent]) {
        const dataDirectoryId = ids.create("dir");
        await store.processes.register({
          id,
          dataDirectoryId,
          hostName: "h",
          pid: 1,
          version: "1",
        });
      }
      await store.processes.end(stopped);
      await database.execute(
        `update processes set heartbeat_at_ms = heartbeat_at_ms - 60000 where id = '${silent}'`,
      );
      await store.accountViews.change([key("a")], (views, { nowMs, runningProcesses }) => {
        expect([...runningProcesses]).toEqual([alive]);
        // The test's database is on this machine: the two clocks are one.
        expect(Math.abs(nowMs - Date.now())).toBeLessThan(60_000);
        return views;
      });
      const { moment } = await store.accountViews.listChanged(all);
      expect([...moment.runningProcesses]).toEqual([alive]);
      expect(Math.abs(moment.nowMs - Date.now())).toBeLessThan(60_000);
    });

    test("that were changed are listed from where a reader has got to; none is missed", async () => {
      const { store, database } = fixture;
      const age = (model: string, byMs: number) =>
        database.execute(
          `update account_views set changed_at_ms = changed_at_ms - ${byMs} where model = '${model}'`,
        );
      await store.accountViews.change([key("old"), key("older")], takeOne);
      await age("old", 10_000);
      await age("older", 2 * HOUR_MS);
      const first = await store.accountViews.listChanged(all);
      expect(first.views.map(({ model }) => model)).toEqual(["old"]);
      await store.accountViews.change([key("new"), key("older")], takeOne);
      const second = await store.accountViews.listChanged({ ...all, cursor: first.cursor });
      expect(new Set(second.views.map(({ model }) => model))).toEqual(new Set(["new", "older"]));
      await age("new", 3_000);
      await age("older", 4_000);
      const seen: string[] = [];
      let cursor = first.cursor - 5_000;
      for (let i = 0; i < 4; i += 1) {
        const page = await store.accountViews.listChanged({ ...all, cursor, limit: 1 });
        seen.push(...page.views.map(({ model }) => model));
        cursor = page.cursor;
      }
      expect(new Set(seen)).toEqual(new Set(["older", "new"]));
      // Noted before the clock stepped back.
      const ahead = await store.accountViews.listChanged({ ...all, cursor: Date.now() + HOUR_MS });
      expect(ahead.views).toHaveLength(3);
    });

    test("are removed when nobody has changed them for long", async () => {
      const { store, database } = fixture;
      await store.accountViews.change([key("old"), key("new")], takeOne);
      await database.execute(
        `update account_views set changed_at_ms = changed_at_ms - ${HOUR_MS} where model = 'old'`,
      );
      expect(await store.accountViews.removeOld(HOUR_MS - 60_000, 10)).toBe(1);
      expect(await listModels()).toEqual(["new"]);
    });
  });
}
