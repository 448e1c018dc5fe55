import { describe, expect, it } from "vitest";
import { adminUnderTest, call } from "../../../test/support/admin-under-test.ts";
import type { LimitId, ProcessId } from "../../core/ids/ids.ts";

interface LimitBody {
  readonly id: LimitId;
  readonly scope: { readonly kind: string; readonly id: string | null; readonly name: unknown };
  readonly requestsPerMinute: number | null;
  readonly uses: readonly unknown[];
}

const problems = ({ body }: { readonly body: unknown }) =>
  (body as { error: { message: string } }).error.message;
const limitOf = (answer: { readonly body: unknown }) => answer.body as LimitBody;

describe("limits", () => {
  const admin = adminUnderTest();

  const create = (scope: object, amounts: object = { requestsPerMinute: 60 }) =>
    admin.post("/limits", { scope, ...amounts });
  const patch = (id: string, body: object) =>
    call(admin.app, `/limits/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  it("are made for what a scope names by name or id, or for each one of a kind", async () => {
    await admin.post("/customers", { externalId: "acme" });
    await admin.post("/provider-accounts", { name: "eu", provider: "openai", kind: "personal" });
    const key = await admin.post("/keys", { environment: "staging", name: "bot" });
    const { id: keyId } = key.body as { id: string };
    const scopes = [
      { kind: "organization" },
      { kind: "project", id: "default" },
      { kind: "environment", id: "production" },
      { kind: "key", id: keyId },
      { kind: "customer", id: "acme" },
      { kind: "feature", id: "voice-agent" },
      { kind: "providerAccount", id: "eu" },
      { kind: "customer", id: null },
    ];
    const made = [];
    for (const scope of scopes) made.push(limitOf(await create(scope)).scope);
    expect(made.map(({ name }) => name)).toEqual([
      null,
      "default",
      "production",
      "bot",
      null,
      null,
      "eu",
      null,
    ]);
    expect(made[1]?.id).toMatch(/^prj_/);
    expect([made[4]?.id, made[7]?.id]).toEqual(["acme", null]);
    const all = await admin.get("/limits");
    expect((all.body as { data: unknown[] }).data).toHaveLength(scopes.length);
    const ofAcme = await admin.get("/limits?scopeKind=customer&scopeId=acme");
    expect((ofAcme.body as { data: unknown[] }).data).toHaveLength(1);
  });

  it("are refused where they limit nothing, nobody, or by no amount", async () => {
    const refused = [
      await create({ kind: "organization" }, {}),
      await create({ kind: "organization" }, { requestsPerMinute: null }),
      await create({ kind: "organization", id: "x" }),
      await create({ kind: "customer", id: "nobody" }),
      await create({ kind: "key", id: "bot" }),
      await create({ kind: "team" }),
      await create({ kind: "organization" }, { requestsPerMinute: 0 }),
      await create({ kind: "organization" }, { concurrency: 1.5 }),
      await create({ kind: "organization" }, { tokensPerMinute: 1e15 }),
      await create({ kind: "organization" }, { requests: 5 }),
      await create({ kind: "feature", id: "x".repeat(129) }),
      await admin.get("/limits?scopeId=acme"),
      await admin.get("/limits?scopeKind=customer&scopeId=nobody"),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 400));
    expect(problems(await create({ kind: "customer", id: "nobody" }, {}))).toMatch(
      /no customer[^]*must limit something/,
    );
    expect((await admin.get("/limits")).body).toEqual({ data: [], nextCursor: null });
  });

  it("are refused where there is one for the scope, and name that", async () => {
    const { id } = limitOf(await create({ kind: "customer" }));
    const again = await create({ kind: "customer" }, { concurrency: 5 });
    expect([again.status, problems(again)]).toEqual([409, expect.stringContaining(id)]);
    await admin.post("/customers", { externalId: "acme" });
    expect((await create({ kind: "customer", id: "acme" })).status).toBe(201);
    expect((await create({ kind: "customer", id: "acme" })).status).toBe(409);
    expect((await create({ kind: "feature" })).status).toBe(201);
  });

  it("are for a key by its name, where that is only one's", async () => {
    const body = { environment: "staging", name: "bot" };
    const { id } = (await admin.post("/keys", body)).body as { id: string };
    await admin.post("/keys", { ...body, name: "bot-2" });
    expect(limitOf(await create({ kind: "key", id: "bot" })).scope).toMatchObject({ id });
    await admin.post("/keys", { ...body, name: "bot-2" });
    const ambiguous = await create({ kind: "key", id: "bot-2" });
    expect([ambiguous.status, problems(ambiguous)]).toEqual([
      400,
      expect.stringContaining("several of that name"),
    ]);
  });

  it("are changed amount by amount, and keep at least one", async () => {
    const { id } = limitOf(await create({ kind: "organization" }, { concurrency: 5 }));
    const changed = await patch(id, { requestsPerMinute: 10, concurrency: null });
    expect(changed.body).toMatchObject({ requestsPerMinute: 10, concurrency: null });
    expect((await patch(id, { requestsPerMinute: null })).status).toBe(400);
    expect((await patch(id, { scope: { kind: "key" } })).status).toBe(400);
    expect((await admin.get(`/limits/${id}`)).body).toMatchObject({ requestsPerMinute: 10 });
    expect((await call(admin.app, `/limits/${id}`, { method: "DELETE" })).status).toBe(200);
    expect((await call(admin.app, `/limits/${id}`, { method: "DELETE" })).status).toBe(404);
    expect([(await patch(id, {})).status, (await admin.get("/limits/x")).status]).toEqual([
      404, 404,
    ]);
  });

  it("show what counts now: of the last minute, and of processes that run", async () => {
    const { id } = limitOf(await create({ kind: "customer" }));
    const processId = admin.deps.ids.create("prc") as ProcessId;
    await admin.store.processes.register({
      id: processId,
      dataDirectoryId: admin.deps.ids.create("dir"),
      hostName: "h",
      pid: 1,
      version: "1",
    });
    const { nowMs } = admin;
    const keys = ["acme", "old"].map((subject) => ({ limitId: id, subject }));
    await admin.store.limitUses.change(keys, () => [
      {
        limitId: id,
        subject: "acme",
        requests: [
          { atMs: nowMs - 60_001, amount: 5 },
          { atMs: nowMs - 60_000, amount: 3 },
          { atMs: nowMs + 9_000, amount: 4 },
        ],
        tokens: [{ atMs: nowMs, amount: 70 }],
        slots: { [processId]: { held: 3, inFlight: 2 }, prc_gone: { held: 9, inFlight: 9 } },
      },
      {
        limitId: id,
        subject: "old",
        requests: [{ atMs: nowMs - 60_001, amount: 5 }],
        tokens: [],
        slots: {},
      },
    ]);
    expect(limitOf(await admin.get(`/limits/${id}`)).uses).toEqual([
      {
        subject: "acme",
        name: null,
        requests: 3,
        requestsSetAside: 4,
        tokens: 70,
        tokensSetAside: 0,
        callsInFlight: 2,
        slotsSetAside: 1,
      },
    ]);
  });

  it("are made with a key, or not at all", async () => {
    const body = { environment: "staging", name: "bot" };
    const made = await admin.post("/keys", { ...body, limits: { tokensPerMinute: 500 } });
    const { id, limit } = made.body as { id: string; limit: LimitBody };
    expect(limit).toMatchObject({ tokensPerMinute: 500, requestsPerMinute: null });
    expect(limitOf(await admin.get(`/limits/${limit.id}`)).scope).toEqual({
      kind: "key",
      id,
      name: "bot",
    });
    expect((await admin.post("/keys", { ...body, limits: {} })).status).toBe(400);
    expect((await admin.post("/keys", body)).body).toMatchObject({ limit: null });
    expect(((await admin.get("/keys")).body as { data: unknown[] }).data).toHaveLength(2);
  });
});
