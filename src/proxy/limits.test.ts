/** Limits as a client meets them: through the real data plane, with the store in memory. */
import { once } from "node:events";
import OpenAI from "openai";
import { request } from "undici";
import { describe, expect, it, vi } from "vitest";
import { ANSWER, CHAT, chunk, post, USAGE } from "../../test/support/chat.ts";
import { MemoryLimitUses } from "../../test/support/memory-limit-uses.ts";
import { until } from "../../test/support/poll.ts";
import { respondEvents, respondJson, type Respond } from "../../test/support/upstream.ts";
import { attemptsOf, call, closedPort, send, way, waysFixture } from "../../test/support/ways.ts";
import type { LimitId } from "../core/ids/ids.ts";
import type { Limit } from "../core/limits/limit.ts";
import { SharedLimits } from "../ledger/limits/shared-limits.ts";

const { provider, gatewayTo } = waysFixture();

function limitsOf(...changes: readonly Partial<Limit>[]): SharedLimits {
  const limits = changes.map((change, index): Limit => ({
    id: `lim_${index}` as LimitId,
    scope: { kind: "organization", id: null },
    requestsPerMinute: null,
    tokensPerMinute: null,
    concurrency: null,
    ...change,
  }));
  const shared = new SharedLimits({
    uses: new MemoryLimitUses(Date.now),
    processId: "prc_1",
    monotonicMs: () => performance.now(),
    log: { info: () => undefined, warn: () => undefined },
  });
  shared.apply(
    limits.map(({ id }) => id),
    limits,
  );
  return shared;
}

/** A stream that does not end. */
const hold: Respond = (_req, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write(chunk({ content: "hi" }));
};

const ofAccount = { kind: "providerAccount", id: null } as const;

describe("a call over a limit", () => {
  it("is refused as OpenAI refuses, says when to come back, and is not sent", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const limits = limitsOf({ requestsPerMinute: 1, scope: { kind: "customer", id: null } });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    const chat = { ...CHAT, user: "acme" };
    expect((await send(gateway, chat)).status).toBe(200);
    const { status, headers, body } = await send(gateway, chat);
    expect(status).toBe(429);
    expect(JSON.parse(body)).toMatchObject({
      error: { code: "rate_limit_exceeded", type: "requests", param: null },
    });
    expect(body).toMatch(/lim_0 allows 1 request per minute for the customer \\"acme\\"/);
    const retryAfterMs = Number(headers["retry-after-ms"]);
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(Number(headers["retry-after"])).toBe(Math.ceil(retryAfterMs / 1000));
    expect(headers).toMatchObject({
      "x-should-retry": "true",
      "x-ratelimit-limit-requests": "1",
      "x-ratelimit-remaining-requests": "0",
    });
    expect(headers["x-ratelimit-reset-requests"]).toMatch(/^(1m[012]s|59s)$/);
    expect(upstream.seen).toHaveLength(1);
    expect(gateway.refusals).toEqual([{ code: "rate_limit_exceeded", customer: "acme" }]);
    expect(gateway.intents).toHaveLength(1);
    // Another customer has its own.
    expect((await send(gateway, { ...CHAT, user: "other" })).status).toBe(200);
    expect((await send(gateway, CHAT)).headers["x-ratelimit-limit-requests"]).toBeUndefined();
  });

  it("of a body that nobody read is refused as well", async () => {
    const upstream = await provider(respondJson({ data: [] }));
    const limits = limitsOf({ requestsPerMinute: 1 });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    expect((await call(gateway, "/v1/models")).status).toBe(200);
    const file = { method: "POST", body: Buffer.alloc(100_000) } as const;
    expect((await call(gateway, "/v1/files", file)).status).toBe(429);
    expect((await call(gateway, "/v1/models")).status).toBe(429);
  });
});

it("has OpenAI's own client wait as long as it is told, and try again", async () => {
  const upstream = await provider(respondJson(ANSWER));
  const limits = limitsOf({ requestsPerMinute: 1 });
  const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
  await send(gateway);
  const refused = await send(gateway);
  const waitMs = Number(refused.headers["retry-after-ms"]);
  expect(waitMs).toBeLessThanOrEqual(60_000);
  vi.useFakeTimers();
  try {
    const answers = [
      new Response(refused.body, {
        status: refused.status,
        headers: Object.entries(refused.headers).map(([name, value]) => [name, String(value)]),
      }),
      Response.json(ANSWER),
    ];
    const sentAtMs: number[] = [];
    const client = new OpenAI({
      apiKey: "unused",
      baseURL: "http://localhost/v1",
      maxRetries: 1,
      fetch: () => {
        sentAtMs.push(Date.now());
        return Promise.resolve(answers[sentAtMs.length - 1] ?? Response.error());
      },
    });
    const answered = client.chat.completions.create({
      model: "gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
    });
    await vi.advanceTimersByTimeAsync(60_001);
    expect(await answered).toMatchObject({ object: "chat.completion" });
    const [first = 0, second = 0] = sentAtMs;
    expect(second - first).toBe(waitMs);
  } finally {
    vi.useRealTimers();
  }
});

describe("what a limit counts", () => {
  it("is told with each answer, in place of the provider's own figures of the same name", async () => {
    const upstream = await provider(
      respondJson(ANSWER, 200, {
        "x-ratelimit-limit-requests": "9999",
        "x-ratelimit-remaining-requests": "9998",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-remaining-tokens": "149984",
      }),
    );
    const limits = limitsOf({ requestsPerMinute: 5 }, { requestsPerMinute: 3 });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    await send(gateway);
    expect((await send(gateway)).headers).toMatchObject({
      "x-ratelimit-limit-requests": "3",
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-remaining-tokens": "149984",
    });
  });

  it("is not a call that was never sent", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const limits = limitsOf({ requestsPerMinute: 1, tokensPerMinute: 5_000, concurrency: 1 });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    gateway.isJournalBroken = true;
    for (let i = 0; i < 3; i += 1) expect((await send(gateway)).status).toBe(503);
    gateway.isJournalBroken = false;
    expect((await send(gateway)).status).toBe(200);
    expect((await send(gateway)).status).toBe(429);
  });

  it("is the tokens that were used, once they are known", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const total = USAGE.total_tokens;
    const limits = limitsOf({ tokensPerMinute: 3 * total });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    const modest = { ...CHAT, max_tokens: 10, n: 2 };
    const first = await send(gateway, modest);
    const taken = Math.ceil(JSON.stringify(modest).length / 4) + 20;
    expect(first.headers["x-ratelimit-remaining-tokens"]).toBe(String(3 * total - taken));
    const left: unknown[] = [];
    for (let i = 0; i < 2; i += 1) {
      left.push((await send(gateway, modest)).headers["x-ratelimit-remaining-tokens"]);
    }
    expect(left).toEqual([String(2 * total - taken), String(total - taken)]);
    // More than any process keeps in hand.
    const { status, headers, body } = await send(gateway, { ...CHAT, max_tokens: 2 * total });
    expect([status, headers["x-ratelimit-remaining-tokens"]]).toEqual([429, "0"]);
    expect(body).toMatch(/tokens per minute for all calls together/);
    // A call that runs no model takes none.
    expect((await call(gateway, "/v1/models")).status).toBe(200);
  });
});

describe("a slot for a call in flight", () => {
  it("is free again after 1,000 streams that their clients have left, and after every other end", async () => {
    const upstream = await provider(hold);
    const limits = limitsOf({ concurrency: 25 });
    // Failures are what this is about.
    const circuit = { consecutiveFailures: 0, minCalls: 1_000_000 };
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits, circuit });
    const leave = async (): Promise<void> => {
      const { statusCode, body } = await post(gateway, { ...CHAT, stream: true });
      expect(statusCode).toBe(200);
      await once(body, "data");
      body.once("error", () => undefined);
      body.destroy();
    };
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(Array.from({ length: 25 }, leave));
      await until("nothing is under way", () => gateway.gateway.inFlightCalls() === 0);
    }
    expect(gateway.events).toHaveLength(1_000);
    const ends: readonly Respond[] = [
      (req) => req.socket.destroy(),
      respondJson({ error: { message: "no" } }, 500),
      respondJson({ error: { message: "no" } }, 400),
      respondEvents([chunk({ content: "hi" })]),
      (_req, res) => void res.writeHead(200, { "content-length": "10" }).end("short"),
    ];
    for (const end of ends) {
      upstream.respond = end;
      const answers = Array.from({ length: 25 }, async () => {
        const { body } = await post(gateway, { ...CHAT, stream: true });
        await body.dump().catch(() => undefined);
      });
      await Promise.allSettled(answers);
      await until("nothing is under way", () => gateway.gateway.inFlightCalls() === 0);
    }
    upstream.respond = respondJson(ANSWER);
    expect((await send(gateway)).status).toBe(200);
  });

  it("is taken by a call for as long as it lasts", async () => {
    const held: (() => void)[] = [];
    const upstream = await provider((req, res, seen) => {
      held.push(() => respondJson(ANSWER)(req, res, seen));
    });
    const limits = limitsOf({ concurrency: 1, scope: { kind: "key", id: null } });
    const { gateway } = await gatewayTo([way(upstream, "a")], { limits });
    const first = send(gateway);
    await until("it is under way", () => held.length === 1);
    const { status, headers, body } = await send(gateway);
    expect([status, headers["retry-after-ms"]]).toEqual([429, "1000"]);
    expect(body).toMatch(/lim_0 allows 1 call at a time for the key key_/);
    held[0]?.();
    expect((await first).status).toBe(200);
    const second = send(gateway);
    await until("the next is under way", () => held.length === 2);
    held[1]?.();
    expect((await second).status).toBe(200);
  });
});

describe("a limit on provider accounts", () => {
  it("has a call go to another account, and refuses it where there is none", async () => {
    const first = await provider(respondJson(ANSWER));
    const second = await provider(respondJson(ANSWER));
    const limits = limitsOf({ requestsPerMinute: 1, scope: ofAccount });
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")], { limits });
    expect([(await send(gateway)).status, (await send(gateway)).status]).toEqual([200, 200]);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a succeeded 200", "1 pky_b succeeded 200"]);
    const refused = await send(gateway);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatch(/for the provider account/);
  });

  it("counts each attempt at the account that it goes to, and the call once elsewhere", async () => {
    const first = await provider(respondJson({ error: { message: "busy" } }, 500));
    const second = await provider(respondJson(ANSWER));
    const limits = limitsOf(
      { requestsPerMinute: 2, scope: ofAccount },
      { requestsPerMinute: 3, concurrency: 3 },
    );
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")], { limits });
    for (let i = 0; i < 2; i += 1) expect((await send(gateway)).status).toBe(200);
    expect(attemptsOf(gateway)).toHaveLength(4);
    // Neither account has room for a third; a call that was not sent has taken nothing of the other limit.
    for (let i = 0; i < 3; i += 1) expect((await send(gateway)).status).toBe(429);
    expect(gateway.events).toHaveLength(4);
  });

  it("lets a client have the first provider's answer where the next account has no room", async () => {
    const first = await provider(respondJson({ error: { message: "busy" } }, 500));
    const second = await provider(respondJson(ANSWER));
    const full = { kind: "providerAccount", id: "acc_b" } as const;
    const limits = limitsOf({ requestsPerMinute: 1, scope: full });
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")], { limits });
    expect((await send(gateway)).status).toBe(200);
    const { status, body } = await send(gateway);
    expect([status, JSON.parse(body)]).toEqual([500, { error: { message: "busy" } }]);
    expect(attemptsOf(gateway).at(-1)).toBe("1 pky_a failed 500");
  });

  it("counts a call that reached no provider no longer than its attempt", async () => {
    const second = await provider(respondJson(ANSWER));
    const limits = limitsOf({ concurrency: 1, scope: ofAccount });
    const ways = [way(await closedPort(), "a"), way(second, "b")];
    const { gateway } = await gatewayTo(ways, { limits });
    for (let i = 0; i < 3; i += 1) expect((await send(gateway)).status).toBe(200);
    const answer = await request(`${gateway.url}/v1/models`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
    expect(answer.statusCode).toBe(200);
    await answer.body.dump();
  });
});
