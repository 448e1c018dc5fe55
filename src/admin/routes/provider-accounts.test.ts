import { describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";

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
      apiVersion: null,
      pricedAs: null,
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
    expect(refused.text).toContain("`openai`, `azure`, `anthropic`, `groq`");
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

  it("takes Azure's endpoint in the forms in which it is shown, and the version of its dated API", async () => {
    const azure = { name: "azure", provider: "azure", kind: "organization" };
    for (const path of ["", "/", "/openai", "/openai/v1/", "/openai/deployments/gpt-4o"]) {
      const added = await admin.post("/provider-accounts", {
        ...azure,
        name: `azure-${path.length}`,
        baseUrl: `https://my-resource.openai.azure.com${path}`,
        apiVersion: "2024-10-21",
      });
      expect(added.body).toMatchObject({
        baseUrl: "https://my-resource.openai.azure.com",
        apiVersion: "2024-10-21",
      });
    }
    const refused = await admin.post("/provider-accounts", { ...azure, apiVersion: "newest" });
    expect(refused.body).toMatchObject({ error: { param: "apiVersion" } });
    const homeless = await admin.post("/provider-accounts", azure);
    expect(homeless.text).toContain("https://my-resource.openai.azure.com");
  });

  it("refuses a field that means nothing to the provider, and says which do", async () => {
    const azure = { ...openai, provider: "azure", baseUrl: "https://r.openai.azure.com" };
    const refused = await admin.post("/provider-accounts", { ...azure, organizationId: "org-1" });
    expect(refused.body).toMatchObject({ error: { param: "organizationId" } });
    expect(refused.text).toContain("it takes `apiVersion`");
    const claude = { ...openai, provider: "anthropic", projectId: "p", apiVersion: "2024-10-21" };
    const both = await admin.post("/provider-accounts", claude);
    expect(both.body).toMatchObject({
      error: { problems: [{ param: "projectId" }, { param: "apiVersion" }] },
    });
  });

  it("needs no base URL of a provider it knows, but leave for one on this machine", async () => {
    for (const provider of ["anthropic", "groq", "mistral", "gemini", "openrouter", "ollama"]) {
      const added = await admin.post("/provider-accounts", { ...openai, name: provider, provider });
      expect([provider, added.status]).toEqual([provider, 201]);
    }
    const strict = admin.appWith({ allowedHosts: createAllowedHosts([]) });
    const refused = await call(
      strict,
      "/provider-accounts",
      postOf({ ...openai, name: "o", provider: "ollama" }),
    );
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("localhost:11434");
  });

  it("takes the name of a provider whose prices hold, and offers the nearest for a wrong one", async () => {
    const proxy = {
      ...openai,
      provider: "openai-compatible",
      baseUrl: "https://llm.example.com/v1",
    };
    const added = await admin.post("/provider-accounts", { ...proxy, pricedAs: "groq" });
    expect(added.body).toMatchObject({ pricedAs: "groq" });
    const refused = await admin.post("/provider-accounts", { ...proxy, pricedAs: "gorq" });
    expect(refused.body).toMatchObject({ error: { param: "pricedAs" } });
    const unlike = await admin.post("/provider-accounts", { ...proxy, pricedAs: "qqqqqqqq" });
    expect(JSON.stringify(unlike.body)).toContain("openrouter");
    expect(refused.text).toContain("did you mean `groq`?");
  });

  it("lists the providers with what an account of each needs", async () => {
    const { body } = await admin.get("/providers");
    const { data } = body as { data: { name: string }[] };
    expect(data.find(({ name }) => name === "azure")).toEqual({
      name: "azure",
      title: "Azure OpenAI",
      dialects: ["openai"],
      defaultBaseUrl: null,
      baseUrlExample: "https://my-resource.openai.azure.com",
      accountFields: ["apiVersion"],
      pricedAs: null,
      isFree: false,
    });
    expect(data.find(({ name }) => name === "gemini")).toMatchObject({ pricedAs: "google" });
    expect(data.find(({ name }) => name === "anthropic")).toMatchObject({
      dialects: ["anthropic"],
    });
  });

  it("refuses what cannot stand in a header", async () => {
    const refused = await admin.post("/provider-accounts", { ...openai, organizationId: "a\r\nb" });
    expect(refused.body).toMatchObject({ error: { param: "organizationId" } });
  });
});
