import { describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { createTokenAuthenticator } from "../authenticator.ts";

const EVENTS = 5_000;

describe("usage export", { timeout: 30_000 }, () => {
  const admin = adminUnderTest();

  async function insertEvents(count: number, change: Partial<UsageEvent> = {}): Promise<void> {
    const events = Array.from({ length: count }, (_, index) =>
      sampleEvent(sampleIntent(admin.deps.ids, { startedAtMs: NOW_MS + index, ...change }), change),
    );
    for (let from = 0; from < events.length; from += 1000) {
      const batch = events.slice(from, from + 1000);
      await admin.store.usage.insertBatch({ events: batch, refusals: [] });
    }
  }

  it("has every one of 5,000 events once as JSON lines, equal to the list's", async () => {
    await insertEvents(EVENTS);
    const answer = await admin.get("/usage/events/export?format=jsonl");
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
    expect(answer.headers.get("content-disposition")).toBe(
      'attachment; filename="usage-events.jsonl"',
    );
    expect(answer.text.endsWith("\n")).toBe(true);
    const rows = answer.text.trimEnd().split("\n");
    const events = rows.map((row) => JSON.parse(row) as { id: string });
    expect(new Set(events.map(({ id }) => id)).size).toBe(EVENTS);
    const { body } = await admin.get("/usage/events?limit=1");
    expect(events[0]).toEqual((body as { data: unknown[] }).data[0]);
  });

  it("reads a page only when its reader asks for one", async () => {
    await insertEvents(EVENTS);
    let pages = 0;
    const { store } = admin.deps;
    const usage = new Proxy(store.usage, {
      get(target, name) {
        if (name === "listEvents") pages += 1;
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    const counted = new Proxy(store, {
      get: (target, name) => (name === "usage" ? usage : (Reflect.get(target, name) as unknown)),
    });
    const app = admin.appWith({ store: counted });
    const url = "http://keyward.test/api/v1/usage/events/export?format=csv";
    const { body } = await app.fetch(new Request(url));
    if (body === null) throw new Error("the export has no body");
    const reader = body.getReader();
    expect(pages).toBe(1);
    await reader.read();
    expect(pages).toBe(1);
    await reader.read();
    expect(pages).toBe(2);
    await reader.cancel();
    expect(pages).toBe(2);
  });

  it("writes CSV by RFC 4180, with names from callers that can be no formula", async () => {
    await insertEvents(1, {
      customer: '=HYPERLINK("http://evil.example","x")',
      feature: "a,b",
      servedModel: "@SUM(A1)",
      serviceTier: null,
    });
    const { text, headers } = await admin.get("/usage/events/export");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    const [head, row, rest] = text.split("\r\n");
    expect(rest).toBe("");
    expect(head).toMatch(/^id,requestId,attempt,startedAt,status,/);
    expect(row).toContain(`,"'=HYPERLINK(""http://evil.example"",""x"")","a,b",`);
    expect(row).toContain(",'@SUM(A1),,,reported,");
    expect(row?.split(",").length).toBeGreaterThan(30);
  });

  it("is a head alone, or nothing, when no event matches", async () => {
    expect((await admin.get("/usage/events/export?format=jsonl")).text).toBe("");
    const { text } = await admin.get("/usage/events/export?customer=nobody");
    expect(text.split("\r\n")).toHaveLength(2);
  });

  it("filters as the list does, and refuses what the list refuses", async () => {
    await insertEvents(3, { customer: "acme" });
    await insertEvents(2, { customer: "globex" });
    const { text } = await admin.get("/usage/events/export?format=jsonl&customer=globex");
    expect(text.trimEnd().split("\n")).toHaveLength(2);
    const refused = await admin.get("/usage/events/export?format=xlsx&limit=5&environment=x");
    expect(refused.body).toMatchObject({
      error: { problems: [{ param: "format" }, { param: "limit" }] },
    });
  });

  it("breaks off when the token that asked for it is revoked, before it has told more", async () => {
    await insertEvents(600);
    const made = await admin.post("/admin-tokens", { name: "t", role: "viewer" });
    const { id, token } = made.body as { id: string; token: string };
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        adminTokens: admin.store.adminTokens,
        nowMs: () => admin.nowMs,
      }),
    });
    const url = "http://keyward.test/api/v1/usage/events/export?format=jsonl";
    const headers = { authorization: `Bearer ${token}` };
    const { body } = await app.fetch(new Request(url, { headers }));
    const reader = body?.getReader();
    expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
    await admin.post(`/admin-tokens/${id}/revoke`);
    await expect(reader?.read()).rejects.toThrow("may not have it any more");
  });

  it("breaks off audibly when a page cannot be read, and tells the log why", async () => {
    await insertEvents(600);
    const url = "http://keyward.test/api/v1/usage/events/export?format=jsonl";
    const { body } = await admin.app.fetch(new Request(url));
    const reader = body?.getReader();
    await reader?.read();
    await admin.store.close();
    await expect(reader?.read()).rejects.toThrow("broke off");
    expect(admin.faults.splice(0)).toMatchObject([
      { code: "internal_error", path: "/api/v1/usage/events/export" },
    ]);
  });
});
