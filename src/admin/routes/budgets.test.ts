import { describe, expect, it, vi } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { Budget } from "../../core/budgets/budget.ts";
import { windowAt } from "../../core/budgets/periods.ts";
import { picos, PICOS_PER_USD } from "../../core/money/picos.ts";

const MONTHLY = { scope: { kind: "organization" }, limitUsd: "25.00", period: "month" };
const usd = (amount: number) => picos((BigInt(Math.round(amount * 100)) * PICOS_PER_USD) / 100n);

interface Answer {
  readonly id: string;
  readonly data: readonly Record<string, unknown>[];
}

describe("budgets", () => {
  const admin = adminUnderTest();
  const create = async (body: object) => admin.post("/budgets", body);
  const created = async (body: object) => (await create(body)).body as Answer;
  const send = async (method: string, path: string, body?: unknown) => {
    const init = {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    };
    const request = new Request(`http://keyward.test/api/v1${path}`, init);
    const response = await admin.app.fetch(request);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const spend = async (amount: number, change: object = {}) => {
    const intent = sampleIntent(admin.deps.ids, { startedAtMs: admin.nowMs, ...change });
    const event = sampleEvent(intent, { pricing: "priced", costPicos: usd(amount) });
    await admin.store.usage.insertBatch({ events: [event], refusals: [] });
  };

  it("are at most a thousand, and the refusal says what to do", async () => {
    const count = vi.spyOn(admin.store.budgets, "count").mockResolvedValue(999);
    expect((await create(MONTHLY)).status).toBe(201);
    count.mockResolvedValue(1000);
    const { status, body } = await create(MONTHLY);
    expect(status).toBe(409);
    expect(JSON.stringify(body)).toMatch(/1000 budgets already.*Archive one/);
    count.mockRestore();
  });

  it("are answered as they were created, with how they stand", async () => {
    const answer = await create({ ...MONTHLY, name: "all" });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^bud_/) as string,
      name: "all",
      scope: { kind: "organization", id: null, name: null },
      limitUsd: "25",
      period: "month",
      timezone: "UTC",
      anchor: null,
      measure: "cost",
      models: null,
      rollsOver: false,
      enforcement: "hard",
      onTightBudget: "refuse",
      state: "active",
      effectiveLimitUsd: "25",
      spentUsd: "0",
      heldUsd: "0",
      lostUsd: "0",
      remainingUsd: "25",
      refusedCalls: 0,
      spread: null,
      windowStartsAt: "2026-01-01T00:00:00.000Z",
      windowEndsAt: "2026-02-01T00:00:00.000Z",
      increases: [],
      pausedAt: null,
      archivedAt: null,
      createdBy: "local",
      createdAt: new Date(NOW_MS).toISOString(),
    });
    const { id } = answer.body as Answer;
    expect((await admin.get(`/budgets/${id}`)).body).toEqual(answer.body);
    expect((await admin.get("/budgets")).body).toEqual({ data: [answer.body], nextCursor: null });
  });

  it("count what calls have cost, also before they were created", async () => {
    await spend(3);
    const { id } = await created(MONTHLY);
    await spend(4.5);
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({
      spentUsd: "7.5",
      remainingUsd: "17.5",
      state: "active",
    });
    await spend(20);
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({
      spentUsd: "27.5",
      remainingUsd: "-2.5",
      state: "used_up",
    });
  });

  it("show what is held, apart from what is spent", async () => {
    const { id } = await created(MONTHLY);
    const budget = (await admin.store.budgets.findById(id as never)) as Budget;
    const key = { budget, subject: "", window: windowAt(budget, admin.nowMs) };
    const holder = admin.deps.ids.create("prc");
    const ask = { key, leastPicos: usd(1), needPicos: usd(2), extraPicos: usd(0) };
    await admin.store.budgets.lease({ holder, atMs: admin.nowMs, asks: [ask] });
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({
      spentUsd: "0",
      heldUsd: "2",
      lostUsd: "0",
      remainingUsd: "23",
    });
  });

  it("of each customer have a window for each, listed by `windows`", async () => {
    const answer = await created({ ...MONTHLY, scope: { kind: "customer" } });
    expect(answer).toMatchObject({ spentUsd: null, remainingUsd: null, windowStartsAt: null });
    await spend(1, { customer: "acme" });
    await spend(2, { customer: "zeta" });
    admin.nowMs = Date.UTC(2026, 1, 2);
    await spend(5, { customer: "acme" });
    const windows = async (query: string) =>
      ((await admin.get(`/budgets/${answer.id}/windows${query}`)).body as Answer).data.map(
        ({ subject, startsAt, spentUsd }) => [subject, String(startsAt).slice(0, 7), spentUsd],
      );
    expect(await windows("")).toEqual([
      ["acme", "2026-02", "5"],
      ["zeta", "2026-01", "2"],
      ["acme", "2026-01", "1"],
    ]);
    expect(await windows("?current=true")).toEqual([["acme", "2026-02", "5"]]);
    expect(await windows("?subject=zeta")).toEqual([["zeta", "2026-01", "2"]]);
  });

  it("change their limit, are paused, resumed and archived; a name can be taken away", async () => {
    const { id } = await created({ ...MONTHLY, name: "all" });
    const changed = await send("PATCH", `/budgets/${id}`, {
      limitUsd: "30",
      enforcement: "soft",
      onTightBudget: "clamp",
      name: null,
    });
    const now = { limitUsd: "30", enforcement: "soft", onTightBudget: "clamp", name: null };
    expect(changed).toMatchObject({ status: 200, body: now });
    const since = new Date(NOW_MS).toISOString();
    const paused = await send("POST", `/budgets/${id}/pause`, {});
    expect(paused.body).toMatchObject({ state: "paused", pausedAt: since });
    admin.nowMs += 1000;
    expect((await send("POST", `/budgets/${id}/pause`, {})).body).toMatchObject({
      pausedAt: since,
    });
    const resumed = await send("POST", `/budgets/${id}/resume`, {});
    expect(resumed.body).toMatchObject({ state: "active", pausedAt: null });
    const archived = await send("DELETE", `/budgets/${id}`);
    expect(archived).toMatchObject({ status: 200, body: { state: "archived" } });
    for (const [method, verb, body] of [
      ["PATCH", "", { limitUsd: "1" }],
      ["POST", "/pause", {}],
      ["POST", "/resume", {}],
      ["POST", "/increases", { amountUsd: "1", until: "2026-03-01" }],
      ["DELETE", "", undefined],
    ] as const) {
      const refused = await send(method, `/budgets/${id}${verb}`, body);
      expect(refused, `${method} ${verb}`).toMatchObject({ status: 409 });
    }
    expect((await admin.get("/budgets")).body).toMatchObject({ data: [] });
    expect((await admin.get("/budgets?archived=true")).body).toMatchObject({ data: [{ id }] });
  });

  it("are raised until an instant, and back again after it", async () => {
    const { id } = await created(MONTHLY);
    const raised = await send("POST", `/budgets/${id}/increases`, {
      amountUsd: "10",
      until: "2026-01-31T12:00:00Z",
      reason: "launch",
    });
    expect(raised).toMatchObject({
      status: 201,
      body: {
        limitUsd: "25",
        effectiveLimitUsd: "35",
        increases: [{ amountUsd: "10", reason: "launch", until: "2026-01-31T12:00:00.000Z" }],
      },
    });
    admin.nowMs = Date.UTC(2026, 0, 31, 12);
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({
      effectiveLimitUsd: "25",
      increases: [],
    });
    const late = await send("POST", `/budgets/${id}/increases`, {
      amountUsd: "10",
      until: "2026-01-31T12:00:00Z",
    });
    expect(late).toMatchObject({ status: 400, body: { error: { param: "until" } } });
  });

  it("are raised no longer when an increase is taken back, whatever was spent of it meanwhile", async () => {
    const { id } = await created(MONTHLY);
    const raise = async (amountUsd: string) => {
      const body = { amountUsd, until: "2026-03-01T00:00:00Z" };
      const raised = await send("POST", `/budgets/${id}/increases`, body);
      return (raised.body["increases"] as { id: string }[]).at(-1)?.id ?? "";
    };
    const [large, small] = [await raise("50"), await raise("1")];
    await spend(40);
    const before = await admin.store.changes.latestSequence();
    const lowered = await send("DELETE", `/budgets/${id}/increases/${large}`);
    expect(lowered).toMatchObject({
      status: 200,
      body: {
        effectiveLimitUsd: "26",
        remainingUsd: "-14",
        state: "used_up",
        increases: [{ id: small }],
      },
    });
    expect(await admin.store.changes.latestSequence()).toBeGreaterThan(before);
    const [entry] = (await admin.store.audit.list({ limit: 1 }, {})).rows;
    expect(entry).toMatchObject({ action: "budget.lowered", target: { id } });
    const again = await send("DELETE", `/budgets/${id}/increases/${large}`);
    expect(again).toMatchObject({ status: 409 });
    const { id: other } = await created(MONTHLY);
    for (const path of [`${id}/increases/inc_x`, `${other}/increases/${small}`]) {
      const missing = await send("DELETE", `/budgets/${path}`);
      expect(missing).toMatchObject({ status: 404, body: { error: { param: "increaseId" } } });
    }
    await send("DELETE", `/budgets/${id}`);
    expect(await send("DELETE", `/budgets/${id}/increases/${small}`)).toMatchObject({
      status: 409,
    });
  });

  it("for each customer say how they stand, the fullest first", async () => {
    const { id } = await created({ ...MONTHLY, scope: { kind: "customer" }, limitUsd: "10" });
    for (const [customer, amount] of [
      ["a", 1],
      ["b", 8],
      ["c", 10],
      ["d", 7.99],
    ] as const) {
      await spend(amount, { customer });
    }
    const spread = { subjects: 4, near: 2, usedUp: 1 };
    expect((await admin.get("/budgets")).body).toMatchObject({ data: [{ id, spread }] });
    const path = `/budgets/${id}/windows?order=fullest&limit=3`;
    const first = (await admin.get(path)).body as Answer & { readonly nextCursor: string };
    expect(first.data.map(({ subject }) => subject)).toEqual(["c", "b", "d"]);
    const second = (await admin.get(`${path}&cursor=${first.nextCursor}`)).body as Answer;
    expect(second).toMatchObject({ data: [{ subject: "a" }], nextCursor: null });
    const both = await admin.get(`${path}&subject=a`);
    expect(both).toMatchObject({ status: 400, body: { error: { param: "subject" } } });
  });

  it("say how many calls each period has refused", async () => {
    const { id } = await created(MONTHLY);
    const budget = await admin.store.budgets.findById(id as Budget["id"]);
    if (budget === undefined) throw new Error("it was created");
    await spend(25);
    const [window] = (await admin.store.budgets.listWindows({ limit: 1 }, { budgetId: budget.id }))
      .rows;
    const hourMs = windowAt({ period: "hour", timeZone: "UTC", anchor: null }, NOW_MS).startsAtMs;
    const by = { gatewayKeyId: null, customer: null, budgetWindowId: window?.id };
    const refusal = { hourMs, code: "insufficient_quota", ...by, count: 3 };
    await admin.store.usage.insertBatch({ events: [], refusals: [refusal] });
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({ refusedCalls: 3 });
    const { body } = await admin.get(`/budgets/${id}/windows`);
    expect(body).toMatchObject({ data: [{ refusedCalls: 3 }] });
  });

  it("carry over what the last period left, before a call has come in this one", async () => {
    const { id } = await created({ ...MONTHLY, period: "day", rollsOver: true });
    await spend(5);
    admin.nowMs += 86_400_000;
    expect((await admin.get(`/budgets/${id}`)).body).toMatchObject({
      limitUsd: "25",
      effectiveLimitUsd: "45",
      remainingUsd: "45",
    });
  });

  it("are found by their scope, by name as well as by id", async () => {
    const environment = await created({
      ...MONTHLY,
      scope: { kind: "environment", id: "production" },
    });
    expect(environment).toMatchObject({ scope: { name: "production" } });
    await admin.post("/customers", { externalId: "acme" });
    await created({ ...MONTHLY, scope: { kind: "customer", id: "acme" } });
    const listed = async (query: string) =>
      ((await admin.get(`/budgets?${query}`)).body as Answer).data.map(({ id }) => id);
    expect(await listed("scopeKind=environment&scopeId=production")).toEqual([environment.id]);
    expect(await listed("scopeKind=environment")).toEqual([environment.id]);
    expect(await listed("scopeKind=customer&scopeId=acme")).toHaveLength(1);
    expect(await admin.get("/budgets?scopeKind=customer&scopeId=no")).toMatchObject({
      status: 400,
    });
    expect(await admin.get("/budgets?scopeId=acme")).toMatchObject({ status: 400 });
  });

  const REFUSED: readonly (readonly [body: object, param: string, message: string])[] = [
    [{ ...MONTHLY, limit: "1" }, "limit", "did you mean `limitUsd`?"],
    [{ ...MONTHLY, limitUsd: 25 }, "limitUsd", "must be"],
    [{ ...MONTHLY, limitUsd: "-1" }, "limitUsd", "from 0"],
    [{ ...MONTHLY, limitUsd: "0.0000000000001" }, "limitUsd", "12 decimals"],
    [{ ...MONTHLY, limitUsd: "2000000000" }, "limitUsd", "up to 1000000000"],
    [{ ...MONTHLY, period: "year" }, "period", "must be one of"],
    [{ ...MONTHLY, timezone: "Europe/Berln" }, "timezone", "Europe/Berlin"],
    [{ ...MONTHLY, anchor: "2026-02-30T00:00" }, "anchor", "a day that the calendar has"],
    [{ ...MONTHLY, models: ["gpt*4"] }, "models.0", "`*` at its end"],
    [{ ...MONTHLY, models: [] }, "models", "at least 1"],
    [{ ...MONTHLY, scope: { kind: "organization", id: "x" } }, "scope.id", "takes no `id`"],
    [{ ...MONTHLY, scope: { kind: "tenant" } }, "scope.kind", "must be one of"],
    [{ ...MONTHLY, scope: { kind: "environment", id: "prod" } }, "scope.id", "did you mean"],
    [{ ...MONTHLY, scope: { kind: "project", id: "no" } }, "scope.id", "no project"],
    [{ ...MONTHLY, scope: { kind: "key", id: "no" } }, "scope.id", "no gateway key"],
    [
      { ...MONTHLY, scope: { kind: "providerAccount", id: "no" } },
      "scope.id",
      "no provider account",
    ],
  ];

  it("are refused with what is wrong, by the field's name", async () => {
    for (const [body, param, message] of REFUSED) {
      const refused = await create(body);
      expect(refused, param).toMatchObject({ status: 400, body: { error: { param } } });
      expect(refused.text).toContain(message);
    }
  });

  it("are not found where there are none", async () => {
    expect(await admin.get("/budgets/bud_nothing")).toMatchObject({ status: 404 });
    expect(await admin.get("/budgets/bud_nothing/windows")).toMatchObject({ status: 404 });
    expect(await send("DELETE", "/budgets/bud_nothing")).toMatchObject({ status: 404 });
  });
});
