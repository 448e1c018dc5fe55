import { describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { hashGatewayKey, parseGatewayKey } from "../../core/keys/gateway-key.ts";
import { expectData } from "../client.ts";

describe("keys", () => {
  const admin = adminUnderTest();

  it("issues a key of the environment's kind and shows it this once", async () => {
    const issued = await admin.post("/keys", { environment: "production", name: " bot " });
    expect(issued.status).toBe(201);
    const { key, id, ...rest } = issued.body as { key: string; id: string };
    expect(parseGatewayKey(key)).toEqual({ environmentKind: "production" });
    expect(rest).toMatchObject({
      name: "bot",
      project: "default",
      environment: "production",
      customer: null,
      allowedModels: null,
      status: "active",
      preview: `kw_live_…${key.slice(-4)}`,
      createdAt: "2026-01-31T09:00:00.000Z",
      expiresAt: null,
      revokedAt: null,
    });
    const hash = hashGatewayKey(key);
    expect(await admin.store.gatewayKeys.findByHash(hash)).toMatchObject({ id });
    for (const path of ["/keys", `/keys/${id}`]) {
      const { text } = await admin.get(path);
      expect(text).toContain(id);
      expect(text).not.toContain(key);
      expect(text).not.toContain(hash);
    }
  });

  it("binds a key to a project, a customer, a date and models", async () => {
    await admin.post("/projects", { name: "support" });
    const customer = await admin.post("/customers", { externalId: "acme" });
    const { id: customerId } = customer.body as { id: string };
    const issued = await admin.post("/keys", {
      environment: "staging",
      name: "bot",
      project: "support",
      customer: customerId,
      expiresAt: "2026-02-01T00:00:00+01:00",
      allowedModels: ["gpt-4o-mini"],
    });
    expect(issued.body).toMatchObject({
      project: "support",
      customer: "acme",
      customerId,
      expiresAt: "2026-01-31T23:00:00.000Z",
      allowedModels: ["gpt-4o-mini"],
    });
  });

  it("refuses a control character in a reference, which Postgres would fail to compare", async () => {
    const refused = await admin.post("/keys", { environment: "staging\u0000", name: "bot" });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("`environment` must not contain control characters");
  });

  it("names the environments there are to a request whose environment is like none of them", async () => {
    const refused = await admin.post("/keys", { environment: "moon", name: "bot" });
    expect(refused.status).toBe(400);
    const { error } = refused.body as { error: { message: string } };
    for (const name of ["development", "staging", "production"]) {
      expect(error.message).toContain(`\`${name}\``);
    }
  });

  it("names everything that is wrong with a request at once", async () => {
    const refused = await admin.post("/keys", {
      environment: "prod",
      name: "bot",
      project: "nope",
      customer: "acme",
      expiresAt: "2026-01-31T09:00:00Z",
    });
    expect(refused.status).toBe(400);
    const { error } = refused.body as { error: { message: string; problems: { param: string }[] } };
    expect(error.problems.map(({ param }) => param)).toEqual([
      "environment",
      "project",
      "customer",
      "expiresAt",
    ]);
    expect(error.message).toContain("did you mean `production`?");
    expect(error.message).toContain("keyward customers create");
    expect(error.message).toContain("keyward projects create");
    expect((await admin.store.gatewayKeys.list({ limit: 1 })).rows).toEqual([]);
  });

  it("refuses fields of later versions by name", async () => {
    const refused = await admin.post("/keys", { environment: "staging", name: "bot", limits: {} });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({
      error: { code: "invalid_argument", type: "invalid_request_error", param: "limits" },
    });
  });

  it("revokes for good, and says the same when asked again", async () => {
    const issued = await admin.post("/keys", { environment: "staging", name: "bot" });
    const { id } = issued.body as { id: string };
    const first = await admin.post(`/keys/${id}/revoke`);
    expect(first.body).toMatchObject({ status: "revoked", revokedAt: "2026-01-31T09:00:00.000Z" });
    admin.nowMs += 60_000;
    const second = await admin.post(`/keys/${id}/revoke`, {});
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect((await admin.post(`/keys/${id}/revoke`, { mode: "x" })).body).toMatchObject({
      error: { param: "mode" },
    });
  });

  it("calls a key expired from its very instant on", async () => {
    const expiresAt = new Date(NOW_MS + 1000).toISOString();
    const issued = await admin.post("/keys", { environment: "staging", name: "bot", expiresAt });
    const { id } = issued.body as { id: string };
    admin.nowMs = NOW_MS + 999;
    expect((await admin.get(`/keys/${id}`)).body).toMatchObject({ status: "active" });
    admin.nowMs = NOW_MS + 1000;
    expect((await admin.get(`/keys/${id}`)).body).toMatchObject({ status: "expired" });
  });

  it("lists newest first, to the end, by environment, project and customer", async () => {
    await admin.post("/customers", { externalId: "acme" });
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      admin.nowMs += 1;
      const body = {
        environment: index % 2 === 0 ? "staging" : "production",
        name: `key ${index}`,
      };
      const issued = await admin.post("/keys", index === 3 ? { ...body, customer: "acme" } : body);
      ids.unshift((issued.body as { id: string }).id);
    }
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 3, ...(cursor === undefined ? {} : { cursor }) };
      const page = expectData(await admin.client.GET("/keys", { params: { query } }));
      expect(page.data.length).toBeLessThanOrEqual(3);
      listed.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual(ids);
    const namesOf = async (query: object) => {
      const page = expectData(await admin.client.GET("/keys", { params: { query } }));
      return page.data.map(({ name }) => name);
    };
    expect(await namesOf({ environment: "production" })).toEqual(["key 5", "key 3", "key 1"]);
    expect(await namesOf({ customer: "acme", project: "default" })).toEqual(["key 3"]);
  });

  it("refuses filters that name nothing", async () => {
    const refused = await admin.get("/keys?environment=prod&project=x&customer=y");
    expect(refused.status).toBe(400);
    expect((refused.body as { error: { problems: unknown[] } }).error.problems).toHaveLength(3);
  });

  it("answers 404 for an id that is none, unknown, or of another kind", async () => {
    const environment = await admin.store.environments.findByName("staging");
    for (const id of ["x", "key_01JZ6Y4V2S8W3N5R7T9X0B1C2D", environment?.id, "a%2Fb"]) {
      for (const answer of [
        await admin.get(`/keys/${id}`),
        await admin.post(`/keys/${id}/revoke`),
      ]) {
        expect(answer.status).toBe(404);
        expect(answer.body).toMatchObject({ error: { code: "not_found" } });
      }
    }
  });
});
