import { describe, expect, test } from "vitest";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import {
  type AccountDemand,
  HOUR_MS,
  MINUTE_MS,
  NO_DEMAND,
  startOfHour,
} from "../../core/limits/account-demand.ts";
import { MAX_ADDED_DEMANDS } from "../account-demand-repository.ts";
import { type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids } from "./samples.contract.ts";

const DAY_MS = 24 * HOUR_MS;

export function describeAccountDemand(createDatabase: CreateTestDatabase): void {
  describe("what is asked of accounts", () => {
    const fixture = useDatabase(createDatabase);
    const accountId: ProviderAccountId = ids.create("acc");
    const hourMs = startOfHour(Date.now());

    const asked = (minute: number, change: Partial<AccountDemand> = {}): AccountDemand => ({
      ...NO_DEMAND,
      accountId,
      model: "gpt-4o",
      minuteMs: hourMs + minute * MINUTE_MS,
      requests: 10,
      tokens: 1_000,
      requestLimit: null,
      tokenLimit: null,
      ...change,
    });
    const since = (fromMs: number) => ({ accountId, fromMs, limit: 10 });

    test("has the peak of one minute over all processes, not the sum of their peaks", async () => {
      const { database, store } = fixture;
      const stores = Array.from({ length: 3 }, () => database.open());
      // Each process has its own busiest minute; all of them together another one.
      const adding = stores.flatMap(({ accountDemand }, index) => [
        accountDemand.add([asked(index, { requests: 20 }), asked(30, { requests: 15 })]),
        accountDemand.add([asked(30, { requests: 2, tokens: 5 })]),
      ]);
      await Promise.all(adding);
      const [peaks] = await store.accountDemand.listPeaks(since(hourMs));
      const minuteMs = hourMs + 30 * MINUTE_MS;
      expect(peaks?.requests).toEqual({ amount: 51, minuteMs });
      expect(peaks?.tokens).toEqual({ amount: 3_015, minuteMs });
    });

    test("is never lost between processes that add to the same minutes in different orders", async () => {
      const stores = Array.from({ length: 4 }, () => fixture.database.open());
      const minutes = [asked(0), asked(1), asked(0, { model: "b" })];
      const adding = stores.flatMap(({ accountDemand }, index) =>
        Array.from({ length: 8 }, (_, turn) =>
          accountDemand.add((index + turn) % 2 ? minutes : minutes.toReversed()),
        ),
      );
      await Promise.all(adding);
      const peaks = await fixture.store.accountDemand.listPeaks(since(hourMs));
      expect(peaks.map(({ model, requests }) => [model, requests?.amount])).toEqual([
        ["b", 320],
        ["gpt-4o", 320],
      ]);
    });

    test("adds waits and refusals up, keeps the longest wait, and the limits as they were told last", async () => {
      const { accountDemand } = fixture.store;
      await accountDemand.add([
        asked(0, { waited: 3, longestWaitMs: 900, refused: 1, requestLimit: 60 }),
        asked(-60, { waited: 1, longestWaitMs: 5_000, requestLimit: 30, tokenLimit: 7 }),
        asked(1, { requestLimit: null }),
      ]);
      // A wait that ended after its minute was written.
      await accountDemand.add([
        asked(0, { requests: 0, tokens: 0, waited: 1, longestWaitMs: 1_000, refused: 1 }),
      ]);
      const expected = {
        accountId,
        model: "gpt-4o",
        requests: { amount: 10, minuteMs: hourMs },
        tokens: { amount: 1_000, minuteMs: hourMs },
        waited: 5,
        longestWaitMs: 5_000,
        refused: 2,
        requestLimit: 60,
        tokenLimit: 7,
      };
      expect(await accountDemand.listPeaks(since(hourMs - HOUR_MS))).toEqual([expected]);
      expect(await accountDemand.listPeaks(since(hourMs + 1))).toEqual([
        { ...expected, waited: 4, longestWaitMs: 1_000, tokenLimit: null },
      ]);
    });

    test("is told by the account, of the last hours or minutes, the busiest models first", async () => {
      const { accountDemand } = fixture.store;
      const other: ProviderAccountId = ids.create("acc");
      await accountDemand.add([
        asked(0, { requests: 5 }),
        asked(10, { requests: 4, tokens: 0, requestLimit: 8 }),
        asked(0, { model: "😀 ' %", requests: 9 }),
        asked(0, { model: "quiet", requests: 1 }),
        asked(0, { accountId: other, requests: 100, tokens: 2 ** 50 }),
      ]);
      const busiest = await accountDemand.listPeaks({ ...since(0), limit: 2 });
      expect(busiest.map(({ model }) => model)).toEqual(["gpt-4o", "😀 ' %"]);
      const [first] = await accountDemand.listPeaks({ fromMs: 0, limit: 1 });
      expect([first?.accountId, first?.tokens?.amount]).toEqual([other, 2 ** 50]);
      const recent = await accountDemand.listRecentPeaks(since(hourMs + MINUTE_MS));
      expect(recent).toEqual([
        {
          accountId,
          model: "gpt-4o",
          requests: { amount: 4, minuteMs: hourMs + 10 * MINUTE_MS },
          tokens: null,
          waited: 0,
          longestWaitMs: 0,
          refused: 0,
          requestLimit: 8,
          tokenLimit: null,
        },
      ]);
      expect(await accountDemand.listPeaks(since(hourMs + HOUR_MS))).toEqual([]);
    });

    test("is added all or not at all, and not more at once than is written in one go", async () => {
      const { accountDemand } = fixture.store;
      await accountDemand.add([]);
      const tooMany = Array.from({ length: MAX_ADDED_DEMANDS + 1 }, (_, i) => asked(i));
      await expect(accountDemand.add(tooMany)).rejects.toThrow(RangeError);
      await expect(accountDemand.add([asked(0), asked(1, { tokens: 2 ** 70 })])).rejects.toThrow();
      expect(await accountDemand.listPeaks(since(0))).toEqual([]);
      await accountDemand.add(tooMany.slice(1));
      expect(await accountDemand.listPeaks(since(0))).toHaveLength(1);
    });

    test("is forgotten in time: minutes after two hours, hours after thirty days, a part at a time", async () => {
      const { accountDemand } = fixture.store;
      await accountDemand.add([asked(-190), asked(-200), asked(-5), asked(-30 * 24 * 60 - 120)]);
      expect(await accountDemand.removeOld(1)).toBe(2);
      expect(await accountDemand.removeOld(10)).toBe(2);
      expect(await accountDemand.removeOld(10)).toBe(0);
      const [minutes] = await accountDemand.listRecentPeaks(since(0));
      expect(minutes?.requests?.minuteMs).toBe(hourMs - 5 * MINUTE_MS);
      expect(await accountDemand.listPeaks(since(hourMs - 40 * DAY_MS))).toHaveLength(1);
      const hours = await accountDemand.listPeaks(since(hourMs - 29 * DAY_MS));
      expect(hours).toEqual(await accountDemand.listPeaks(since(0)));
    });
  });
}
