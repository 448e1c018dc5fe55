/** OpenAI's official clients, the plain one and the one for Azure, against accounts at Azure and elsewhere. */
import OpenAI, { AzureOpenAI } from "openai";
import { describe, expect, it } from "vitest";
import { azureProvider } from "../../src/providers/azure/azure-provider.ts";
import { ANSWER, CHAT, DONE, USAGE, USAGE_CHUNK, chunk, onlyEvent } from "../support/chat.ts";
import { dataPlaneFixture } from "../support/data-plane-fixture.ts";
import { PROVIDER_SECRET, type DataPlane } from "../support/data-plane.ts";
import { respondEvents, respondJson, type Respond, type Upstream } from "../support/upstream.ts";

const subject = dataPlaneFixture();
const ASKED = {
  model: "my-deployment",
  messages: [{ role: "user" as const, content: "one two three" }],
};
/** 400 × 0.15 + 100 × 0.075 + 1500 × 0.60 millionths of a dollar: gpt-4o-mini, by the served model's name. */
const COST_PICOS = 967_500_000n;

let upstream: Upstream;
let gateway: DataPlane;
async function start(respond: Respond, options: Parameters<typeof subject.start>[1] = {}) {
  ({ upstream, gateway } = await subject.start(respond, {
    provider: azureProvider,
    basePath: "",
    ...options,
  }));
}

const plainClient = () =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 });
const azureClient = (more: { deployment?: string } = {}) =>
  new AzureOpenAI({
    endpoint: gateway.url,
    apiKey: gateway.key,
    apiVersion: "2024-10-21",
    maxRetries: 0,
    ...more,
  });

describe("a plain client, at an account of Azure", () => {
  it("calls the current surface, with the deployment as the model", async () => {
    await start(respondJson(ANSWER));
    await plainClient().chat.completions.create(ASKED);
    expect(upstream.seen[0]?.url).toBe("/openai/v1/chat/completions");
    expect(upstream.seen[0]?.headers["api-key"]).toBe(PROVIDER_SECRET);
    expect(upstream.seen[0]?.headers["authorization"]).toBeUndefined();
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toEqual(ASKED);
    expect(await onlyEvent(gateway)).toMatchObject({
      provider: "azure",
      requestedModel: "my-deployment",
      servedModel: "gpt-4o-mini-2024-07-18",
      costPicos: COST_PICOS,
    });
  });

  it("calls the dated API below the deployment, where the account names a version", async () => {
    await start(respondJson(ANSWER), { apiVersion: "2024-10-21" });
    await plainClient().chat.completions.create(ASKED);
    await plainClient().models.list({ query: { a: "b" } });
    expect(upstream.seen.map(({ url }) => url)).toEqual([
      "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
      "/openai/models?a=b&api-version=2024-10-21",
    ]);
  });

  it.each(["..", ".", "a/../../b", "a?b#c", "naïve name"])(
    "can make no other path of the model %j",
    async (model) => {
      await start(respondJson(ANSWER), { apiVersion: "2024-10-21" });
      await plainClient().chat.completions.create({ ...ASKED, model });
      expect(upstream.seen[0]?.url).toBe("/openai/v1/chat/completions");
    },
  );

  it("gets Azure's first chunk, which has filter results and no choice, and not the usage it did not ask for", async () => {
    const filtered = chunk(
      {},
      {
        id: "",
        model: "",
        choices: [],
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
      },
    );
    await start(respondEvents([filtered, chunk({ content: "hi" }), USAGE_CHUNK, DONE]));
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const item of await plainClient().chat.completions.create({
      ...ASKED,
      stream: true,
    }))
      chunks.push(item);
    expect(chunks).toHaveLength(2);
    expect(chunks[0]).toHaveProperty("prompt_filter_results");
    expect(chunks.some((item) => item.usage)).toBe(false);
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      servedModel: "gpt-4o-mini-2024-07-18",
      costPicos: COST_PICOS,
    });
  });

  it("is not asked for usage in a stream by a version that does not know how", async () => {
    await start(respondEvents([chunk({ content: "hi" }), DONE]), { apiVersion: "2024-02-01" });
    for await (const item of await plainClient().chat.completions.create({
      ...ASKED,
      stream: true,
    }))
      void item;
    expect(upstream.seen[0]?.body.toString()).not.toContain("stream_options");
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "estimated" });
  });
});

describe("Azure's client, with this gateway as its endpoint", () => {
  it("reaches the dated API with the version that it names, and is metered", async () => {
    await start(respondJson(ANSWER));
    await azureClient().chat.completions.create(ASKED);
    await azureClient().embeddings.create({ model: "embedder", input: "x" });
    expect(upstream.seen.map(({ url }) => url)).toEqual([
      "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
      "/openai/deployments/embedder/embeddings?api-version=2024-10-21",
    ]);
    expect(JSON.stringify(upstream.seen[0]?.headers)).not.toContain(gateway.key);
    expect(gateway.events[0]).toMatchObject({
      operation: "chat.completions",
      path: "/v1/chat/completions",
      costPicos: COST_PICOS,
    });
  });

  it("works with this gateway's URL for plain clients as well", async () => {
    await start(respondJson(ANSWER));
    const client = new AzureOpenAI({
      baseURL: `${gateway.url}/v1`,
      apiKey: gateway.key,
      apiVersion: "2024-10-21",
      maxRetries: 0,
    });
    await client.chat.completions.create(ASKED);
    expect(upstream.seen[0]?.url).toBe(
      "/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21",
    );
  });

  it("is held to the deployment in its path, whatever model its body names", async () => {
    await start(respondJson(ANSWER), { keyEntry: { allowedModels: new Set(["gpt-4o-mini"]) } });
    const other = azureClient({ deployment: "expensive" });
    await expect(
      other.chat.completions.create({ ...ASKED, model: "gpt-4o-mini" }),
    ).rejects.toMatchObject({ status: 403, code: "model_not_allowed" });
    const allowed = azureClient({ deployment: "gpt-4o-mini" });
    await allowed.chat.completions.create({ ...ASKED, model: "expensive" });
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toEqual({
      ...ASKED,
      model: "gpt-4o-mini",
    });
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: "gpt-4o-mini" });
  });

  it("is served by OpenAI too, where the environment's key is OpenAI's", async () => {
    ({ upstream, gateway } = await subject.start(respondJson(ANSWER)));
    await azureClient({ deployment: "gpt-4o-mini" }).chat.completions.create({
      ...ASKED,
      model: "anything",
    });
    expect(upstream.seen[0]?.url).toBe("/v1/chat/completions");
    expect(upstream.seen[0]?.headers["authorization"]).toBe(`Bearer ${PROVIDER_SECRET}`);
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toMatchObject({
      model: "gpt-4o-mini",
    });
  });

  it("is given the model that its path names where its body names none, streamed as well", async () => {
    ({ upstream, gateway } = await subject.start(
      respondEvents([chunk({ content: "hi" }), USAGE_CHUNK, DONE]),
    ));
    const { messages } = ASKED;
    const res = await fetch(
      `${gateway.url}/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21`,
      {
        method: "POST",
        headers: { "api-key": gateway.key, "content-type": "application/json" },
        body: JSON.stringify({ messages, stream: true }),
      },
    );
    await res.text();
    expect(JSON.parse(upstream.seen[0]?.body.toString() ?? "")).toEqual({
      messages,
      stream: true,
      stream_options: { include_usage: true },
      model: "gpt-4o-mini",
    });
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "reported" });
  });

  it("sends a recording below its deployment, and not with two names for it", async () => {
    await start(respondJson({ text: "hello", usage: { type: "duration", seconds: 3 } }));
    const file = new File(["sound"], "a.wav");
    await azureClient().audio.transcriptions.create({ model: "whisper", file });
    expect(upstream.seen[0]?.url).toBe(
      "/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21",
    );
    const form = new FormData();
    form.set("model", "other");
    form.set("file", file);
    const res = await fetch(`${gateway.url}/openai/deployments/whisper/audio/transcriptions`, {
      method: "POST",
      headers: { "api-key": gateway.key },
      body: form,
    });
    expect(res.status).toBe(400);
    expect(await res.json()).toMatchObject({ error: { code: "invalid_form", param: "model" } });
    expect(upstream.seen).toHaveLength(1);
  });

  it("gets errors in OpenAI's shape, and no path that it could escape by", async () => {
    await start(respondJson(ANSWER));
    for (const path of [
      "/openai/deployments/../../secret?api-version=1",
      "/openai/deployments/x/chat/completions?api-version=%0d%0a",
      `/openai/deployments/${gateway.key}/chat/completions?api-version=2024-10-21`,
      "/openai",
      "/openai/..%2fadmin",
    ]) {
      const { port } = new URL(gateway.url);
      const status = await rawStatus(Number(port), path, gateway.key);
      expect([path, status < 200 || status >= 400]).toEqual([path, true]);
    }
    expect(upstream.seen).toEqual([]);
  });
});

it("the usage that tests expect is what the price was worked out for", () => {
  expect([CHAT.model, USAGE.prompt_tokens, USAGE.completion_tokens]).toEqual([
    "gpt-4o-mini",
    500,
    1500,
  ]);
});

/** The path as it is: fetch would resolve its dots. */
async function rawStatus(port: number, path: string, key: string): Promise<number> {
  const { request } = await import("node:http");
  return await new Promise((resolve, reject) => {
    const req = request({ port, host: "127.0.0.1", path, method: "POST" }, (res) => {
      res.resume();
      resolve(res.statusCode ?? 0);
    });
    req.on("error", reject);
    req.setHeader("api-key", key);
    req.setHeader("content-type", "application/json");
    req.end(JSON.stringify(ASKED));
  });
}
