/**
 * The official client through the real data plane to an upstream that we did not write, for each endpoint that it
 * serves: what is metered is what the upstream says, and what it does not say is not made up.
 */
import { LLMock } from "@copilotkit/aimock";
import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import { startDataPlane, type DataPlane } from "../support/data-plane.ts";
import { until } from "../support/poll.ts";

const AUDIO_TOKENS = {
  type: "tokens",
  input_tokens: 114,
  output_tokens: 30,
  total_tokens: 144,
  input_token_details: { audio_tokens: 100, text_tokens: 14 },
};
const METERED_TOKENS = { input: 14, audioInput: 100, output: 30 };
const PNG = "iVBORw0KGgo=";

let mock: LLMock;
let gateway: DataPlane;
let client: OpenAI;
beforeEach(async () => {
  mock = new LLMock({ port: 0 });
  await mock.start();
  gateway = await startDataPlane({ upstreamUrl: mock.url });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 });
});
afterEach(async () => {
  await gateway.close();
  await mock.stop();
});

async function metered(): Promise<UsageEvent> {
  const event = await until("the call is settled", async () => gateway.events[0]);
  expect(gateway.events).toHaveLength(1);
  return event;
}

/** Larger than what is held of a form, so that it is streamed. */
const recording = () => toFile(Buffer.alloc(2_000_000, "RIFF"), "a.wav", { type: "audio/wav" });

describe("audio", () => {
  it("in a transcription is metered in tokens, taken apart into audio and text", async () => {
    mock.onTranscription({ transcription: { text: "hello", usage: AUDIO_TOKENS } });
    const file = await recording();
    const answer = await client.audio.transcriptions.create({ file, model: "gpt-4o-transcribe" });
    expect(answer).toMatchObject({ text: "hello", usage: AUDIO_TOKENS });
    expect(await metered()).toMatchObject({
      operation: "audio.transcriptions",
      requestedModel: "gpt-4o-transcribe",
      isStream: false,
      usageSource: "reported",
      quantities: METERED_TOKENS,
    });
  });

  it("in a streamed transcription is metered by the last event", async () => {
    mock.onTranscription({ transcription: { text: "hello there", usage: AUDIO_TOKENS } });
    const model = "gpt-4o-mini-transcribe";
    const file = await recording();
    const stream = await client.audio.transcriptions.create({ model, file, stream: true });
    let text = "";
    for await (const event of stream) if (event.type === "transcript.text.done") text = event.text;
    expect(text).toBe("hello there");
    expect(await metered()).toMatchObject({
      requestedModel: model,
      isStream: true,
      usageSource: "reported",
      quantities: METERED_TOKENS,
    });
  });

  it("that is reported in seconds is metered in milliseconds", async () => {
    mock.onTranscription({
      transcription: { text: "hello", usage: { type: "duration", seconds: 9 } },
    });
    await client.audio.transcriptions.create({ model: "whisper-1", file: await recording() });
    expect(await metered()).toMatchObject({
      usageSource: "reported",
      quantities: { audioInputMs: 9000 },
    });
  });

  it("whose length only the verbose answer tells is estimated by it", async () => {
    mock.onTranslation({ transcription: { text: "hello", duration: 8.47 } });
    const file = await recording();
    await client.audio.translations.create({
      model: "whisper-1",
      response_format: "verbose_json",
      file,
    });
    expect(await metered()).toMatchObject({
      operation: "audio.translations",
      usageSource: "estimated",
      quantities: { audioInputMs: 9000 },
    });
  });

  it("of which nothing is said is unknown and not zero", async () => {
    mock.onTranslation({ transcription: { text: "hello" } });
    await client.audio.translations.create({ model: "whisper-1", file: await recording() });
    expect(await metered()).toMatchObject({
      status: "succeeded",
      usageSource: "unknown",
      quantities: {},
      pricing: "unpriced",
      costPicos: null,
    });
  });

  it("that was spoken by tts-1 is metered by the characters of its text", async () => {
    const audio = Buffer.from("ID3 and what follows");
    mock.onSpeech(/./, { audio: audio.toString("base64") });
    const input = "Grüße 👋 an alle";
    const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input });
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(audio);
    expect(await metered()).toMatchObject({
      operation: "audio.speech",
      requestedModel: "tts-1",
      usageSource: "estimated",
      quantities: { inputCharacters: 15 },
    });
  });

  it("that was spoken by a model priced in tokens is estimated, and marked so", async () => {
    mock.onSpeech(/./, { audio: PNG });
    const input = "x".repeat(1000);
    const model = "gpt-4o-mini-tts";
    await (await client.audio.speech.create({ model, voice: "alloy", input })).arrayBuffer();
    expect(await metered()).toMatchObject({
      usageSource: "estimated",
      quantities: { input: 250, audioOutput: 1250 },
    });
  });
});

describe("pictures", () => {
  it("that were drawn without a report are counted, with what their price hangs on", async () => {
    mock.onImage("two cats", { images: [{ b64Json: PNG }, { b64Json: PNG }] });
    const answer = await client.images.generate({
      model: "dall-e-3",
      prompt: "two cats",
      quality: "hd",
      size: "1024x1792",
    });
    expect(answer.data).toHaveLength(2);
    expect(await metered()).toMatchObject({
      operation: "images.generations",
      usageSource: "reported",
      quantities: { images: 2 },
      variant: "hd/1024x1792",
    });
  });

  it("that were edited are counted, with the size that stands behind the file", async () => {
    mock.onImage("a hat", { image: { url: "https://images.example/1.png" } });
    await client.images.edit({
      image: await recording(),
      model: "dall-e-2",
      prompt: "a hat",
      size: "512x512",
    });
    expect(await metered()).toMatchObject({
      operation: "images.edits",
      requestedModel: "dall-e-2",
      quantities: { images: 1 },
      variant: "standard/512x512",
    });
  });
});

it("a moderation is free, and says so", async () => {
  mock.onModerate(/./, { flagged: false, categories: {} });
  const model = "omni-moderation-latest";
  const answer = await client.moderations.create({ model, input: "hello" });
  expect(answer.results).toHaveLength(1);
  expect(await metered()).toMatchObject({
    operation: "moderations",
    providerResponseId: answer.id,
    usageSource: "none",
    pricing: "priced",
    costPicos: 0n,
  });
});

it.each([false, true])(
  "searches of the web are counted beside the tokens (stream: %s)",
  async (stream) => {
    mock.onMessage("news", {
      content: "So it is",
      webSearches: ["what is", "what was"],
      usage: { input_tokens: 300, output_tokens: 40, total_tokens: 340 },
    });
    const body = { model: "gpt-4o", input: "news", tools: [{ type: "web_search" as const }] };
    if (stream) {
      for await (const event of await client.responses.create({ ...body, stream })) {
        expect(event.type).toBeDefined();
      }
    } else {
      await client.responses.create(body);
    }
    expect(await metered()).toMatchObject({
      operation: "responses",
      usageSource: "reported",
      quantities: { input: 300, output: 40, webSearches: 2 },
      variant: null,
    });
  },
);
