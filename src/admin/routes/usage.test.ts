import { describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { type AdminClient, expectData } from "../client.ts";

const HOUR_MS = 3_600_000;

describe("usage", () => {
  const admin = adminUnderTest();

  /** Events of the default project, one an hour, in `environments` by turns. */
  async function insertEvents(changes: readonly Partial<UsageEvent>[]): Promise<UsageEvent[]> {
    const { store, deps } = admin;
    const project = await store.projects.findByName("default");
    const environment = await store.environments.findByName("production");
    if (!project || !environment) throw new Error("the first start's rows are missing");
    const events = changes.map((change, index) =>
      sampleEvent(
        sampleIntent(deps.ids, {
          projectId: project.id,
          environmentId: environment.id,
          startedAtMs: NOW_MS + index * HOUR_MS,
        }),
        change,
      ),
    );
    await store.usage.insertBatch({ events, refusals: [] });
    return events;
  }

  it("shows an event with names, totals, money as decimal strings and times as ISO 8601", async () => {
    const [event] = await insertEvents([
      {
        quantities: { input: 100, cachedInput: 40, output: 7, reasoningOutput: 3 },
        costPicos: picos(1n),
        pricePicos: null,
        holdPicos: picos(1_500_000_000_000n),
      },
    ]);
    const { body } = await admin.get("/usage/events");
    expect(body).toMatchObject({
      nextCursor: null,
      data: [
        {
          id: event?.id,
          requestId: event?.requestId,
          startedAt: "2026-01-31T09:00:00.000Z",
          project: "default",
          environment: "production",
          keyId: event?.gatewayKeyId,
          customer: "acme",
          feature: "voice-agent",
          inputTokens: 140,
          cachedInputTokens: 40,
          outputTokens: 10,
          reasoningOutputTokens: 3,
          quantities: { input: 100, cachedInput: 40, output: 7, reasoningOutput: 3 },
          costUsd: "0.000000000001",
          priceUsd: null,
          holdUsd: "1.5",
        },
      ],
    });
  });

  it("narrows events by every filter, and by several at once", async () => {
    const [first, second, third] = await insertEvents([
      { customer: "acme", servedModel: "gpt-4o" },
      { customer: "globex", feature: null, status: "failed" },
      { customer: null, feature: "summaries" },
    ]);
    const { id: customerId } = expectData(
      await admin.client.POST("/customers", { body: { externalId: "globex" } }),
    );
    const idsOf = async (query: string) => {
      const { status, body } = await admin.get(`/usage/events?${query}`);
      expect([query, status]).toEqual([query, 200]);
      return (body as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    const all = [third?.id, second?.id, first?.id];
    expect(await idsOf("project=default&environment=production")).toEqual(all);
    expect(await idsOf("environment=staging")).toEqual([]);
    expect(await idsOf("customer=acme")).toEqual([first?.id]);
    expect(await idsOf("customer=globex")).toEqual([second?.id]);
    expect(await idsOf(`customer=${customerId}`)).toEqual([second?.id]);
    expect(await idsOf("feature=summaries")).toEqual([third?.id]);
    expect(await idsOf("model=gpt-4o")).toEqual([first?.id]);
    expect(await idsOf("status=failed")).toEqual([second?.id]);
    expect(await idsOf(`key=${first?.gatewayKeyId}`)).toEqual([first?.id]);
    expect(await idsOf(`requestId=${second?.requestId}`)).toEqual([second?.id]);
    expect(await idsOf("from=2026-01-31T10:00:00Z&to=2026-01-31T11:00:00Z")).toEqual([second?.id]);
    expect(await idsOf("from=2026-01-31&customer=acme")).toEqual([first?.id]);
  });

  it("names every filter that is wrong", async () => {
    const query = "key=x&from=yesterday&status=done&cutomer=acme";
    const refused = await admin.get(`/usage/events?${query}`);
    expect(refused.status).toBe(400);
    const { error } = refused.body as { error: { problems: { param: string }[] } };
    expect(error.problems.map(({ param }) => param).toSorted()).toEqual([
      "cutomer",
      "from",
      "key",
      "status",
    ]);
    const order = await admin.get("/usage/events?from=2026-01-31&to=2026-01-30&environment=x");
    expect(order.body).toMatchObject({
      error: { problems: [{ param: "environment" }, { param: "to" }] },
    });
  });

  it("pages through all events without a gap or a repetition", async () => {
    const events = await insertEvents(
      // Four of one instant each, so that the page ends within one.
      Array.from({ length: 20 }, (_, index) => ({
        startedAtMs: NOW_MS + Math.floor(index / 4),
      })),
    );
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 3, ...(cursor === undefined ? {} : { cursor }) };
      const page = expectData(await admin.client.GET("/usage/events", { params: { query } }));
      listed.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual(events.map(({ id }) => id).toReversed());
  });

  it("sums by any dimensions, with names beside ids", async () => {
    const key = expectData(
      await admin.client.POST("/keys", { body: { environment: "production", name: "bot" } }),
    );
    const gatewayKeyId = key.id as UsageEvent["gatewayKeyId"];
    await insertEvents([
      { gatewayKeyId, customer: "acme", servedModel: "a", costPicos: picos(1n) },
      { gatewayKeyId, customer: "acme", servedModel: "b", costPicos: picos(2n) },
      { gatewayKeyId, customer: null, servedModel: "b", costPicos: null, pricing: "unpriced" },
    ]);
    const summary = async (query: string) => {
      const { body } = await admin.get(`/usage/summary?${query}`);
      return (body as { data: Record<string, unknown>[] }).data;
    };
    expect(await summary("groupBy=customer,model")).toMatchObject([
      { customer: null, model: "b", calls: 1, unpricedCalls: 1, costUsd: null },
      { customer: "acme", model: "a", calls: 1, costUsd: "0.000000000001", priceUsd: "0" },
      { customer: "acme", model: "b", calls: 1, costUsd: "0.000000000002" },
    ]);
    expect(await summary("")).toMatchObject([
      { calls: 3, inputTokens: 1500, outputTokens: 4500, costUsd: "0.000000000003" },
    ]);
    expect(await summary("groupBy=project,environment,key")).toMatchObject([
      { project: "default", environment: "production", key: "bot", keyId: key.id, calls: 3 },
    ]);
    expect((await summary("groupBy=hour")).map(({ hour }) => hour)).toEqual([
      "2026-01-31T09:00:00.000Z",
      "2026-01-31T10:00:00.000Z",
      "2026-01-31T11:00:00.000Z",
    ]);
    expect(await summary("groupBy=day,feature&customer=acme")).toMatchObject([
      { day: "2026-01-31", feature: "voice-agent", calls: 2 },
    ]);
    expect(await summary("from=2026-01-31T10:59:00Z&to=2026-01-31T10:59:30Z")).toMatchObject([
      { calls: 1, costUsd: "0.000000000002" },
    ]);
  });

  it("knows the cost of no calls, and not that of calls without a price", async () => {
    const none = { costPicos: null } as const;
    await insertEvents([
      { customer: "acme", ...none, pricing: "unpriced" },
      { customer: "acme", ...none, pricing: "unmetered" },
      { customer: "free", costPicos: picos(0n) },
      { customer: "free", ...none, pricing: "unmetered" },
    ]);
    expect(await costsOf(admin.client, "nobody")).toEqual(["0"]);
    expect(await costsOf(admin.client, "acme")).toEqual([null]);
    expect(await costsOf(admin.client, "free")).toEqual(["0"]);
  });

  it("pages through a summary to the end", async () => {
    await insertEvents(
      Array.from({ length: 7 }, (_, index) => ({ customer: `customer ${index}` })),
    );
    const seen: unknown[] = [];
    let cursor: string | undefined;
    do {
      const query = {
        groupBy: "customer",
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      };
      const page = expectData(await admin.client.GET("/usage/summary", { params: { query } }));
      seen.push(...page.data.map(({ customer }) => customer));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `customer ${index}`));
  });

  it("counts what Keyward refused, by reason and within a range", async () => {
    const refusal = { gatewayKeyId: null, customer: null };
    await admin.store.usage.insertBatch({
      events: [],
      refusals: [
        { ...refusal, code: "invalid_api_key", hourMs: NOW_MS, count: 3 },
        { ...refusal, code: "invalid_api_key", hourMs: NOW_MS + HOUR_MS, count: 4 },
        { ...refusal, code: "model_not_allowed", hourMs: NOW_MS, count: 1 },
      ],
    });
    expect((await admin.get("/usage/refusals")).body).toEqual({
      data: [
        { code: "invalid_api_key", calls: 7 },
        { code: "model_not_allowed", calls: 1 },
      ],
      nextCursor: null,
    });
    expect((await admin.get("/usage/refusals?from=2026-01-31T10:00:00Z")).body).toMatchObject({
      data: [{ code: "invalid_api_key", calls: 4 }],
    });
    expect((await admin.get("/usage/refusals?customer=acme")).status).toBe(400);
  });

  it.each([
    ["groupBy=custmer", "did you mean `customer`"],
    ["groupBy=model,model", "must name `model` once"],
    ["groupBy=hour,day", "not both"],
    ["groupBy=customer,", "must be made of"],
  ])("refuses %s", async (query, message) => {
    const refused = await admin.get(`/usage/summary?${query}`);
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ error: { param: "groupBy" } });
    expect(refused.text).toContain(message);
  });
});

async function costsOf(client: AdminClient, customer: string): Promise<readonly unknown[]> {
  const query = { customer };
  const answer = expectData(await client.GET("/usage/summary", { params: { query } }));
  return answer.data.map(({ costUsd }) => costUsd);
}
