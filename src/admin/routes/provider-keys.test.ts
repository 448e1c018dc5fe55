import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { isId } from "../../core/ids/ids.ts";
import { expectData } from "../client.ts";

const secretOf = (letter: string) => ["sk", "proj", letter.repeat(40)].join("-");

describe("provider keys", () => {
  const admin = adminUnderTest();

  async function addAccount(kind: "personal" | "organization", name: string): Promise<string> {
    const body = { name, provider: "openai", kind };
    return expectData(await admin.client.POST("/provider-accounts", { body })).id;
  }

  function addKey(account: string, environment: string, secret: string) {
    return admin.post("/provider-keys", { accountId: account, environment, name: "main", secret });
  }

  it("seals the secret under the record's own id, version and environment", async () => {
    const account = await addAccount("organization", "openai-main");
    const secret = secretOf("a");
    const added = await addKey(account, "production", `  ${secret}\n`);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      account: "openai-main",
      environment: "production",
      preview: "sk-proj-…aaaa",
      version: 1,
      status: "active",
    });
    const { id } = added.body as { id: string };
    const record = isId("pky", id) ? await admin.store.providerKeys.findById(id) : undefined;
    if (record === undefined) throw new Error("the key is not in the store");
    const { environmentId, version, sealed } = record;
    const opened = await admin.vault.open(sealed, { environmentId, secretId: id, version });
    expect(opened).toBe(secret);
    await expect(
      admin.vault.open(sealed, { environmentId, secretId: id, version: 2 }),
    ).rejects.toThrow();
  });

  it("takes the account by name", async () => {
    await addAccount("organization", "openai-main");
    expect((await addKey("openai-main", "staging", secretOf("a"))).status).toBe(201);
  });

  it("refuses a personal account's key in production, custom environments of that kind included", async () => {
    const account = await addAccount("personal", "mine");
    await admin.post("/environments", { name: "eu-live", kind: "production" });
    for (const environment of ["production", "eu-live"]) {
      const refused = await addKey(account, environment, secretOf("a"));
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ error: { code: "conflict", param: "accountId" } });
      expect(refused.text).toContain("organization");
    }
    expect((await addKey(account, "staging", secretOf("a"))).status).toBe(201);
  });

  it("refuses an organization's admin key, and says why", async () => {
    await addAccount("organization", "openai-main");
    const adminKey = ["sk", "admin", "a".repeat(40)].join("-");
    const refused = await addKey("openai-main", "staging", adminKey);
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("this is an admin key");
    expect(refused.text).not.toContain(adminKey);
  });

  it("refuses a secret that is active in another environment, naming it and not the secret", async () => {
    const account = await addAccount("organization", "openai-main");
    const secret = secretOf("a");
    const first = await addKey(account, "development", secret);
    const refused = await addKey(account, "production", secret);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ error: { code: "conflict", param: "secret" } });
    expect(refused.text).toContain("`development`");
    expect(refused.text).not.toContain(secret);
    const { id } = first.body as { id: string };
    await admin.post(`/provider-keys/${id}/revoke`);
    expect((await addKey(account, "production", secret)).status).toBe(201);
  });

  it("accepts one of many requests that bring one secret at once", async () => {
    const account = await addAccount("organization", "openai-main");
    const environments = ["development", "staging", "production", "development", "staging"];
    const answers = await Promise.all(
      environments.map((environment) => addKey(account, environment, secretOf("a"))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  });

  it("refuses what is no provider's secret, without repeating it", async () => {
    const account = await addAccount("organization", "openai-main");
    const wrong = [
      "x".repeat(513),
      "with a space in it",
      "schlüssel-mit-umlaut",
      ["kw", "live", "x".repeat(49)].join("_"),
      ["kw", "admin", "x".repeat(49)].join("_"),
    ];
    for (const secret of wrong) {
      const refused = await addKey(account, "staging", secret);
      expect(refused.status).toBe(400);
      expect(refused.body).toMatchObject({ error: { param: "secret" } });
      expect(refused.text).not.toContain(secret);
    }
  });

  it("names an account and an environment that are not there, both at once", async () => {
    const refused = await addKey("nope", "prod", secretOf("a"));
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      error: { problems: [{ param: "accountId" }, { param: "environment" }] },
    });
  });

  it("lists by environment and account, revoked ones too", async () => {
    const one = await addAccount("organization", "one");
    const two = await addAccount("organization", "two");
    const added = await addKey(one, "staging", secretOf("a"));
    admin.nowMs += 1;
    await addKey(two, "staging", secretOf("b"));
    admin.nowMs += 1;
    await addKey(two, "production", secretOf("c"));
    await admin.post(`/provider-keys/${(added.body as { id: string }).id}/revoke`);
    const list = async (query: object) => {
      const page = await admin.client.GET("/provider-keys", { params: { query } });
      return expectData(page).data.map((key) => [key.account, key.environment, key.status]);
    };
    expect(await list({})).toEqual([
      ["two", "production", "active"],
      ["two", "staging", "active"],
      ["one", "staging", "revoked"],
    ]);
    expect(await list({ environment: "staging" })).toHaveLength(2);
    expect(await list({ accountId: "two", environment: "production" })).toHaveLength(1);
  });

  it("revokes once, and says the same when asked again", async () => {
    const account = await addAccount("organization", "one");
    const { id } = (await addKey(account, "staging", secretOf("a"))).body as { id: string };
    const first = await admin.post(`/provider-keys/${id}/revoke`);
    expect(first.body).toMatchObject({ status: "revoked", revokedAt: "2026-01-31T09:00:00.000Z" });
    admin.nowMs += 60_000;
    expect((await admin.post(`/provider-keys/${id}/revoke`)).body).toEqual(first.body);
    expect((await admin.get(`/provider-keys/${id}`)).body).toEqual(first.body);
    expect((await admin.get("/provider-keys/nope")).status).toBe(404);
  });
});
