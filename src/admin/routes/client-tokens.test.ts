import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS, postOf } from "../../../test/support/admin-under-test.ts";
import { tokenPrincipalOf } from "../../core/access/principal.ts";
import type { EnvironmentId } from "../../core/ids/ids.ts";
import { readClientToken } from "../../core/keys/client-token.ts";
import { ClientTokenBook } from "../../proxy/client-token-book.ts";
import { readClientTokenFacts } from "../../runtime/read-client-token-facts.ts";
import type { MadeClientToken } from "../admin-deps.ts";

interface Made {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: string;
}

const numberOf = ({ token }: Made) => readClientToken(token)?.claims.signingKey;

describe("client tokens", { timeout: 60_000 }, () => {
  const admin = adminUnderTest();
  let keyId: string;
  beforeEach(async () => {
    keyId = await createKey();
  });

  async function createKey(changes: object = {}): Promise<string> {
    const body = { environment: "production", name: "backend", ...changes };
    return ((await admin.post("/keys", body)).body as { id: string }).id;
  }
  const ask = (changes: object = {}) =>
    admin.post("/client-tokens", {
      key: keyId,
      customer: "acme",
      models: ["gpt-4o-mini"],
      ...changes,
    });
  async function make(changes: object = {}): Promise<Made> {
    const { status, text, body } = await ask(changes);
    expect([status, text]).toEqual([201, text]);
    return body as Made;
  }
  /** What a process knows that has seen every change. */
  async function bookNow(): Promise<ClientTokenBook> {
    const clientTokens = new ClientTokenBook();
    clientTokens.replace(await readClientTokenFacts(admin));
    return clientTokens;
  }
  const isGood = async ({ token }: Made) => (await bookNow()).find(token) !== undefined;

  it("are made under a gateway key for one customer, good for ten minutes, and kept nowhere", async () => {
    const before = await admin.store.changes.latestSequence();
    const made = await make({ feature: "support-chat", limits: { requestsPerMinute: 20 } });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^ctk_/),
      token: expect.stringMatching(/^kwc_live_/),
      keyId,
      environment: "production",
      customer: "acme",
      feature: "support-chat",
      models: ["gpt-4o-mini"],
      endpoints: ["chat/completions", "responses"],
      limits: { requestsPerMinute: 20, tokensPerMinute: null, concurrency: null },
      expiresAt: new Date(NOW_MS + 600_000).toISOString(),
    });
    expect((await bookNow()).find(made.token)).toMatchObject({ id: made.id, customer: "acme" });
    expect(await admin.store.changes.latestSequence()).toBe(before);
  });

  it("are told to the log, each by who has made it and from where, and never the token itself", async () => {
    const told: MadeClientToken[] = [];
    const app = admin.appWith({ onClientToken: (made) => told.push(made) });
    const body = { key: keyId, customer: "acme", models: ["gpt-4o-mini"] };
    const url = "http://keyward.test/api/v1/client-tokens";
    const answer = await app.fetch(new Request(url, postOf(body)), { address: "192.0.2.7" });
    const made = (await answer.json()) as Made;
    expect(told).toEqual([
      {
        requestId: answer.headers.get("x-keyward-request-id"),
        id: made.id,
        keyId,
        customer: "acme",
        expiresAtMs: NOW_MS + 600_000,
        by: "local",
        address: "192.0.2.7",
      },
    ]);
    const refused = await call(app, "/client-tokens", postOf({ ...body, models: [] }));
    expect([refused.status, told.length]).toEqual([400, 1]);
  });

  it("are never good for longer than their key, and not made under one that is over", async () => {
    const expiresAt = new Date(NOW_MS + 60_000).toISOString();
    const short = await createKey({ expiresAt });
    expect((await make({ key: short })).expiresAt).toBe(expiresAt);
    admin.nowMs = NOW_MS + 60_000;
    expect((await ask({ key: short })).status).toBe(409);
    await admin.post(`/keys/${keyId}/revoke`);
    expect((await ask()).status).toBe(409);
  });

  it("may do no more than their key, and every mistake is named at once", async () => {
    await admin.post("/customers", { externalId: "globex" });
    const key = await createKey({
      customer: "globex",
      allowedModels: ["gpt-4o"],
      allowedEndpoints: ["embeddings"],
    });
    const refused = await ask({ key, endpoints: ["chat/completions"] });
    const { problems } = (refused.body as { error: { problems: { param: string }[] } }).error;
    expect(problems.map(({ param }) => param)).toEqual(["customer", "models", "endpoints"]);
    const wrong = [
      { models: [] },
      { models: ["a", "a"] },
      { endpoints: ["files"] },
      { endpoints: ["batches"] },
      { expiresInSeconds: 3601 },
      { expiresInSeconds: 29 },
      { customer: "" },
      { limits: { requestsPerMinute: 0 } },
      { key: "key_01JZ6Y4V2S8W3N5R7T9X0B1C2D" },
      { models: Array.from({ length: 20 }, (_, i) => `${i}-${"m".repeat(200)}`) },
    ];
    for (const changes of wrong) {
      expect([changes, (await ask(changes)).status]).toEqual([changes, 400]);
    }
  });

  it("of a customer end together, in the order of changes and not by clocks; new ones are good at once", async () => {
    const [mine, other] = [await make(), await make({ customer: "globex" })];
    // A machine whose clock is an hour behind revokes them.
    admin.nowMs = NOW_MS - 3_600_000;
    const revoked = await admin.post("/client-tokens/revoke", { customer: "acme" });
    expect(revoked.body).toMatchObject({ customer: "acme", environment: null });
    admin.nowMs = NOW_MS;
    expect([await isGood(mine), await isGood(other)]).toEqual([false, true]);
    expect(await isGood(await make())).toBe(true);
    const { rows } = await admin.store.audit.list({ limit: 1 });
    expect(rows).toMatchObject([
      { action: "customer.clientTokensRevoked", target: { kind: "customer", id: "acme" } },
    ]);
  });

  it("of an environment end together, and another key signs the next", async () => {
    const development = await createKey({ environment: "development" });
    const [mine, other] = [await make(), await make({ key: development })];
    await admin.post("/client-tokens/revoke", { environment: "production" });
    const next = await make();
    const states = await Promise.all([mine, other, next].map(isGood));
    expect(states).toEqual([false, true, true]);
    expect(numberOf(mine)).toBe(0);
    expect(numberOf(next)).toBeGreaterThan(0);
  });

  it("are made by who has the permission, in the environment of the key; revoking a customer's takes all of them", async () => {
    const staging = await createKey({ environment: "staging" });
    const environment = await admin.store.environments.findByName("staging");
    const pages = tokenPrincipalOf(
      { kind: "token", id: "adm", name: "pages" },
      {
        role: null,
        permissions: ["client-tokens:write"],
        environments: [environment?.id as EnvironmentId],
      },
    );
    const app = admin.appWith({
      authenticator: { checksTokens: true, identify: () => Promise.resolve(pages) },
    });
    const body = { key: staging, customer: "acme", models: ["gpt-4o-mini"] };
    const statusOf = async (path: string, given: object) =>
      (await call(app, path, postOf(given))).status;
    expect(await statusOf("/client-tokens", body)).toBe(201);
    expect(await statusOf("/client-tokens", { ...body, key: keyId })).toBe(403);
    expect(await statusOf("/client-tokens/revoke", { environment: "staging" })).toBe(200);
    expect(await statusOf("/client-tokens/revoke", { customer: "acme" })).toBe(403);
    expect(await statusOf("/keys", { environment: "staging", name: "x" })).toBe(403);
  });

  it("that are reported end with every other of their customer, where the policy enforces", async () => {
    const [leaked, other] = [await make(), await make({ customer: "globex" })];
    const forged = `${leaked.token.slice(0, -1)}${leaked.token.endsWith("A") ? "B" : "A"}`;
    for (const key of [leaked.token, forged, other.token.slice(0, -3)]) {
      expect((await admin.post("/leaks", { key })).status).toBe(202);
    }
    expect([await isGood(leaked), await isGood(other)]).toEqual([false, true]);
    const { rows } = await admin.store.exposure.leaks.list({ limit: 10 });
    expect(rows).toMatchObject([
      { kind: "clientToken", subjectId: leaked.id, name: "acme", outcome: "revoked" },
    ]);
  });

  it("of environments that nobody has heard of make no key in the vault", async () => {
    const made = await make();
    // The first report of all makes the key of fingerprints.
    await admin.post("/leaks", { key: "anything" });
    const keysBefore = (await admin.store.vaultKeys.listDataKeys()).length;
    const body = made.token.slice("kwc_live_".length).split(".")[0] ?? "";
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
    for (const change of [{ n: admin.deps.ids.create("env") }, { g: 7 }]) {
      const altered = Buffer.from(JSON.stringify({ ...claims, ...change })).toString("base64url");
      await admin.post("/leaks", { key: `kwc_live_${altered}.${"A".repeat(43)}` });
    }
    expect(await admin.store.vaultKeys.listDataKeys()).toHaveLength(keysBefore);
  });
});
