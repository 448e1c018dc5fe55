import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";

describe("projects, environments and customers", () => {
  const admin = adminUnderTest();

  it("creates and lists projects, newest first", async () => {
    admin.nowMs += 1;
    const created = await admin.post("/projects", { name: "Support Bot" });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      id: expect.stringMatching(/^prj_/) as string,
      name: "Support Bot",
      createdAt: "2026-01-31T09:00:00.001Z",
    });
    const { body } = await admin.get("/projects");
    expect(body).toMatchObject({ data: [created.body, { name: "default" }], nextCursor: null });
    const refused = await admin.post("/projects", { name: "Support Bot" });
    expect(refused.status).toBe(409);
  });

  it("creates custom environments of one of three kinds", async () => {
    const created = await admin.post("/environments", { name: "preview", kind: "staging" });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ name: "preview", kind: "staging" });
    expect((await admin.get("/environments")).body).toMatchObject({ data: { length: 4 } });
    const wrong = await admin.post("/environments", { name: "Preview 2", kind: "test" });
    expect(wrong.body).toMatchObject({
      error: { problems: [{ param: "name" }, { param: "kind" }] },
    });
    expect(wrong.text).toContain("`development`, `staging`, `production`");
    expect((await admin.post("/environments", { name: "preview", kind: "staging" })).status).toBe(
      409,
    );
  });

  it("finds a customer by id and by any external id, whatever letters it has", async () => {
    for (const externalId of ["acme", "org/4711?x=1", "Müller & Söhne", "100%"]) {
      const created = await admin.post("/customers", { externalId, name: null });
      expect(created.status).toBe(201);
      expect(created.body).toMatchObject({ externalId, name: null });
      const { id } = created.body as { id: string };
      expect((await admin.get(`/customers/${id}`)).body).toEqual(created.body);
      const byExternalId = await admin.get(`/customers/${encodeURIComponent(externalId)}`);
      expect(byExternalId.body).toEqual(created.body);
      const typed = await admin.client.GET("/customers/{id}", {
        params: { path: { id: externalId } },
      });
      expect(typed.data).toEqual(created.body);
    }
    expect((await admin.get("/customers/nobody")).status).toBe(404);
    expect((await admin.get("/customers?limit=2")).body).toMatchObject({ data: { length: 2 } });
  });

  it("refuses a second customer of one external id", async () => {
    await admin.post("/customers", { externalId: "acme" });
    const refused = await admin.post("/customers", { externalId: " acme " });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ error: { param: "externalId" } });
  });

  it("refuses names that steer a terminal or pass for an id", async () => {
    const id = `cus_${"0".repeat(26)}`;
    for (const externalId of ["a\u001B[2J", "a\u202Eb", "a\nb", id, "", "x".repeat(257)]) {
      const refused = await admin.post("/customers", { externalId });
      expect(refused.body).toMatchObject({ error: { param: "externalId" } });
    }
  });

  it("refuses a cursor of another list, or none of ours", async () => {
    await admin.post("/projects", { name: "one" });
    const { body } = await admin.get("/projects?limit=1");
    const { nextCursor } = body as { nextCursor: string };
    expect(nextCursor).toEqual(expect.any(String));
    for (const path of [
      `/customers?cursor=${encodeURIComponent(nextCursor)}`,
      "/projects?cursor=nonsense",
      "/environments?cursor=e30",
      "/keys?cursor=%00",
      "/provider-keys?cursor=x",
      "/provider-accounts?cursor=x",
      "/prices?cursor=x",
      "/usage/events?cursor=x",
      "/usage/summary?groupBy=model&cursor=x",
      "/usage/summary?cursor=x",
    ]) {
      const refused = await admin.get(path);
      expect([path, refused.status]).toEqual([path, 400]);
      expect(refused.body).toMatchObject({ error: { code: "invalid_argument", param: "cursor" } });
    }
  });
});
