import { expect, it } from "vitest";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { AccountGate } from "../../proxy/account-gate.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import type { AccountLimitUsage } from "./account-limit-findings.ts";
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
    entered.ticket?.answered({ status: 200, headers: told });
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
    },
  });
  const found: AccountLimitUsage[] = [];
  for await (const usage of source.list(0)) found.push(usage);
  const what = "requests for gpt-4o";
  expect(found).toEqual([{ accountId, accountName: "openai-main", what, used: 61, limit: 100 }]);
});
