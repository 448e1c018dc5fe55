import { describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS } from "../../../test/support/admin-under-test.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import {
  type AccountDemand,
  HOUR_MS,
  MINUTE_MS,
  NO_DEMAND,
} from "../../core/limits/account-demand.ts";

function asked(accountId: ProviderAccountId, change: Partial<AccountDemand>): AccountDemand {
  const limits = { requestLimit: 100, tokenLimit: null };
  return { ...NO_DEMAND, accountId, model: "gpt-4o", minuteMs: NOW_MS, ...limits, ...change };
}

/** Of a limit of 100. */
function peak(amount: number, minuteMs: number) {
  return { amount, minute: new Date(minuteMs).toISOString(), percent: amount };
}

describe("how near an account comes to its provider's limits", () => {
  const admin = adminUnderTest();

  async function addAccount(name = "main"): Promise<ProviderAccountId> {
    const account = { name, provider: "openai", kind: "organization" };
    return ((await admin.post("/provider-accounts", account)).body as { id: ProviderAccountId }).id;
  }

  it("is told by model, limit and stretch of time, with a paragraph for the provider", async () => {
    const accountId = await addAccount();
    const other = await addAccount("other");
    const dayMs = 24 * HOUR_MS;
    await admin.store.accountDemand.add([
      asked(accountId, { requests: 60, tokens: 9_000, minuteMs: NOW_MS - 5 * MINUTE_MS }),
      asked(accountId, { requests: 130, minuteMs: NOW_MS - 3 * dayMs, waited: 7, refused: 2 }),
      asked(accountId, { requests: 70, minuteMs: NOW_MS - 29 * dayMs, longestWaitMs: 1_500 }),
      asked(accountId, { requests: 999, minuteMs: NOW_MS - 31 * dayMs }),
      asked(other, { requests: 5_000 }),
    ]);
    const use = { accountId, model: "gpt-4o", of: "requests", used: 12.5, limit: 100 } as const;
    const app = admin.appWith({ accountUses: () => [use, { ...use, accountId: other, used: 1 }] });
    const { status, body } = await call(app, "/provider-accounts/main/limits");
    expect(status).toBe(200);
    const untold = { amount: 9_000, minute: "2026-01-31T08:55:00.000Z", percent: null };
    expect(body).toEqual({
      accountId,
      accountName: "main",
      models: [
        {
          model: "gpt-4o",
          requests: {
            limit: 100,
            used: 13,
            peaks: {
              lastDay: peak(60, NOW_MS - 5 * MINUTE_MS),
              last7Days: peak(130, NOW_MS - 3 * dayMs),
              last30Days: peak(130, NOW_MS - 3 * dayMs),
            },
          },
          tokens: {
            limit: null,
            used: null,
            peaks: { lastDay: untold, last7Days: untold, last30Days: untold },
          },
          waits: {
            lastDay: { waited: 0, longestWaitMs: 0, refused: 0 },
            last7Days: { waited: 7, longestWaitMs: 0, refused: 2 },
            last30Days: { waited: 7, longestWaitMs: 1_500, refused: 2 },
          },
        },
      ],
      request: expect.stringContaining("130 requests in one minute (2026-01-28 09:00)") as string,
    });
  });

  it("is nothing where nothing was asked, and no answer for an account that is not there", async () => {
    const accountId = await addAccount();
    const { body } = await admin.get(`/provider-accounts/${accountId}/limits`);
    expect(body).toEqual({ accountId, accountName: "main", models: [], request: null });
    expect((await admin.get("/provider-accounts/none/limits")).status).toBe(404);
  });

  it("stands in the status from 80 % of a limit within the last day on", async () => {
    const accountId = await addAccount();
    const old = NOW_MS - 25 * HOUR_MS;
    await admin.store.accountDemand.add([
      asked(accountId, { requests: 79, tokens: 50, tokenLimit: 60 }),
      asked(accountId, { requests: 500, minuteMs: old }),
      asked("acc_gone" as ProviderAccountId, { requests: 500 }),
    ]);
    const limitsNear = async () =>
      ((await admin.get("/status")).body as { limitsNear: unknown[] }).limitsNear;
    const tokens = {
      accountId,
      accountName: "main",
      model: "gpt-4o",
      of: "tokens",
      limit: 60,
      peak: { amount: 50, minute: "2026-01-31T09:00:00.000Z", percent: 83 },
    };
    expect(await limitsNear()).toEqual([tokens]);
    await admin.store.accountDemand.add([asked(accountId, { requests: 1 })]);
    expect(await limitsNear()).toMatchObject([{ of: "requests", peak: { percent: 80 } }, tokens]);
  });
});
