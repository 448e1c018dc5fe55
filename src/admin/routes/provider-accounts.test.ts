import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";

describe("provider accounts", () => {
  const admin = adminUnderTest();
  const openai = { name: "openai-main", provider: "openai", kind: "organization" };

  it("adds an account and finds it by id and by name", async () => {
    const added = await admin.post("/provider-accounts", {
      ...openai,
      baseUrl: "https://eu.api.openai.com/v1/",
      organizationId: "org-1",
      projectId: "proj_1",
    });
    expect(added.status).toBe(201);
    expect(added.body).toEqual({
      id: expect.stringMatching(/^acc_/) as string,
      ...openai,
      baseUrl: "https://eu.api.openai.com/v1",
      organizationId: "org-1",
      projectId: "proj_1",
      createdAt: "2026-01-31T09:00:00.000Z",
    });
    const { id } = added.body as { id: string };
    expect((await admin.get(`/provider-accounts/${id}`)).body).toEqual(added.body);
    expect((await admin.get("/provider-accounts/openai-main")).body).toEqual(added.body);
    expect((await admin.get("/provider-accounts")).body).toEqual({
      data: [added.body],
      nextCursor: null,
    });
  });

  it("refuses a second account of one name", async () => {
    await admin.post("/provider-accounts", openai);
    const refused = await admin.post("/provider-accounts", openai);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ error: { code: "conflict", param: "name" } });
  });

  it("names the providers there are when one is not known", async () => {
    const refused = await admin.post("/provider-accounts", { ...openai, provider: "opnai" });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("`openai`, `openai-compatible`, `simulator`");
  });

  it("demands a base URL where the provider has none, except from the built-in simulator", async () => {
    const refused = await admin.post("/provider-accounts", {
      ...openai,
      provider: "openai-compatible",
    });
    expect(refused.body).toMatchObject({ error: { param: "baseUrl" } });
    const added = await admin.post("/provider-accounts", { ...openai, provider: "simulator" });
    expect(added.status).toBe(201);
  });

  it("refuses a base URL in a private network unless its host is allowed by name", async () => {
    const local = { ...openai, provider: "openai-compatible" };
    const refused = await admin.post("/provider-accounts", {
      ...local,
      baseUrl: "https://[::ffff:10.0.0.1]/v1",
    });
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ error: { param: "baseUrl" } });
    expect(refused.text).toContain("allowedPrivateHosts");
    const added = await admin.post("/provider-accounts", {
      ...local,
      baseUrl: "http://localhost:11434/v1",
    });
    expect(added.status).toBe(201);
  });

  it("refuses a name that another account's id could be mistaken for", async () => {
    const name = `acc_${"0".repeat(26)}`;
    const refused = await admin.post("/provider-accounts", { ...openai, name });
    expect(refused.body).toMatchObject({ error: { param: "name" } });
  });

  it("refuses what cannot stand in a header", async () => {
    const refused = await admin.post("/provider-accounts", { ...openai, organizationId: "a\r\nb" });
    expect(refused.body).toMatchObject({ error: { param: "organizationId" } });
  });
});
