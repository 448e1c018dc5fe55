import { describe, expect, it } from "vitest";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { type AccountPeaks, HOUR_MS } from "../../core/limits/account-demand.ts";
import { AccountGate } from "../../proxy/account-gate.ts";
import { HeaderFields } from "../../proxy/http/header-fields.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import { type AccountLimitUsage, findAccountLimits } from "./account-limit-findings.ts";
import { createAccountLimitSource } from "./account-limit-usage.ts";

const accountId = "acc_main" as ProviderAccountId;
const account: ProviderAccountRecord = {
  id: accountId,
  name: "openai-main",
  provider: "openai",
  kind: "organization",
  baseUrl: null,
  organizationId: null,
  providerProjectId: null,
  apiVersion: null,
  pricedAs: null,
  createdAtMs: 0,
};

const NOW_MS = Date.UTC(2026, 0, 31, 9, 30);
const PEAK = { amount: 120, minuteMs: Date.UTC(2026, 0, 31, 9, 5) };

function peaks(model: string): AccountPeaks {
  return {
    accountId,
    model,
    requests: PEAK,
    tokens: null,
    waited: 0,
    longestWaitMs: 0,
    refused: 0,
    requestLimit: 90,
    tokenLimit: null,
  };
}

it("tells what is used of accounts that are still there, by what their providers have said", async () => {
  const gate = new AccountGate({
    maxWaitMs: 0,
    maxCalls: 1,
    monotonicMs: () => 0,
    nowMs: () => 0,
    log: { warn: () => undefined },
  });
  const headers = {
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "40",
    "x-ratelimit-reset-requests": "5s",
  };
  const call = { kind: "production", flow: "", tokens: 10 } as const;
  const send = (id: string, told: Record<string, string>) => {
    const entered = gate.enter({ accountId: id as ProviderAccountId, model: "gpt-4o" }, call);
    if (!("ticket" in entered)) throw new Error("it waits");
    entered.ticket?.answered({ status: 200, headers: HeaderFields.from(told) });
    return entered.ticket;
  };
  send(accountId, headers);
  send("acc_gone", headers);
  send("acc_silent", {});
  gate.enter({ accountId, model: "gpt-4o" }, call);
  const source = createAccountLimitSource({
    gate,
    store: {
      providerAccounts: { findById: async (id) => (id === accountId ? account : undefined) },
      accountDemand: {
        listRecentPeaks: async ({ fromMs }) => {
          expect(fromMs).toBe(NOW_MS - HOUR_MS);
          return [peaks("gpt-4o"), peaks("elsewhere"), { ...peaks("untold"), requestLimit: null }];
        },
      },
    },
  });
  const found: AccountLimitUsage[] = [];
  for await (const usage of source.list(NOW_MS)) found.push(usage);
  const what = "requests for gpt-4o";
  const main = { accountId, accountName: "openai-main" };
  expect(found).toEqual([
    // The limit as it was told to this process is newer than what was written.
    { ...main, what, used: 61, limit: 100, peak: PEAK },
    { ...main, what: "requests for elsewhere", used: 0, limit: 90, peak: PEAK },
  ]);
});

describe("an account near its limit", () => {
  const rule: AlertRuleRecord = {
    id: "alr_1" as AlertRuleRecord["id"],
    name: "near",
    condition: { kind: "account_limit_near", settings: { percent: 80 } },
    scope: null,
    repeat: "day",
    channelIds: null,
    isEnabled: true,
    createdAtMs: 0,
  };

  async function find(usage: Pick<AccountLimitUsage, "used" | "peak">) {
    async function* limits(): AsyncGenerator<AccountLimitUsage> {
      yield { accountId, accountName: "main", what: "requests for gpt-4o", limit: 100, ...usage };
    }
    const condition = { kind: "account_limit_near", settings: { percent: 80 } } as const;
    const findings = await findAccountLimits({ nowMs: NOW_MS, limits: limits() }, rule, condition);
    return await Promise.all(findings.map(async ({ describe: content }) => await content()));
  }

  it("is told of by what is used, and by what a minute asked for, whichever is more", async () => {
    expect(await find({ used: 79, peak: { ...PEAK, amount: 79 } })).toEqual([]);
    const [used] = await find({ used: 85, peak: null });
    expect(used?.title).toBe("Account main is at 85 % of its provider's limit");
    const [asked] = await find({ used: 10, peak: PEAK });
    expect(asked).toMatchObject({
      title: "Account main was asked for 120 % of its provider's limit",
      facts: [
        { label: "requests for gpt-4o", value: "120 % of 100" },
        { label: "used now", value: "10" },
        { value: "120 (2026-01-31 09:05 UTC)" },
      ],
      command: `keyward provider-accounts limits ${accountId}`,
    });
  });
});
