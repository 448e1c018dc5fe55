/**
 * The promise of the product: the official client, with nothing but two environment variables changed, against a real
 * server process; and what was metered equals what the upstream says it did, to the token and the pico-dollar.
 */
import { LLMock } from "@copilotkit/aimock";
import OpenAI, { AuthenticationError, toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import { parseUsd } from "../../src/core/money/picos.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

const MODEL = "gpt-4o-mini-2024-07-18";
/** Picos a token, from OpenAI's published prices for gpt-4o-mini: $0.15 and $0.60 per million. */
const INPUT_PICOS = 150_000n;
const OUTPUT_PICOS = 600_000n;

let postgres: TestPostgres;
let mock: LLMock;
beforeAll(async () => {
  postgres = await startPostgres();
  mock = new LLMock({ port: 0 });
  mock.onMessage("hello", {
    content: "Hello to you",
    model: MODEL,
    usage: { prompt_tokens: 501, completion_tokens: 77, total_tokens: 578 },
  });
  mock.onMessage("respond", {
    content: "A response",
    model: MODEL,
    usage: { input_tokens: 1234, output_tokens: 56, total_tokens: 1290 },
  });
  await mock.start();
}, 120_000);
afterAll(async () => {
  await mock.stop();
  await postgres.stop();
});

async function eventsOf(admin: AdminClient, count: number) {
  return until("all calls are in the store", async () => {
    const { data } = expectData(
      await admin.GET("/usage/events", { params: { query: { limit: 200 } } }),
    );
    return data.length >= count ? data.toReversed() : undefined;
  });
}

describe.each(["sqlite", "postgres"])("on %s", (store) => {
  let home: Home;
  let keyward: KeywardProcess;
  let admin: AdminClient;
  let client: OpenAI;

  beforeAll(async () => {
    home = await createHome(
      store === "postgres" ? { KEYWARD_DATABASE_URL: await postgres.createDatabase() } : {},
    );
    keyward = await home.start();
    const secrets = readFirstSecrets(keyward);
    admin = adminOf(keyward, secrets.adminToken);
    client = new OpenAI({ baseURL: secrets.baseUrl, apiKey: secrets.gatewayKey, maxRetries: 0 });
  }, 60_000);
  afterAll(() => home.remove());

  it("answers chat, streams, responses, embeddings and uploads from the simulator at no cost", async () => {
    const messages = [{ role: "user" as const, content: "say something" }];
    const chat = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
    const stream = await client.chat.completions.create({
      model: "gpt-4o-mini",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let streamed = "";
    let streamUsage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta.content ?? "";
      streamUsage = chunk.usage ?? streamUsage;
    }
    const response = await client.responses.create({
      model: "gpt-4o-mini",
      input: "say something",
    });
    const responseStream = await client.responses.create({
      model: "gpt-4o-mini",
      input: "say something",
      stream: true,
    });
    let completed: OpenAI.Responses.Response | undefined;
    for await (const event of responseStream) {
      if (event.type === "response.completed") completed = event.response;
    }
    const embedding = await client.embeddings.create({
      model: "text-embedding-3-small",
      input: ["one", "two"],
    });
    const file = await client.files.create({
      file: await toFile(Buffer.alloc(300_000, "x"), "calls.jsonl"),
      purpose: "batch",
    });
    expect(chat.choices[0]?.message.content).not.toBe("");
    expect(streamed).not.toBe("");
    expect(response.output_text).not.toBe("");
    expect(embedding.data).toHaveLength(2);
    expect(file.bytes).toBe(300_000);

    const events = await eventsOf(admin, 6);
    const upstream = [
      [chat.usage?.prompt_tokens, chat.usage?.completion_tokens],
      [streamUsage?.prompt_tokens, streamUsage?.completion_tokens],
      [response.usage?.input_tokens, response.usage?.output_tokens],
      [completed?.usage?.input_tokens, completed?.usage?.output_tokens],
      [embedding.usage.prompt_tokens, 0],
    ];
    expect(events.slice(0, 5).map((event) => [event.inputTokens, event.outputTokens])).toEqual(
      upstream,
    );
    for (const event of events.slice(0, 5)) {
      expect(event).toMatchObject({ usageSource: "reported", costUsd: "0", provider: "simulator" });
    }
    expect(events[5]).toMatchObject({ operation: "other", path: "/v1/files", usageSource: "none" });
  });

  it("meters what another upstream reports, to the token, and prices it to the pico-dollar", async () => {
    const account = expectData(
      await admin.POST("/provider-accounts", {
        body: {
          name: "acme",
          provider: "openai",
          kind: "organization",
          baseUrl: `${mock.url}/v1`,
        },
      }),
    );
    expectData(
      await admin.POST("/provider-keys", {
        body: {
          accountId: account.id,
          environment: "staging",
          name: "staging",
          secret: ["sk", "svcacct", "a".repeat(24)].join("-"),
        },
      }),
    );
    expectData(await admin.POST("/customers", { body: { externalId: "globex", name: "Globex" } }));
    const { key } = expectData(
      await admin.POST("/keys", {
        body: { environment: "staging", name: "voice", customer: "globex" },
      }),
    );
    const staging = new OpenAI({
      baseURL: `${keyward.url}/v1`,
      apiKey: key,
      maxRetries: 0,
      defaultHeaders: { "x-keyward-feature": "voice-agent" },
    });
    const requestsBefore = mock.getRequests().length;
    const before = (await eventsOf(admin, 0)).length;
    const messages = [{ role: "user" as const, content: "hello" }];
    const { response: raw } = await staging.chat.completions
      .create({ model: "gpt-4o-mini", messages })
      .withResponse();
    expect(raw.headers.get("x-keyward-environment")).toBe("staging");
    expect(parseUsd(raw.headers.get("x-keyward-cost-usd") ?? "")).toBe(
      501n * INPUT_PICOS + 77n * OUTPUT_PICOS,
    );
    const stream = await staging.chat.completions.create({
      model: "gpt-4o-mini",
      messages,
      stream: true,
    });
    for await (const chunk of stream) expect(chunk.choices).not.toHaveLength(0);
    await staging.responses.create({ model: "gpt-4o-mini", input: "respond" });
    const responses = await staging.responses.create({
      model: "gpt-4o-mini",
      input: "respond",
      stream: true,
    });
    for await (const event of responses) expect(event.type).toMatch(/^response\./);

    const events = (await eventsOf(admin, before + 4)).slice(before);
    expect(mock.getRequests().length - requestsBefore).toBe(4);
    expect(events.map((event) => [event.inputTokens, event.outputTokens])).toEqual([
      [501, 77],
      [501, 77],
      [1234, 56],
      [1234, 56],
    ]);
    for (const event of events) {
      expect(event).toMatchObject({
        usageSource: "reported",
        servedModel: MODEL,
        customer: "globex",
        feature: "voice-agent",
        pricing: "priced",
      });
      expect(parseUsd(event.costUsd ?? "")).toBe(
        BigInt(event.inputTokens) * INPUT_PICOS + BigInt(event.outputTokens) * OUTPUT_PICOS,
      );
    }
    const summary = expectData(
      await admin.GET("/usage/summary", {
        params: { query: { groupBy: "customer,feature", customer: "globex" } },
      }),
    );
    expect(summary.data).toHaveLength(1);
    expect(summary.data[0]).toMatchObject({ calls: 4, inputTokens: 3470, outputTokens: 266 });
    expect(parseUsd(summary.data[0]?.costUsd ?? "")).toBe(
      3470n * INPUT_PICOS + 266n * OUTPUT_PICOS,
    );
  });

  it("refuses production until it has a key of its own, and says how to add one", async () => {
    const { key } = expectData(
      await admin.POST("/keys", { body: { environment: "production", name: "live" } }),
    );
    const live = new OpenAI({ baseURL: `${keyward.url}/v1`, apiKey: key, maxRetries: 0 });
    const call = live.chat.completions.create({ model: "gpt-4o-mini", messages: [] });
    await expect(call).rejects.toThrow(
      /keyward provider-keys add --account <account> --environment production/,
    );
  });

  it("stops serving a revoked key within a second, in every process that knows it", async () => {
    const made = expectData(
      await admin.POST("/keys", { body: { environment: "development", name: "leaked" } }),
    );
    const leaked = new OpenAI({ baseURL: `${keyward.url}/v1`, apiKey: made.key, maxRetries: 0 });
    await leaked.models.list();
    expectData(await admin.POST("/keys/{id}/revoke", { params: { path: { id: made.id } } }));
    await until(
      "the key is refused",
      () =>
        leaked.models.list().then(
          () => false,
          (err: unknown) => err instanceof AuthenticationError,
        ),
      1_000,
    );
  });
});
