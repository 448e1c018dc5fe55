/** Every endpoint of the simulator through a whole Keyward that has no provider key: it answers, and it is free. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";

let home: Home;
let admin: AdminClient;
let openai: OpenAI;
let claude: Anthropic;

beforeAll(async () => {
  home = await createHome();
  const keyward = await home.start();
  const { adminToken, baseUrl, gatewayKey } = readFirstSecrets(keyward);
  admin = adminOf(keyward, adminToken);
  const options = {
    apiKey: gatewayKey,
    maxRetries: 0,
    defaultHeaders: { "x-simulator-work-ms": "20" },
  };
  openai = new OpenAI({ baseURL: baseUrl, ...options });
  claude = new Anthropic({ baseURL: keyward.url, ...options });
});
afterAll(() => home.remove());

const sound = () => toFile(Buffer.alloc(32_000, "la"), "a.wav");

/** Makes a batch of one line and waits for its output. */
async function runBatch(): Promise<string> {
  const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] };
  const line = { custom_id: "a", method: "POST", url: "/v1/chat/completions", body };
  const file = await openai.files.create({
    file: await toFile(Buffer.from(JSON.stringify(line)), "calls.jsonl"),
    purpose: "batch",
  });
  const { id } = await openai.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  const output = await until("the batch is completed", async () => {
    const batch = await openai.batches.retrieve(id);
    return batch.status === "completed" && batch.output_file_id;
  });
  return (await openai.files.content(output)).text();
}

it("answers every endpoint at no cost, and each call is in the ledger", async () => {
  const image = { model: "gpt-image-1", prompt: "a boat" };
  const speech = { model: "gpt-4o-mini-tts", voice: "alloy", input: "one two" };
  const prompt = { messages: [{ role: "user" as const, content: "hello" }] };

  const spoken = await openai.audio.speech.create({ ...speech, response_format: "wav" });
  expect(Buffer.from(await spoken.arrayBuffer()).toString("latin1", 0, 4)).toBe("RIFF");
  const text = await openai.audio.transcriptions.create({
    file: await sound(),
    model: "whisper-1",
  });
  expect(text.usage).toEqual({ type: "duration", seconds: 2 });
  await openai.audio.translations.create({ file: await sound(), model: "whisper-1" });
  expect((await openai.images.generate(image)).data).toHaveLength(1);
  const boat = await toFile(Buffer.from("boat"), "boat.png");
  expect((await openai.images.edit({ ...image, image: boat })).data).toHaveLength(1);
  const pictures = await openai.images.generate({ ...image, stream: true, partial_images: 1 });
  const types: string[] = [];
  for await (const event of pictures) types.push(event.type);
  expect(types).toEqual(["image_generation.partial_image", "image_generation.completed"]);
  expect((await openai.moderations.create({ input: "hello" })).results).toHaveLength(1);

  const { id } = await openai.responses.create({
    model: "gpt-5-mini",
    input: "hello",
    background: true,
  });
  const done = await until("the response is completed", async () => {
    const response = await openai.responses.retrieve(id);
    return response.status === "completed" && response;
  });
  expect(done.output_text).not.toBe("");
  expect(await runBatch()).toContain('"custom_id":"a"');

  const message = await claude.messages.create({
    model: "claude-sonnet-4-6",
    max_tokens: 100,
    ...prompt,
  });
  const streamed = claude.messages.stream({
    model: "claude-sonnet-4-6",
    max_tokens: 100,
    ...prompt,
  });
  expect((await streamed.finalMessage()).content).toEqual(message.content);
  expect((await claude.models.list()).data).not.toHaveLength(0);

  const events = await until("the last call is in the store", async () => {
    const query = { limit: 200 };
    const { data } = expectData(await admin.GET("/usage/events", { params: { query } }));
    return data.some((event) => event.operation.includes("models") && event.path === "/v1/models")
      ? data
      : undefined;
  });
  for (const event of events) {
    expect(event, event.path).toMatchObject({
      provider: "simulator",
      environment: "development",
      status: "succeeded",
      costUsd: "0",
    });
  }
  const operations = new Set(events.map(({ operation }) => operation));
  for (const operation of ["audio.speech", "audio.transcriptions", "images.generations"]) {
    expect(operations).toContain(operation);
  }
  for (const operation of ["moderations", "responses", "messages"]) {
    expect(operations).toContain(operation);
  }
  const messages = events.filter(({ operation }) => operation === "messages");
  expect(messages.map(({ outputTokens }) => outputTokens)).toEqual([
    message.usage.output_tokens,
    message.usage.output_tokens,
  ]);
});
