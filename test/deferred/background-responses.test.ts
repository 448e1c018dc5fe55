/** Responses in background mode, by the official client; the provider's answers are held to its published types. */
import { describe, expect, it } from "vitest";
import { formatUsd } from "../../src/core/money/picos.ts";
import { ASK, createProvider, DONE, response, USAGE } from "../support/background-provider.ts";
import { type KEY, collectorFixture } from "../support/collector-fixture.ts";
import { routeTo } from "../support/data-plane.ts";
import { until } from "../support/poll.ts";

const { start } = collectorFixture();

/** gpt-4o-mini: 400 × $0.15 + 100 × $0.075 + 1,500 × $0.60, for a million. */
const COST_USD = "0.0009675";

describe("a response in background mode", () => {
  it("is charged when it has ended, though nobody ever reads it", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    const headers = { "x-keyward-customer": "acme", "x-keyward-feature": "research" };
    const { response: answer } = await test.client.responses
      .create(ASK, { headers })
      .withResponse();
    expect(answer.headers.get("x-keyward-cost-usd")).toBeNull();
    await test.flush();
    const [created] = await test.events();
    expect(created).toMatchObject({
      operation: "responses",
      usageSource: "deferred",
      pricing: "priced",
      costPicos: 0n,
      quantities: {},
    });
    test.collect();
    test.aheadMs = 60_000;
    await until("it was asked for", () => provider.asked > 0);
    expect(await test.charges()).toEqual([]);
    provider.now = DONE;
    test.aheadMs = 120_000;
    await test.settled();
    const [charge, ...more] = await test.charges();
    expect(more).toEqual([]);
    expect(charge).toMatchObject({
      requestId: created?.requestId,
      operation: "responses.deferred",
      path: "/v1/responses/resp_1",
      status: "succeeded",
      usageSource: "reported",
      pricing: "priced",
      customer: "acme",
      feature: "research",
      gatewayKeyId: created?.gatewayKeyId,
      providerResponseId: "resp_1",
      servedModel: "gpt-4o-mini-2024-07-18",
      quantities: { input: 400, cachedInput: 100, output: 1200, reasoningOutput: 300 },
    });
    expect(formatUsd(charge?.costPicos ?? (0n as never))).toBe(COST_USD);
    expect(test.reports.map(({ event }) => event.id)).toEqual([charge?.id]);
  });

  it.each([
    ["before anybody has read it", false],
    ["after its deletion was tried already", true],
  ])("is charged when its client deletes it %s", async (_when, isTwice) => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.flush();
    provider.now = DONE;
    await test.client.responses.delete("resp_1");
    provider.now = { status: 404 };
    if (isTwice) await test.client.responses.delete("resp_1");
    await test.flush();
    test.collect();
    await test.settled();
    const charges = await test.charges();
    expect(charges.map(({ costPicos }) => formatUsd(costPicos ?? (0n as never)))).toEqual([
      COST_USD,
    ]);
    const deletions = (await test.events()).filter(({ method }) => method === "DELETE");
    expect(deletions).toHaveLength(isTwice ? 2 : 1);
    for (const deletion of deletions) {
      expect(deletion).toMatchObject({ operation: "responses.delete", costPicos: 0n });
    }
  });

  it("is deleted all the same when its provider does not say what it has consumed", async () => {
    const provider = createProvider();
    const test = await start((req, res, seen) => {
      if (req.method === "GET") req.socket.destroy();
      else provider.respond(req, res, seen);
    });
    await test.client.responses.create(ASK);
    await test.client.responses.delete("resp_1");
    expect(test.upstream.seen.map(({ method }) => method)).toEqual(["POST", "GET", "DELETE"]);
    expect(test.gateway.events).toHaveLength(2);
  });

  it("is charged once, however often and in whatever way it is read, by three processes at once", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.client.responses.retrieve("resp_1");
    provider.now = DONE;
    await test.flush();
    test.aheadMs = 60_000;
    for (let i = 0; i < 3; i += 1) test.collect();
    for (let i = 0; i < 5; i += 1) {
      await test.client.responses.retrieve("resp_1");
      await test.client.responses.cancel("resp_1");
      await test.flush();
    }
    await test.settled();
    await test.client.responses.retrieve("resp_1");
    await test.flush();
    expect(await test.charges()).toHaveLength(1);
    const { rows } = await test.store.usage.summarize({ limit: 1 }, { groupBy: [] });
    expect(formatUsd(rows[0]?.costPicos ?? (0n as never))).toBe(COST_USD);
  });

  it("is charged by what its client was shown, when it was deleted before Keyward could ask", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    provider.now = DONE;
    await test.client.responses.retrieve("resp_1");
    provider.now = { status: 404 };
    provider.asked = 0;
    await test.flush();
    test.collect();
    await test.settled();
    expect(provider.asked).toBe(0);
    expect(await test.charges()).toMatchObject([{ usageSource: "reported" }]);
  });

  it("is one charge where two calls were answered with one response, by a provider's replay", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.client.responses.create(ASK);
    provider.now = DONE;
    await test.flush();
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    await test.client.responses.create(ASK);
    await test.flush();
    await test.settled();
    expect(await test.charges()).toHaveLength(1);
    expect(await test.events()).toHaveLength(4);
  });

  it.each([
    ["failed", { status: "failed" }, { status: "failed", usageSource: "none", costPicos: 0n }],
    [
      "failed after it had consumed something",
      { status: "failed", usage: USAGE },
      { status: "failed", usageSource: "reported", pricing: "priced" },
    ],
    [
      "was cut short",
      { status: "incomplete", usage: USAGE },
      { status: "succeeded", usageSource: "reported", pricing: "priced" },
    ],
    [
      "was cancelled",
      { status: "cancelled" },
      { status: "interrupted", usageSource: "unknown", pricing: "unpriced", costPicos: null },
    ],
    [
      "does not say what it has consumed",
      { status: "completed" },
      { status: "succeeded", usageSource: "unknown", pricing: "unpriced", costPicos: null },
    ],
  ] as const)("that %s leaves an event that says so", async (_name, change, expected) => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    provider.now = response(change);
    await test.flush();
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toMatchObject([expected]);
  });

  it("is asked for with another key of its account when its own is gone, and never with another account's", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.flush();
    const [own] = test.routes;
    if (own === undefined) throw new Error("no route");
    const stranger = routeTo(test.upstream.url, { accountId: "acc_other" as never });
    test.routes.splice(0, 1, stranger);
    provider.asked = 0;
    provider.now = DONE;
    test.collect();
    test.aheadMs = 60_000;
    await until("nobody could ask", async () => {
      const [row] = await test.pending();
      return row?.problem === "no_provider_key";
    });
    expect(provider.asked).toBe(0);
    test.routes.push({
      ...own,
      keyId: "pky_new" as typeof KEY,
      authHeaders: [["authorization", "Bearer the-new-one"]],
    });
    test.aheadMs = 120_000;
    await test.settled();
    expect(test.upstream.seen.at(-1)?.headers.authorization).toBe("Bearer the-new-one");
    expect(await test.charges()).toHaveLength(1);
  });

  it("is asked for with the next key when a provider refuses the first", async () => {
    const provider = createProvider();
    const test = await start((req, res, seen) => {
      const isRefused = req.method === "GET" && req.headers.authorization !== "Bearer spare";
      if (isRefused) res.writeHead(401).end("{}");
      else provider.respond(req, res, seen);
    });
    await test.client.responses.create(ASK);
    await test.flush();
    provider.now = DONE;
    const [own] = test.routes;
    if (own === undefined) throw new Error("no route");
    test.routes.unshift({
      ...own,
      keyId: "pky_spare" as typeof KEY,
      authHeaders: [["authorization", "Bearer spare"]],
    });
    test.collect();
    test.aheadMs = 60_000;
    await test.settled();
    expect(await test.charges()).toHaveLength(1);
  });

  it.each([
    ["rate_limited", { status: 429, headers: { "retry-after": "600" } }],
    ["provider_failed", { status: 503, headers: { "retry-after": "600" } }],
  ] as const)(
    "whose provider has no time (%s) is asked for again when the time it named has passed",
    async (problem, refusal) => {
      const provider = createProvider();
      const test = await start(provider.respond);
      await test.client.responses.create(ASK);
      await test.flush();
      provider.now = refusal;
      test.collect();
      test.aheadMs = 60_000;
      const row = await until("it is postponed", async () => {
        const [one] = await test.pending();
        return one?.problem === problem ? one : undefined;
      });
      const checkedAtMs = row.lastCheckAtMs ?? 0;
      expect(row.nextCheckAtMs - checkedAtMs).toBe(600_000);
      provider.now = DONE;
      test.aheadMs = 60_000 + 610_000;
      await test.settled();
      expect(await test.charges()).toHaveLength(1);
    },
  );

  it("is not asked for while its account rests: a limit that one has met holds for all", async () => {
    let begun = 0;
    let asked = 0;
    let isLimited = true;
    const test = await start((req, res) => {
      const isBegun = req.method === "POST";
      if (isBegun) begun += 1;
      else asked += 1;
      if (!isBegun && isLimited) {
        res.writeHead(429, { "retry-after": "120" }).end("{}");
        return;
      }
      const id = isBegun ? `resp_${begun}` : (req.url?.split("/").at(-1) ?? "");
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify(isBegun ? response({ id }) : { ...DONE, id }));
    });
    await test.client.responses.create(ASK);
    await test.flush();
    test.collect();
    test.aheadMs = 60_000;
    await until("the first has met the limit", async () => (await test.pending())[0]?.checks === 1);
    await test.client.responses.create(ASK);
    await test.flush();
    await until("the second rests", async () => {
      const rows = await test.pending();
      return rows.length === 2 && rows.every(({ problem }) => problem === "rate_limited");
    });
    expect(asked).toBe(1);
    isLimited = false;
    test.aheadMs = 60_000 + 130_000;
    await test.settled();
    expect(await test.charges()).toHaveLength(2);
  });

  it("that its provider does not know is given up where everybody can see it, and charged when it is retried", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.flush();
    provider.now = { status: 404 };
    test.collect();
    for (let i = 1; i <= 5; i += 1) {
      test.aheadMs = i * 60_000;
      await until(`check ${i}`, async () => (await test.pending())[0]?.checks === i);
    }
    const [row] = await test.pending();
    expect(row).toMatchObject({ problem: "not_found", givenUpAtMs: expect.any(Number) });
    expect(await test.charges()).toEqual([]);
    expect(test.logged).toContainEqual({
      level: "error",
      message: "usage that is still to be charged was given up",
    });
    provider.now = DONE;
    if (row === undefined) throw new Error("no row");
    await test.store.pendingUsage.retry(row.event.id, Date.now());
    await test.settled();
    expect(await test.charges()).toHaveLength(1);
  });

  it("whose process died while it was asking is charged by another when the lease has run out", async () => {
    const provider = createProvider();
    const test = await start(provider.respond);
    await test.client.responses.create(ASK);
    await test.flush();
    provider.now = DONE;
    test.aheadMs = 60_000;
    const leaseMs = 300;
    const rows = await test.store.pendingUsage.claim({
      leaseId: "lea_of_the_dead" as never,
      nowMs: Date.now() + test.aheadMs,
      leaseMs,
      horizonMs: 1e9,
      limit: 1,
    });
    expect(rows).toHaveLength(1);
    test.collect({ leaseMs });
    await test.settled();
    expect(await test.charges()).toHaveLength(1);
  });

  it("keeps its lease while the provider takes its time, and gives it back at a stop", async () => {
    const provider = createProvider();
    let isAsked = false;
    const test = await start((req, res, seen) => {
      if (req.method === "GET") isAsked = true;
      else provider.respond(req, res, seen);
    });
    await test.client.responses.create(ASK);
    await test.flush();
    test.aheadMs = 60_000;
    const collector = test.collect({ leaseMs: 90 });
    await until("it is asked for", () => isAsked);
    const askedAtMs = Date.now();
    await until("the lease would have run out", () => Date.now() > askedAtMs + 300);
    const claim = { leaseId: "lea_other" as never, leaseMs: 90, horizonMs: 1e9, limit: 1 };
    const nowMs = () => Date.now() + test.aheadMs;
    expect(await test.store.pendingUsage.claim({ ...claim, nowMs: nowMs() })).toEqual([]);
    await collector.stop();
    const [row] = await test.store.pendingUsage.claim({ ...claim, nowMs: nowMs() });
    expect(row).toMatchObject({ checks: 0, problem: null });
  });
});
