import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { principalOf } from "../../core/access/principal.ts";
import { TRUST_CALLER } from "../authenticator.ts";

const admin = adminUnderTest();

interface Entry {
  readonly sequence: number;
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
  readonly address: string | null;
  readonly requestId: string | null;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name: string | null };
  readonly environmentId: string | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly hash: string;
}

/** What the test below does, in order. */
const ACTIONS = `
  project.created environment.created environment.updated providerAccount.created providerKey.created
  providerKey.updated providerKey.revoked customer.created gatewayKey.created gatewayKey.revoked
  routingRule.created routingRule.updated routingRule.removed budget.created budget.updated
  budget.updated budget.increased budget.archived limit.created limit.updated limit.removed
  alertChannel.created alertChannel.updated alertChannel.tested alertChannel.removed alertRule.created
  alertRule.updated alertRule.removed alertMute.created alertMute.ended priceOverride.created
  priceOverride.ended
`;

const BUDGET = { scope: { kind: "organization" }, limitUsd: "25", period: "month" };

async function entries(query = ""): Promise<readonly Entry[]> {
  const { status, body } = await admin.get(`/audit${query}`);
  expect(status).toBe(200);
  return (body as { data: readonly Entry[] }).data;
}

async function made(path: string, body: unknown): Promise<{ readonly id: string }> {
  const answer = await admin.post(path, body);
  expect(answer.status, answer.text).toBe(201);
  return answer.body as { readonly id: string };
}

async function changed(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await call(admin.app, path, { ...postOf(body), method });
  expect(answer.status, answer.text).toBeLessThan(300);
}

function alter(statement: string): void {
  const database = new DatabaseSync(admin.databasePath);
  database.exec(statement);
  database.close();
}

async function verdict(query = "") {
  return (await admin.get(`/audit/verify${query}`)).body as {
    readonly isWhole: boolean;
    readonly last: { readonly sequence: number; readonly hash: string };
    readonly problem: { readonly fault: string; readonly sequence: number } | null;
  };
}

describe("the audit log", () => {
  it("has who did what to what, from where, with what was before and after", async () => {
    const app = admin.appWith({
      authenticator: {
        ...TRUST_CALLER,
        identify: () =>
          Promise.resolve(principalOf("owner", { kind: "token", id: "adm_1", name: "ops" })),
      },
    });
    const { id } = await made("/budgets", BUDGET);
    const request = new Request(`http://keyward.test/api/v1/budgets/${id}`, {
      ...postOf({ limitUsd: "30.5" }),
      method: "PATCH",
    });
    const answer = await app.fetch(request, { address: "203.0.113.7" });
    expect(answer.status).toBe(200);
    const [update, creation] = await entries();
    expect(update).toMatchObject({
      sequence: 2,
      at: "2026-01-31T09:00:00.000Z",
      actor: { kind: "token", id: "adm_1", name: "ops" },
      address: "203.0.113.7",
      requestId: answer.headers.get("x-keyward-request-id"),
      action: "budget.updated",
      target: { kind: "budget", id, name: null },
      before: { limitUsd: "25" },
      after: { limitUsd: "30.5" },
    });
    expect(creation).toMatchObject({
      actor: { kind: "system", id: "local", name: "local" },
      address: null,
      action: "budget.created",
      before: null,
      after: { limitUsd: "25", period: "month", createdAt: "2026-01-31T09:00:00.000Z" },
    });
  });

  it("has an entry for every kind of change, and none of a secret", async () => {
    const secret = ["sk", "proj", "planted".repeat(6)].join("-");
    const hook = ["https://hooks.slack.com", "services", "planted".repeat(3)].join("/");
    await made("/projects", { name: "bot" });
    await made("/environments", { name: "preview", kind: "staging" });
    await changed("PATCH", "/environments/preview", { unpricedPolicy: "refuse" });
    const account = await made("/provider-accounts", {
      name: "org",
      provider: "openai",
      kind: "organization",
    });
    const providerKey = await made("/provider-keys", {
      accountId: account.id,
      environment: "preview",
      name: "main",
      secret,
    });
    await changed("PATCH", `/provider-keys/${providerKey.id}`, { weight: 3 });
    await changed("POST", `/provider-keys/${providerKey.id}/revoke`);
    await made("/customers", { externalId: "acme" });
    const key = await made("/keys", { environment: "preview", name: "k", customer: "acme" });
    await changed("POST", `/keys/${key.id}/revoke`);
    const rule = await made("/routing-rules", {
      environment: "preview",
      model: "gpt-4*",
      provider: "openai",
    });
    await changed("PATCH", `/routing-rules/${rule.id}`, { targetModel: "gpt-4o" });
    await changed("DELETE", `/routing-rules/${rule.id}`);
    const budget = await made("/budgets", BUDGET);
    await changed("POST", `/budgets/${budget.id}/pause`, {});
    await changed("POST", `/budgets/${budget.id}/resume`, {});
    await changed("POST", `/budgets/${budget.id}/increases`, {
      amountUsd: "1",
      until: "2026-02-02T00:00:00Z",
    });
    await changed("DELETE", `/budgets/${budget.id}`);
    const limit = await made("/limits", { scope: { kind: "key" }, requestsPerMinute: 60 });
    await changed("PATCH", `/limits/${limit.id}`, { requestsPerMinute: 90 });
    await changed("DELETE", `/limits/${limit.id}`);
    const channel = await made("/alert-channels", { name: "ops", kind: "slack", url: hook });
    await changed("PATCH", `/alert-channels/${channel.id}`, { name: "ops2" });
    await changed("POST", `/alert-channels/${channel.id}/test`);
    await changed("DELETE", `/alert-channels/${channel.id}`);
    const alertRule = await made("/alert-rules", { name: "r", kind: "unpriced_model" });
    await changed("PATCH", `/alert-rules/${alertRule.id}`, { name: "r2" });
    await changed("DELETE", `/alert-rules/${alertRule.id}`);
    const mute = await made("/alerts/mutes", {
      everything: true,
      until: "2026-02-02T00:00:00Z",
    });
    await changed("POST", `/alerts/mutes/${mute.id}/end`);
    const override = await made("/price-overrides", {
      provider: "openai",
      model: "gpt-4o",
      discountPercent: "10",
    });
    await changed("POST", `/price-overrides/${override.id}/end`);

    const all = (await entries("?limit=100")).toReversed();
    expect(all.map(({ action }) => action).join(" ")).toBe(ACTIONS.trim().split(/\s+/).join(" "));
    const text = (await admin.get("/audit?limit=100")).text;
    const stored = await admin.store.gatewayKeys.findById(key.id as never);
    expect(stored?.hash).toHaveLength(64);
    for (const hidden of ["planted", stored?.hash ?? "", "fingerprint", "nonce", "ciphertext"]) {
      expect(text).not.toContain(hidden);
    }
    expect(await verdict()).toMatchObject({ isWhole: true, last: { sequence: all.length } });
  });

  it("has nothing of what changed nothing, or was refused", async () => {
    const { id } = await made("/keys", { environment: "development", name: "k" });
    await changed("POST", `/keys/${id}/revoke`);
    await changed("POST", `/keys/${id}/revoke`);
    await changed("PATCH", "/environments/development", {});
    await admin.post("/projects", { name: "default" });
    await admin.post("/projects", { nam: "x" });
    expect(await entries()).toHaveLength(2);
  });

  it("keeps a change from being made when it can't be written about", async () => {
    alter("drop table audit_head");
    const answer = await admin.post("/projects", { name: "bot" });
    expect(answer.status).toBe(500);
    expect(admin.faults.splice(0)).toHaveLength(1);
    expect(await admin.store.projects.findByName("bot")).toBeUndefined();
  });

  it("is listed in pages, narrowed, read one by one and exported", async () => {
    for (const name of ["a", "b", "=c"]) await made("/projects", { name });
    await made("/keys", { environment: "production", name: "k" });
    const first = (await admin.get("/audit?limit=3")).body as { nextCursor: string };
    const next = await entries(`?limit=3&cursor=${first.nextCursor}`);
    expect(next.map(({ target }) => target.name)).toEqual(["a"]);
    expect(await entries("?environment=production")).toHaveLength(1);
    expect(await entries("?action=project.&limit=2")).toHaveLength(2);
    expect((await admin.get("/audit?environment=prod")).status).toBe(400);
    expect((await admin.get("/audit/2")).body).toMatchObject({ target: { name: "b" } });
    expect((await admin.get("/audit/99")).status).toBe(404);
    const lines = (await admin.get("/audit/export?action=project.")).text.trimEnd().split("\n");
    const [newest] = await entries("?action=project.");
    expect(lines.map((line) => JSON.parse(line) as Entry)).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? "")).toEqual(newest);
    const csv = (await admin.get("/audit/export?format=csv")).text.split("\r\n");
    expect(csv).toHaveLength(6);
    expect(csv[0]).toMatch(/^sequence,at,actor\.kind,/);
    expect(csv[2]).toContain(",'=c,");
  });
});

describe("of a log that somebody with the database has tampered with", () => {
  it.each([
    [`update audit_entries set after_text = '{"name":"z"}' where sequence = 2`, "altered", 2],
    ["update audit_entries set actor_name = 'another' where sequence = 2", "altered", 2],
    ["delete from audit_entries where sequence = 2", "missing", 2],
    ["delete from audit_entries where sequence = 3", "end_missing", 3],
    [
      `update audit_entries set sequence = 9 where sequence = 1;
       update audit_entries set sequence = 1 where sequence = 2;
       update audit_entries set sequence = 2 where sequence = 9`,
      "altered",
      1,
    ],
    [
      `delete from audit_entries where sequence = 3;
       update audit_head set sequence = 2,
         hash = (select hash from audit_entries where sequence = 2)`,
      "head_altered",
      2,
    ],
  ])("it is told where: %s", async (statement, fault, sequence) => {
    for (const name of ["a", "b", "c"]) await made("/projects", { name });
    const { isWhole, last } = await verdict();
    expect(isWhole).toBe(true);
    alter(statement);
    expect(await verdict()).toMatchObject({ isWhole: false, problem: { fault, sequence } });
    expect(last.sequence).toBe(3);
  });

  it("an older copy is found out by what was written down of the newer one", async () => {
    await made("/projects", { name: "a" });
    const { last } = await verdict();
    expect(await verdict(`?expect=${last.sequence}:${last.hash}`)).toMatchObject({ isWhole: true });
    expect(await verdict(`?expect=2:${last.hash}`)).toMatchObject({
      problem: { fault: "unexpected", sequence: 2 },
    });
    expect((await admin.get("/audit/verify?expect=1")).status).toBe(400);
  });
});
