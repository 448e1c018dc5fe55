/** Anthropic's official client against the data plane, with an upstream built from its published types. */
import Anthropic, { AuthenticationError, PermissionDeniedError } from "@anthropic-ai/sdk";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it, test } from "vitest";
import { anthropicProvider } from "../../src/providers/anthropic/anthropic-provider.ts";
import { SseAnswer } from "../../src/proxy/answers/sse-answer.ts";
import { findOperation } from "../../src/wire/find-operation.ts";
import { onlyEvent } from "../support/chat.ts";
import { dataPlaneFixture } from "../support/data-plane-fixture.ts";
import { PROVIDER_SECRET, type DataPlane } from "../support/data-plane.ts";
import { until } from "../support/poll.ts";
import { respondJson, type Respond, type Upstream } from "../support/upstream.ts";

const subject = dataPlaneFixture();
const MODEL = "claude-sonnet-4-6";
const CALL = {
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: "user" as const, content: "one two three" }],
};

const USAGE: Anthropic.Usage = {
  input_tokens: 100,
  output_tokens: 50,
  cache_read_input_tokens: 2000,
  cache_creation_input_tokens: 700,
  cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 400 },
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: "standard",
  inference_geo: "global",
  speed: "standard",
};
/**
 * Claude Sonnet 4.6, USD for a million tokens: input 3, output 15, cache read 0.30, cache write 3.75 (5 minutes) and
 * 6 (1 hour): 100×3 + 2000×0.3 + 300×3.75 + 400×6 + 50×15 = 300 + 600 + 1125 + 2400 + 750 = 5175 millionths of a dollar.
 */
const COST_PICOS = 5_175_000_000n;

function message(change: Partial<Anthropic.Message> = {}): unknown {
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: MODEL,
    content: [{ type: "text", text: "hello there", citations: null }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: USAGE,
    ...change,
  };
}

function event(data: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

const START = event({
  type: "message_start",
  message: message({ content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } }),
});
const TEXT = [
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  event({ type: "ping" }),
  ...["one ", "two ", "three ", "four"].map((text) =>
    event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  ),
  event({ type: "content_block_stop", index: 0 }),
];
const END = [
  event({
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 50 },
  }),
  event({ type: "message_stop" }),
];
const STREAM = [START, ...TEXT, ...END];

let gateway: DataPlane;
let upstream: Upstream;
let client: Anthropic;

async function start(respond: Respond, options: Parameters<typeof subject.start>[1] = {}) {
  ({ gateway, upstream } = await subject.start(respond, {
    provider: anthropicProvider,
    ...options,
  }));
  client = new Anthropic({ baseURL: gateway.url, apiKey: gateway.key, maxRetries: 0 });
}

describe("a message", () => {
  it("is metered in Anthropic's classes and priced with both ages of cache writes", async () => {
    await start(respondJson(message(), 200, { "request-id": "req_anthropic" }));
    const { data, response } = await client.messages.create(CALL).withResponse();
    expect(data.content[0]).toMatchObject({ text: "hello there" });
    expect(response.headers.get("x-keyward-cost-usd")).toBe("0.005175");
    expect(response.headers.get("request-id")).toBe("req_anthropic");
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "messages",
      provider: "anthropic",
      requestedModel: MODEL,
      servedModel: MODEL,
      providerResponseId: "msg_1",
      serviceTier: "standard",
      usageSource: "reported",
      quantities: {
        input: 100,
        cachedInput: 2000,
        cacheWriteInput: 300,
        cacheWrite1hInput: 400,
        output: 50,
      },
      costPicos: COST_PICOS,
    });
  });

  it("goes to the provider with its own key and the client's version, and never with Keyward's key", async () => {
    await start(respondJson(message()));
    await client.messages.create(CALL, { headers: { "anthropic-version": "2099-01-01" } });
    await client.beta.messages.create(
      { ...CALL, betas: ["context-1m-2025-08-07"] },
      { query: { beta: "true" } },
    );
    const [first, second] = upstream.seen;
    expect(first).toMatchObject({ method: "POST", url: "/v1/messages" });
    expect(first?.headers).toMatchObject({
      "x-api-key": PROVIDER_SECRET,
      "anthropic-version": "2099-01-01",
    });
    expect(JSON.parse(first?.body.toString() ?? "")).toEqual(CALL);
    expect(second?.url).toBe("/v1/messages?beta=true");
    expect(second?.headers["anthropic-beta"]).toBe("context-1m-2025-08-07");
    expect(JSON.stringify(upstream.seen.map(({ headers }) => headers))).not.toContain(gateway.key);
  });

  it("gets a version of the API where its client names none", async () => {
    await start(respondJson(message()));
    await fetch(`${gateway.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": gateway.key, "content-type": "application/json" },
      body: JSON.stringify(CALL),
    });
    expect(upstream.seen[0]?.headers["anthropic-version"]).toBe("2023-06-01");
  });

  it("belongs to the customer that its metadata names, unless the key or a header does", async () => {
    await start(respondJson(message()));
    await client.messages.create({ ...CALL, metadata: { user_id: "acme" } });
    await client.messages.create(
      { ...CALL, metadata: { user_id: "acme" } },
      { headers: { "x-keyward-customer": "umbrella" } },
    );
    await until("both are settled", () => gateway.events.length === 2);
    expect(gateway.events.map(({ customer }) => customer)).toEqual(["acme", "umbrella"]);
  });

  it("of a tier or a place that has a surcharge we do not know is unpriced, not too cheap", async () => {
    await start(respondJson(message({ usage: { ...USAGE, inference_geo: "us" } })));
    await client.messages.create(CALL);
    expect(await onlyEvent(gateway)).toMatchObject({
      serviceTier: "us",
      pricing: "unpriced",
      costPicos: null,
    });
  });
});

describe("a streamed message", () => {
  it("arrives byte for byte, and is metered by its beginning and its end together", async () => {
    await start(streaming(STREAM));
    const stream = client.messages.stream(CALL);
    const final = await stream.finalMessage();
    expect(final.content[0]).toMatchObject({ text: "one two three four" });
    expect(await onlyEvent(gateway)).toMatchObject({
      isStream: true,
      usageSource: "reported",
      status: "succeeded",
      providerResponseId: "msg_1",
      costPicos: COST_PICOS,
    });
  });

  it("that is left is aborted, and metered by its input and by what was delivered", async () => {
    await start(streaming([START, ...TEXT], { isHeld: true }));
    const stream = await client.messages.create({ ...CALL, stream: true });
    let text = "";
    for await (const item of stream) {
      if (item.type === "content_block_delta" && item.delta.type === "text_delta")
        text += item.delta.text;
      if (text.endsWith("four")) break;
    }
    const settled = await onlyEvent(gateway);
    expect(settled).toMatchObject({ status: "interrupted", usageSource: "estimated" });
    expect(settled.quantities).toMatchObject({ input: 100, cachedInput: 2000, output: 4 });
  });

  it("that ends in an error is failed, and charged by what was delivered before", async () => {
    const error = event({
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    });
    await start(streaming([START, ...TEXT, error]));
    await expect(client.messages.stream(CALL).finalMessage()).rejects.toThrow(/[Oo]verloaded/);
    const settled = await onlyEvent(gateway);
    expect(settled).toMatchObject({ status: "failed", usageSource: "estimated" });
    expect(settled.quantities).toMatchObject({ input: 100, output: 4 });
  });

  it("that stops without its end is not taken for a whole report", async () => {
    await start(streaming([START, ...TEXT]));
    for await (const item of await client.messages.create({ ...CALL, stream: true })) void item;
    const settled = await onlyEvent(gateway);
    expect(settled).toMatchObject({ usageSource: "estimated" });
    expect(settled.quantities).toMatchObject({ output: 4 });
  });
});

test("however a stream's bytes are cut, they pass unchanged and the usage is the same", () => {
  const bytes = Buffer.from(STREAM.join(""));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
      const sent: Buffer[] = [];
      const answer = new SseAnswer((piece) => sent.push(piece), {
        operation: findOperation("POST", "/v1/messages"),
        isUsageHidden: false,
        maxEventBytes: 1024 * 1024,
        maxRetainedBytes: 1024,
        maxTextCharacters: 1024,
      });
      const ends = [...new Set([...cuts, bytes.length])].toSorted((a, b) => a - b);
      let from = 0;
      for (const end of ends) {
        answer.push(bytes.subarray(from, end));
        from = end;
      }
      const rest = answer.finish();
      if (rest !== undefined) sent.push(rest);
      expect(Buffer.concat(sent).equals(bytes)).toBe(true);
      expect(answer.facts()).toMatchObject({
        servedModel: MODEL,
        isInterim: false,
        quantities: { input: 100, cacheWriteInput: 300, cacheWrite1hInput: 400, output: 50 },
      });
    }),
    { seed: 11, numRuns: 300 },
  );
});

describe("errors", () => {
  it("of the provider pass through as they are, and cost nothing", async () => {
    const body = {
      type: "error",
      error: { type: "invalid_request_error", message: "max_tokens: field required" },
      request_id: "req_1",
    };
    await start(respondJson(body, 400));
    await expect(client.messages.create(CALL)).rejects.toMatchObject({
      status: 400,
      error: body,
    });
    expect(await onlyEvent(gateway)).toMatchObject({ status: "failed", costPicos: 0n });
  });

  it("of Keyward's own have Anthropic's shape, and the client knows them by their class", async () => {
    await start(respondJson(message()), {
      keyEntry: { allowedModels: new Set(["claude-haiku-4-5"]) },
    });
    await expect(
      new Anthropic({ baseURL: gateway.url, apiKey: "wrong", maxRetries: 0 }).messages.create(CALL),
    ).rejects.toBeInstanceOf(AuthenticationError);
    const refused = await client.messages.create(CALL).catch((err: unknown) => err);
    expect(refused).toBeInstanceOf(PermissionDeniedError);
    expect(refused).toMatchObject({
      status: 403,
      error: {
        type: "error",
        error: { type: "permission_error", code: "model_not_allowed" },
        request_id: expect.stringMatching(/^req_/) as string,
      },
    });
    const stranger = new Anthropic({ baseURL: gateway.url, apiKey: "wrong", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({ error: { type: "error" } });
    expect(upstream.seen).toEqual([]);
  });

  it("of a call that no provider of the environment can take say so, in either dialect", async () => {
    await start(respondJson(message()));
    const asOpenai = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, messages: [] }),
    });
    expect(asOpenai.status).toBe(404);
    expect(await asOpenai.json()).toMatchObject({
      error: { code: "endpoint_not_served", param: null },
    });
    const openai = await subject.start(respondJson({}));
    const claude = new Anthropic({
      baseURL: openai.gateway.url,
      apiKey: openai.gateway.key,
      maxRetries: 0,
    });
    await expect(claude.messages.create(CALL)).rejects.toMatchObject({
      status: 404,
      error: { error: { type: "not_found_error", code: "endpoint_not_served" } },
    });
    expect(upstream.seen).toEqual([]);
    expect(openai.upstream.seen).toEqual([]);
  });
});

describe("the other endpoints", () => {
  beforeEach(() => start(respondJson({ input_tokens: 12 })));

  it("count tokens for nothing", async () => {
    const { model, messages } = CALL;
    expect(await client.messages.countTokens({ model, messages })).toEqual({ input_tokens: 12 });
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "messages.count_tokens",
      costPicos: 0n,
      usageSource: "none",
    });
  });

  it("pass batches through, shown as unmetered and never as free", async () => {
    await client.messages.batches.create({ requests: [{ custom_id: "a", params: CALL }] });
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "messages.batches.create",
      pricing: "unmetered",
      costPicos: null,
    });
    expect(upstream.seen[0]?.url).toBe("/v1/messages/batches");
  });

  it("list models with Anthropic's key, because the client says that it is Anthropic's", async () => {
    upstream.respond = respondJson({ data: [], has_more: false, first_id: null, last_id: null });
    await client.models.list();
    expect(upstream.seen[0]).toMatchObject({ method: "GET", url: "/v1/models" });
    expect(upstream.seen[0]?.headers["x-api-key"]).toBe(PROVIDER_SECRET);
  });
});

/** `isHeld`: the answer is left open after the last event. */
function streaming(
  events: readonly string[],
  options: { readonly isHeld?: boolean } = {},
): Respond {
  return (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (const item of events) res.write(item);
    if (options.isHeld !== true) res.end();
  };
}
