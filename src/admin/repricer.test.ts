import { describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../test/support/admin-under-test.ts";
import { sampleEvent, sampleIntent } from "../../test/support/sample-calls.ts";
import type { ProviderAccountId } from "../core/ids/ids.ts";
import { formatUsd, parseUsd, picos } from "../core/money/picos.ts";
import type { UsageEvent } from "../core/usage/usage-event.ts";
import { expectData } from "./client.ts";

const HOUR_MS = 3_600_000;
const FROM = new Date(NOW_MS - 24 * HOUR_MS).toISOString();
const TO = new Date(NOW_MS).toISOString();

interface Change {
  readonly startedAtMs?: number;
  readonly provider?: string;
  readonly providerAccountId?: ProviderAccountId | null;
  readonly requestedModel?: string;
}

const add = (amounts: readonly (string | null)[]) =>
  formatUsd(picos(amounts.reduce((sum, usd) => sum + (parseUsd(usd ?? "0") ?? 0n), 0n)));

describe("pricing past calls again", () => {
  const admin = adminUnderTest();

  /** Calls of gpt-4o-mini with a million input tokens each, as the data plane would have settled them. */
  async function insertCall(change: Partial<UsageEvent> & Change = {}): Promise<UsageEvent> {
    const { ids } = admin.deps;
    const intent = sampleIntent(ids, {
      startedAtMs: NOW_MS - HOUR_MS,
      providerAccountId: null,
      ...change,
    });
    const event = sampleEvent(intent, {
      quantities: { input: 1_000_000 },
      costPicos: parseUsd("0.15") ?? null,
      priceRowId: "openai/gpt-4o-mini/default@1970-01-01",
      ...change,
    });
    await admin.store.usage.insertBatch({ events: [event], refusals: [] });
    return event;
  }

  async function reprice(more: object = {}) {
    const answer = await admin.post("/usage/reprice", { from: FROM, to: TO, ...more });
    expect(answer.status).toBe(200);
    return answer.body as Record<string, unknown>;
  }

  const override = (usd: string, more: object = {}) =>
    admin.post("/price-overrides", {
      provider: "openai",
      model: "gpt-4o-mini",
      usdPerMillionTokens: { input: usd },
      validFrom: FROM,
      ...more,
    });

  /** The three figures that must be one: the rows, what the events say, and the summary. */
  async function sums() {
    const { data } = expectData(
      await admin.client.GET("/usage/events", { params: { query: { limit: 1000 } } }),
    );
    const listed = expectData(
      await admin.client.GET("/usage/corrections", { params: { query: { limit: 1000 } } }),
    ).data;
    const summary = expectData(
      await admin.client.GET("/usage/summary", { params: { query: { groupBy: "model" } } }),
    );
    return {
      rows: add([
        ...data.map(({ costUsd }) => costUsd),
        ...listed.map(({ differenceUsd }) => differenceUsd),
      ]),
      events: add(data.map(({ correctedCostUsd, costUsd }) => correctedCostUsd ?? costUsd)),
      summary: add(summary.data.map(({ costUsd }) => costUsd)),
      unpriced: summary.data.reduce((sum, { unpricedCalls }) => sum + unpricedCalls, 0),
    };
  }

  it("writes a correction for each difference, and leaves the event as it is", async () => {
    const event = await insertCall();
    const created = (await override("0.1")).body as { id: string };
    expect(await reprice()).toEqual({
      examined: 1,
      corrected: 1,
      newlyPriced: 0,
      unchanged: 0,
      withoutPrice: 0,
      notPriceable: 0,
      differenceUsd: "-0.05",
      nextCursor: null,
    });
    const { data } = (await admin.get(`/usage/corrections?event=${event.id}`)).body as {
      data: unknown[];
    };
    expect(data).toMatchObject([
      {
        eventId: event.id,
        ordinal: 1,
        createdBy: "local",
        differenceUsd: "-0.05",
        previousPricing: "priced",
        previousCostUsd: "0.15",
        previousPriceRowId: "openai/gpt-4o-mini/default@1970-01-01",
        costUsd: "0.1",
        priceRowId: `${created.id}:openai/gpt-4o-mini/default`,
      },
    ]);
    const listed = (await admin.get("/usage/events")).body as { data: unknown[] };
    expect(listed.data[0]).toMatchObject({
      costUsd: "0.15",
      correctedCostUsd: "0.1",
      priceRowId: "openai/gpt-4o-mini/default@1970-01-01",
    });
    expect(await sums()).toMatchObject({ rows: "0.1", events: "0.1", summary: "0.1" });
    const { text } = await admin.get("/usage/events/export?format=jsonl");
    expect(JSON.parse(text)).toMatchObject({ costUsd: "0.15", correctedCostUsd: "0.1" });
  });

  it("adds nothing when it is repeated, and builds on the last correction when prices change again", async () => {
    const event = await insertCall();
    const first = (await override("0.1")).body as { id: string };
    await reprice();
    expect(await reprice()).toMatchObject({ corrected: 0, unchanged: 1, differenceUsd: "0" });
    await admin.post(`/price-overrides/${first.id}/end`, { at: FROM });
    await override("0.4");
    expect(await reprice()).toMatchObject({ corrected: 1, differenceUsd: "0.3" });
    const found = await admin.store.corrections.list({ limit: 10 }, { eventId: event.id });
    expect(found.rows.map(({ ordinal }) => ordinal)).toEqual([2, 1]);
    expect(await sums()).toMatchObject({ rows: "0.4", events: "0.4", summary: "0.4" });
  });

  it("gives a price to calls that had none", async () => {
    await insertCall({
      servedModel: "house-7",
      pricing: "unpriced",
      costPicos: null,
      priceRowId: null,
    });
    expect(await reprice()).toMatchObject({ corrected: 0, withoutPrice: 1 });
    expect(await sums()).toMatchObject({ unpriced: 1 });
    await override("2", { model: "house-*" });
    expect(await reprice()).toMatchObject({ corrected: 1, newlyPriced: 1, differenceUsd: "2" });
    expect(await sums()).toEqual({ rows: "2", events: "2", summary: "2", unpriced: 0 });
  });

  it("says in a dry run what it would do, and does nothing", async () => {
    await insertCall();
    await override("0.1");
    const before = await sums();
    expect(await reprice({ dryRun: true })).toMatchObject({ corrected: 1, differenceUsd: "-0.05" });
    expect(await sums()).toEqual(before);
    expect((await admin.store.corrections.list({ limit: 1 })).rows).toEqual([]);
  });

  it("prices by the row that was valid when the call began, whatever holds today", async () => {
    await insertCall({ startedAtMs: NOW_MS - 3 * HOUR_MS });
    await insertCall({ startedAtMs: NOW_MS - 2 * HOUR_MS });
    await insertCall({ startedAtMs: NOW_MS - HOUR_MS });
    await override("0.1", {
      validFrom: new Date(NOW_MS - 2 * HOUR_MS).toISOString(),
      validUntil: new Date(NOW_MS - HOUR_MS).toISOString(),
    });
    expect(await reprice()).toMatchObject({ examined: 3, corrected: 1, unchanged: 2 });
  });

  it("leaves alone what is free, not metered or unknown, and what has no price today", async () => {
    const none = { pricing: "priced", costPicos: picos(0n), priceRowId: null } as const;
    await insertCall(none);
    await insertCall({ usageSource: "unknown", pricing: "unpriced", costPicos: picos(7n) });
    await insertCall({ usageSource: "none", pricing: "unmetered", costPicos: null });
    await insertCall({ servedModel: "gone-model" });
    await override("9");
    expect(await reprice()).toMatchObject({
      examined: 4,
      corrected: 0,
      notPriceable: 3,
      withoutPrice: 1,
    });
  });

  it("asks for the model that a routing rule has sent, not for the one that was requested", async () => {
    await insertCall({ requestedModel: "gpt-4o", sentModel: "gpt-4o-mini", servedModel: null });
    expect(await reprice()).toMatchObject({ corrected: 0, unchanged: 1 });
  });

  it("knows whose prices hold from the base URL of the call's account", async () => {
    const { id } = expectData(
      await admin.client.POST("/provider-accounts", {
        body: {
          name: "groq",
          provider: "openai-compatible",
          kind: "organization",
          baseUrl: "https://api.groq.com/openai/v1",
        },
      }),
    );
    await insertCall({
      provider: "openai-compatible",
      providerAccountId: id as ProviderAccountId,
      servedModel: "llama-3.1-8b-instant",
      costPicos: picos(1n),
    });
    // A million tokens at 0.05 USD, Groq's published price.
    const difference = formatUsd(picos(50_000_000_000n - 1n));
    expect(await reprice()).toMatchObject({ corrected: 1, differenceUsd: difference });
  });

  it("narrows to a range, a model and a customer, and goes on page by page", async () => {
    for (let i = 0; i < 260; i += 1) await insertCall({ startedAtMs: NOW_MS - 1 - i });
    await insertCall({ startedAtMs: NOW_MS });
    await insertCall({ customer: "other" });
    await override("0.1");
    const scope = { customer: "acme", model: "gpt-4o-mini-2024-07-18" };
    const first = await reprice(scope);
    expect(first).toMatchObject({ examined: 250, corrected: 250, differenceUsd: "-12.5" });
    const second = await reprice({ ...scope, cursor: first["nextCursor"] });
    expect(second).toMatchObject({ examined: 10, corrected: 10, nextCursor: null });
    const other = await reprice({ customer: "other" });
    expect(other).toMatchObject({ examined: 1, corrected: 1 });
  }, 60_000);

  it("corrects each event once when two run at the same moment", async () => {
    for (let i = 0; i < 30; i += 1) await insertCall();
    await override("0.1");
    const runs = await Promise.all([reprice(), reprice(), reprice()]);
    const corrected = runs.reduce((sum, run) => sum + Number(run["corrected"]), 0);
    expect(corrected).toBe(30);
    expect(await sums()).toMatchObject({ rows: "3", events: "3", summary: "3" });
  });

  it("changes nothing when it breaks off within a page, and goes on when it is repeated", async () => {
    for (let i = 0; i < 5; i += 1) await insertCall();
    await override("0.1");
    const { corrections } = admin.store;
    const failing = admin.appWith({
      store: Object.assign(Object.create(admin.store) as typeof admin.store, {
        as: <Result>(_: unknown, work: () => Result) => work(),
        note: () => Promise.resolve(),
        verify: () => Promise.reject(new Error("nobody asks for this")),
        followLog: () => Promise.reject(new Error("nobody asks for this")),
        inspectLog: () => Promise.reject(new Error("nobody asks for this")),
        acceptLog: () => Promise.reject(new Error("nobody asks for this")),
        corrections: {
          lastOf: corrections.lastOf.bind(corrections),
          list: corrections.list.bind(corrections),
          insert: (all: Parameters<typeof corrections.insert>[0]) =>
            admin.store.transaction(async (repositories) => {
              await repositories.corrections.insert(all);
              throw new Error("killed before the commit");
            }),
        },
      }),
    });
    const body = JSON.stringify({ from: FROM, to: TO });
    const broken = await failing.fetch(
      new Request("http://keyward.test/api/v1/usage/reprice", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
    );
    expect(broken.status).toBe(500);
    expect(admin.faults.splice(0)).toHaveLength(1);
    expect(await sums()).toMatchObject({ rows: "0.75", summary: "0.75" });
    expect(await reprice()).toMatchObject({ corrected: 5 });
    expect(await sums()).toMatchObject({ rows: "0.5", events: "0.5", summary: "0.5" });
  });

  it("refuses a range that ends before it begins, and an event that is none", async () => {
    const refused = await admin.post("/usage/reprice", { from: TO, to: FROM });
    expect(refused.body).toMatchObject({ error: { param: "to" } });
    const unknown = await admin.get("/usage/corrections?event=x");
    expect(unknown.body).toMatchObject({ error: { param: "event" } });
  });
});
