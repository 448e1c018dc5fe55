/** What is different about the known servers that speak OpenAI's API, in the shapes that their references publish. */
import OpenAI from "openai";
import { expect, it, test } from "vitest";
import { compatibleServers } from "../../src/providers/openai-compatible/compatible-servers.ts";
import { openaiCompatibleProvider } from "../../src/providers/openai-compatible/openai-compatible-provider.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { DONE, onlyEvent } from "../support/chat.ts";
import { dataPlaneFixture } from "../support/data-plane-fixture.ts";
import { respondEvents, respondJson, type Respond } from "../support/upstream.ts";

const subject = dataPlaneFixture();

function known(name: string): Provider {
  const provider = compatibleServers.find((server) => server.name === name);
  if (provider === undefined) throw new Error(`no server is called ${name}`);
  return provider;
}

async function start(name: string, respond: Respond) {
  const provider = known(name);
  const basePath = new URL(provider.defaultBaseUrl ?? provider.baseUrlExample).pathname;
  const { upstream, gateway } = await subject.start(respond, { provider, basePath });
  const client = new OpenAI({
    baseURL: `${gateway.url}/v1`,
    apiKey: gateway.key,
    maxRetries: 0,
  });
  const chunks = async (model: string): Promise<OpenAI.ChatCompletionChunk[]> => {
    const all: OpenAI.ChatCompletionChunk[] = [];
    const stream = await client.chat.completions.create({ ...ask(model), stream: true });
    for await (const item of stream) all.push(item);
    return all;
  };
  return { upstream, gateway, client, chunks };
}

const ask = (model: string) => ({
  model,
  messages: [{ role: "user" as const, content: "one two three" }],
});

const data = (fields: unknown): string => `data: ${JSON.stringify(fields)}\n\n`;
const choice = (delta: unknown, finish: string | null = null) => [
  { index: 0, delta, finish_reason: finish },
];

it("Groq: takes the usage that stands in x_groq, and its on-demand tier as the standard one", async () => {
  const model = "llama-3.3-70b-versatile";
  const usage = {
    queue_time: 0.02,
    prompt_tokens: 1000,
    prompt_time: 0.01,
    completion_tokens: 100,
    completion_time: 0.3,
    total_tokens: 1100,
    total_time: 0.31,
  };
  const base = { id: "chatcmpl-1", model, service_tier: "on_demand" };
  const { upstream, gateway, chunks } = await start(
    "groq",
    respondEvents([
      data({ ...base, choices: choice({ content: "hi" }), x_groq: { id: "req_1" } }),
      data({ ...base, choices: choice({}, "stop"), x_groq: { id: "req_1", usage } }),
      DONE,
    ]),
  );
  expect(await chunks(model)).toHaveLength(2);
  expect(upstream.seen[0]?.url).toBe("/openai/v1/chat/completions");
  // 1000 x 0.59 + 100 x 0.79 millionths of a dollar.
  expect(await onlyEvent(gateway)).toMatchObject({
    usageSource: "reported",
    quantities: { input: 1000, output: 100 },
    costPicos: 669_000_000n,
  });
});

it("Mistral: is not asked for usage, which it refuses to be, and reports it all the same", async () => {
  const model = "mistral-small-latest";
  const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
  const { upstream, gateway, chunks } = await start("mistral", (req, res, seen) => {
    const body = JSON.parse(seen.body.toString()) as Record<string, unknown>;
    if ("stream_options" in body) {
      const detail = [{ type: "extra_forbidden", loc: ["body", "stream_options"] }];
      respondJson({ object: "error", message: { detail } }, 422)(req, res, seen);
      return;
    }
    respondEvents([
      data({ id: "c", model, choices: choice({ content: "hi" }) }),
      data({ id: "c", model, choices: choice({ content: "" }, "stop"), usage }),
      DONE,
    ])(req, res, seen);
  });
  const seen = await chunks(model);
  expect(seen).toHaveLength(2);
  expect(seen[1]).toHaveProperty("usage");
  expect(upstream.seen[0]?.url).toBe("/v1/chat/completions");
  // 1000 x 0.10 + 100 x 0.30
  expect(await onlyEvent(gateway)).toMatchObject({
    usageSource: "reported",
    costPicos: 130_000_000n,
  });
});

it.each([
  ["https://api.mistral.ai", false],
  ["https://api.groq.com", true],
  ["https://llm.example.com", true],
])("an account that names only the address %s is asked for usage: %s", (origin, takesUsage) => {
  const address = openaiCompatibleProvider.address?.({
    basePath: "/v1",
    origin,
    apiVersion: null,
    path: "/chat/completions",
    query: "?a=b",
    model: "m",
    dated: null,
  });
  expect(address).toEqual({
    target: "/v1/chat/completions?a=b",
    takesStreamUsage: takesUsage,
  });
});

it("Gemini: charges the thinking that its completion tokens leave out and its total has", async () => {
  const model = "gemini-2.5-flash";
  const { upstream, gateway, client } = await start(
    "gemini",
    respondJson({
      id: "c",
      model,
      choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1400 },
    }),
  );
  await client.chat.completions.create(ask(model));
  expect(upstream.seen[0]?.url).toBe("/v1beta/openai/chat/completions");
  // 1000 x 0.30 + (100 + 300) x 2.50
  expect(await onlyEvent(gateway)).toMatchObject({
    quantities: { input: 1000, output: 400 },
    costPicos: 1_300_000_000n,
  });
});

it("OpenRouter: reads tokens beside its own cost, which is not what the price book would add up to", async () => {
  const model = "openai/gpt-4o-mini";
  const usage = {
    prompt_tokens: 500,
    completion_tokens: 100,
    total_tokens: 600,
    cost: 0.95,
    is_byok: false,
    cost_details: { upstream_inference_cost: 19 },
    prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
  const { upstream, gateway, chunks } = await start(
    "openrouter",
    respondEvents([
      ": OPENROUTER PROCESSING\n\n",
      data({ id: "gen-1", provider: "OpenAI", model, choices: choice({ content: "hi" }) }),
      data({ id: "gen-1", provider: "OpenAI", model, choices: [], usage }),
      DONE,
    ]),
  );
  expect(await chunks(model)).toHaveLength(1);
  expect(upstream.seen[0]?.url).toBe("/api/v1/chat/completions");
  // 400 x 0.15 + 100 x 0.075 + 100 x 0.60
  expect(await onlyEvent(gateway)).toMatchObject({
    quantities: { input: 400, cachedInput: 100, output: 100 },
    costPicos: 127_500_000n,
  });
});

test.each(["ollama", "vllm"])(
  "%s: a model of one's own is metered, and unpriced until somebody says what it costs",
  async (name) => {
    const model = "qwen3:8b";
    const { upstream, gateway, chunks } = await start(
      name,
      respondEvents([
        data({ id: "c", model, choices: choice({ content: "hi" }), usage: null }),
        data({
          id: "c",
          model,
          choices: [],
          usage: { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 },
        }),
        DONE,
      ]),
    );
    expect(await chunks(model)).toHaveLength(1);
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toMatchObject({
      stream_options: { include_usage: true },
    });
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      quantities: { input: 7, output: 2 },
      pricing: "unpriced",
      costPicos: null,
    });
  },
);
