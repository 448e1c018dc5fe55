import { once } from "node:events";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import {
  ANSWER,
  CHAT,
  DONE,
  USAGE_CHUNK,
  chunk,
  onlyEvent,
  post,
} from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { PROVIDER_SECRET } from "../../test/support/data-plane.ts";
import { until } from "../../test/support/poll.ts";
import { respondEvents, respondJson } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

describe("a JSON call", () => {
  it("arrives at the provider byte for byte, with the provider's key and without the client's credentials", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const body = '{ "model":"gpt-4o-mini" ,"messages":[], "seed":1e3}';
    const res = await post(gateway, body, {
      "openai-organization": "org-theirs",
      "openai-project": "proj-theirs",
      cookie: "a=b",
      "x-keyward-customer": "acme",
      "x-stainless-lang": "js",
      "x-forwarded-for": "10.0.0.1",
    });
    await res.body.dump();
    const [seen] = upstream.seen;
    expect(seen?.body.toString()).toBe(body);
    expect(seen?.url).toBe("/v1/chat/completions");
    expect(seen?.headers["authorization"]).toBe(`Bearer ${PROVIDER_SECRET}`);
    expect(seen?.headers["openai-organization"]).toBe("org-ours");
    expect(seen?.headers["x-stainless-lang"]).toBe("js");
    for (const name of ["openai-project", "cookie", "x-keyward-customer", "x-forwarded-for"]) {
      expect(seen?.headers[name]).toBeUndefined();
    }
    expect(JSON.stringify(seen?.headers)).not.toContain(gateway.key);
  });

  it("comes back byte for byte with the provider's headers, its cost and its ids", async () => {
    const { gateway } = await start(
      respondJson(ANSWER, 200, {
        "x-request-id": "req_upstream",
        "openai-processing-ms": "12",
        "x-ratelimit-remaining-requests": "9",
        "set-cookie": "__cf=1",
        "x-keyward-cost-usd": "0",
      }),
    );
    const res = await post(gateway, CHAT);
    expect(await res.body.text()).toBe(JSON.stringify(ANSWER));
    expect(res.headers).toMatchObject({
      "x-request-id": "req_upstream",
      "openai-processing-ms": "12",
      "x-ratelimit-remaining-requests": "9",
      "x-keyward-environment": "development",
      // 400 × $0.15 + 100 × $0.075 + 1500 × $0.60, each per million.
      "x-keyward-cost-usd": "0.0009675",
    });
    expect(res.headers["set-cookie"]).toBeUndefined();
    expect(res.headers["x-keyward-request-id"]).toMatch(/^req_/);
  });

  it("is one event with disjoint quantities, the served model and the exact cost", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    const res = await post(gateway, CHAT, {
      "x-keyward-customer": "acme",
      "x-keyward-feature": "voice-agent",
    });
    await res.body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "succeeded",
      usageSource: "reported",
      operation: "chat.completions",
      customer: "acme",
      feature: "voice-agent",
      requestedModel: "gpt-4o-mini",
      servedModel: "gpt-4o-mini-2024-07-18",
      providerResponseId: "chatcmpl-1",
      quantities: { input: 400, cachedInput: 100, output: 1500 },
      pricing: "priced",
      costPicos: 967_500_000n,
      httpStatus: 200,
    });
  });

  it("keeps an explicit zero a zero, and estimates only what was not reported", async () => {
    const zero = { ...ANSWER, usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } };
    const { upstream, gateway } = await start(respondJson(zero));
    await (await post(gateway, CHAT)).body.dump();
    upstream.respond = respondJson({ ...ANSWER, usage: undefined });
    await (await post(gateway, CHAT)).body.dump();
    await until("both are settled", () => gateway.events.length === 2);
    expect(gateway.events[0]).toMatchObject({ usageSource: "reported", costPicos: 0n });
    expect(gateway.events[1]).toMatchObject({ usageSource: "estimated", pricing: "priced" });
    // Three words, "user", and the framing of a message and of the reply.
    expect(gateway.events[1]?.quantities.input).toBeGreaterThanOrEqual(3);
    expect(gateway.events[1]?.quantities.output).toBe(1);
  });

  it("is unpriced, never free, when the model is unknown", async () => {
    const { gateway } = await start(respondJson({ ...ANSWER, model: "gpt-99-secret" }));
    const res = await post(gateway, CHAT);
    await res.body.dump();
    expect(res.headers["x-keyward-cost-usd"]).toBeUndefined();
    expect(await onlyEvent(gateway)).toMatchObject({ pricing: "unpriced", costPicos: null });
  });

  it("is read when the provider compresses it all the same", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      res.end(gzipSync(JSON.stringify(ANSWER)));
    });
    const res = await post(gateway, CHAT, { "accept-encoding": "gzip" });
    expect(res.headers["content-encoding"]).toBeUndefined();
    expect(await res.body.json()).toEqual(ANSWER);
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "reported" });
  });

  it("is metered when it is too large to be held", async () => {
    const large = { padding: "x".repeat(5_000_000), ...ANSWER };
    const { gateway } = await start(respondJson(large));
    const res = await post(gateway, CHAT);
    expect(await res.body.text()).toBe(JSON.stringify(large));
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      costPicos: 967_500_000n,
    });
  });
});

describe("a provider's error", () => {
  it("passes through unchanged, costs nothing and is one failed event", async () => {
    const body = { error: { message: "slow down", type: "requests", code: "rate_limit_exceeded" } };
    const { gateway } = await start(
      respondJson(body, 429, { "retry-after-ms": "250", "x-should-retry": "true" }),
    );
    const res = await post(gateway, CHAT);
    expect(res.statusCode).toBe(429);
    expect(res.headers).toMatchObject({ "retry-after-ms": "250", "x-should-retry": "true" });
    expect(await res.body.text()).toBe(JSON.stringify(body));
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      httpStatus: 429,
      usageSource: "none",
      pricing: "priced",
      costPicos: 0n,
    });
  });

  it("that leaves no answer is a 502, and unknown where the provider may have done the work", async () => {
    const { gateway } = await start((req) => req.socket.destroy());
    const res = await post(gateway, CHAT);
    expect(res.statusCode).toBe(502);
    expect(res.headers["x-should-retry"]).toBe("true");
    expect(await res.body.json()).toMatchObject({ error: { code: "upstream_failed" } });
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      usageSource: "unknown",
      pricing: "unpriced",
      costPicos: null,
    });
  });

  it("to be reached at all costs nothing", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    await upstream.close();
    const res = await post(gateway, CHAT);
    expect(res.statusCode).toBe(502);
    expect(await res.body.json()).toMatchObject({ error: { code: "upstream_unreachable" } });
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "none", costPicos: 0n });
  });

  it("to answer in time is a 504", async () => {
    const { gateway } = await start(() => undefined, { headersTimeoutMs: 100 });
    const res = await post(gateway, CHAT);
    expect(res.statusCode).toBe(504);
    await res.body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "unknown" });
  });
});

describe("a stream", () => {
  const events = [chunk({ role: "assistant" }, { usage: null }), chunk({ content: "a b" })];

  it("reports its usage although the client did not ask, and the client sees only what it asked for", async () => {
    const { upstream, gateway } = await start(respondEvents([...events, USAGE_CHUNK, DONE]));
    const res = await post(gateway, { ...CHAT, stream: true });
    expect(await res.body.text()).toBe([...events, DONE].join(""));
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toEqual({
      ...CHAT,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(await onlyEvent(gateway)).toMatchObject({
      isStream: true,
      usageSource: "reported",
      servedModel: "gpt-4o-mini-2024-07-18",
      costPicos: 967_500_000n,
    });
  });

  it("is byte for byte the provider's when the client asked for usage", async () => {
    const sent = [...events, USAGE_CHUNK, DONE];
    const { gateway } = await start(respondEvents(sent));
    const res = await post(gateway, {
      ...CHAT,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(await res.body.text()).toBe(sent.join(""));
    expect((await onlyEvent(gateway)).quantities).toEqual({
      input: 400,
      cachedInput: 100,
      output: 1500,
    });
  });

  it("keeps Azure's first chunk, whose choices are empty too", async () => {
    const first = chunk({}, { choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
    const { gateway } = await start(respondEvents([first, ...events, USAGE_CHUNK, DONE]));
    const res = await post(gateway, { ...CHAT, stream: true });
    expect(await res.body.text()).toBe([first, ...events, DONE].join(""));
  });

  it("is counted with the tokenizer when it reports nothing", async () => {
    const { gateway } = await start(respondEvents([...events, DONE]));
    await (await post(gateway, { ...CHAT, stream: true })).body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "succeeded",
      usageSource: "estimated",
      quantities: { output: 2 },
    });
  });

  it("whose client goes away is aborted at the provider, and is one event of what was delivered", async () => {
    let isAborted = false;
    const { gateway } = await start((req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of events) res.write(event);
      req.socket.on("close", () => {
        isAborted = true;
      });
    });
    const res = await post(gateway, { ...CHAT, stream: true });
    await once(res.body, "data");
    res.body.destroy();
    await until("the provider sees the abort", () => isAborted);
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "interrupted",
      usageSource: "estimated",
      servedModel: "gpt-4o-mini-2024-07-18",
      quantities: { output: 2 },
    });
  });

  it.each([
    [{}, 4],
    [{ max_tokens: 3 }, 3],
  ])(
    "whose client goes away counts for what its provider was making, up to the limit: %j",
    async (limit, output) => {
      const { gateway } = await start(
        (_req, res) => {
          res.writeHead(200, { "content-type": "text/event-stream" });
          for (const event of events) res.write(event);
        },
        { overrunMs: 3_600_000 },
      );
      const res = await post(gateway, { ...CHAT, ...limit, stream: true });
      await once(res.body, "data");
      res.body.destroy();
      expect(await onlyEvent(gateway)).toMatchObject({ quantities: { output } });
    },
  );

  it("that reported early and broke off later is metered by what was delivered", async () => {
    const early = chunk({}, { usage: { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 } });
    const { gateway } = await start((req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(early + chunk({ content: "a b c d" }), () => req.socket.destroy());
    });
    const res = await post(gateway, { ...CHAT, stream: true });
    await expect(res.body.text()).rejects.toThrow();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "interrupted",
      usageSource: "estimated",
      quantities: { input: 9, output: 4 },
    });
  });

  it("that breaks off at the provider breaks off for the client, and is one event", async () => {
    const { gateway } = await start((req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(events.join(""), () => req.socket.destroy());
    });
    const res = await post(gateway, { ...CHAT, stream: true });
    await expect(res.body.text()).rejects.toThrow();
    expect(await onlyEvent(gateway)).toMatchObject({ status: "interrupted" });
  });

  it("does not wait for others: 300 are open at the provider at once", async () => {
    const open: (() => void)[] = [];
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      open.push(() => res.end(USAGE_CHUNK + DONE));
    });
    const calls = Array.from({ length: 300 }, () => post(gateway, { ...CHAT, stream: true }));
    await until("all are at the provider", () => open.length === 300);
    for (const end of open) end();
    for (const res of await Promise.all(calls)) expect(await res.body.text()).toBe(DONE);
    expect(gateway.events).toHaveLength(300);
  });

  it("sends its head before the first event is there", async () => {
    const held = Promise.withResolvers<() => void>();
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.flushHeaders();
      held.resolve(() => res.end(DONE));
    });
    const res = await post(gateway, { ...CHAT, stream: true });
    expect(res.statusCode).toBe(200);
    (await held.promise)();
    expect(await res.body.text()).toBe(DONE);
  });
});

describe("a path that is not metered", () => {
  it("is forwarded, and what comes back is unchanged in status and bytes", async () => {
    const bytes = gzipSync("binary \u0000 answer");
    const { upstream, gateway } = await start((_req, res) => {
      res.writeHead(418, { "content-type": "audio/mpeg" });
      res.end(bytes);
    });
    const res = await request(`${gateway.url}/v1/some/new/thing?x=1&y=%20`, {
      headers: { authorization: `Bearer ${gateway.key}`, "accept-encoding": "gzip" },
    });
    expect(res.statusCode).toBe(418);
    expect(Buffer.from(await res.body.arrayBuffer())).toEqual(bytes);
    expect(upstream.seen[0]).toMatchObject({ method: "GET", url: "/v1/some/new/thing?x=1&y=%20" });
    expect(upstream.seen[0]?.headers["accept-encoding"]).toBe("gzip");
    expect(await onlyEvent(gateway)).toMatchObject({ operation: "other", usageSource: "none" });
  });

  it("streams an upload: the provider has its beginning before the client has sent its end", async () => {
    const { upstream, gateway } = await start(respondJson({ id: "file-1" }));
    const first = Promise.withResolvers<void>();
    upstream.onHead = (req) => req.once("data", () => first.resolve());
    const body = new Readable({ read: () => undefined });
    const res = request(`${gateway.url}/v1/files`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${gateway.key}`,
        "content-type": "multipart/form-data; boundary=b",
      },
      body,
    });
    body.push("--b\r\n");
    await first.promise;
    body.push("rest");
    body.push(null);
    expect(await (await res).body.json()).toEqual({ id: "file-1" });
    expect(upstream.seen[0]?.body.toString()).toBe("--b\r\nrest");
    expect(upstream.seen[0]?.headers["content-type"]).toBe("multipart/form-data; boundary=b");
    expect(await onlyEvent(gateway)).toMatchObject({ pricing: "unmetered", costPicos: null });
  });
});
