import type {
  TranscriptionDiarized,
  TranscriptionTextDeltaEvent,
  TranscriptionTextDoneEvent,
  TranscriptionVerbose,
} from "openai/resources/audio/transcriptions";
import type { TranslationVerbose } from "openai/resources/audio/translations";
/**
 * Endpoints, and forms of answers, that no upstream of others' making serves: answers built to the types that the official
 * `openai` package publishes, so that the compiler holds them to the API.
 */
import type {
  ImageEditCompletedEvent,
  ImageGenCompletedEvent,
  ImageGenPartialImageEvent,
  ImagesResponse,
} from "openai/resources/images";
import { FormData, request } from "undici";
import { describe, expect, it } from "vitest";
import { onlyEvent } from "../support/chat.ts";
import { dataPlaneFixture } from "../support/data-plane-fixture.ts";
import type { DataPlane } from "../support/data-plane.ts";
import { respondEvents, respondJson, type Respond } from "../support/upstream.ts";

const { start } = dataPlaneFixture();

const PIXELS = "A".repeat(1000);
const IMAGE_TOKENS = {
  input_tokens: 50,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  output_tokens: 272,
  total_tokens: 322,
};
const PICTURE = {
  b64_json: PIXELS,
  background: "opaque",
  created_at: 1,
  output_format: "png",
  quality: "medium",
  size: "1024x1024",
} as const;

async function post(gateway: DataPlane, path: string, body: FormData | object): Promise<string> {
  const isForm = body instanceof FormData;
  const res = await request(`${gateway.url}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.key}`,
      ...(isForm ? {} : { "content-type": "application/json" }),
    },
    body: isForm ? body : JSON.stringify(body),
  });
  return res.body.text();
}

/** A form as the official client writes it: the file first. */
function form(fields: Readonly<Record<string, string>>, fileBytes = 100): FormData {
  const data = new FormData();
  data.set("file", new Blob([Buffer.alloc(fileBytes, "RIFF")]), "a.wav");
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

function events(...data: readonly object[]): Respond {
  return respondEvents(data.map((one) => `data: ${JSON.stringify(one)}\n\n`));
}

function respondText(contentType: string, body: string): Respond {
  return (_req, res) => {
    res.writeHead(200, { "content-type": contentType });
    res.end(body);
  };
}

describe("pictures that are reported in tokens", () => {
  it("are metered by the answer's usage", async () => {
    const answer: ImagesResponse = {
      created: 1,
      data: [{ b64_json: PIXELS }],
      quality: "medium",
      size: "1024x1024",
      usage: IMAGE_TOKENS,
    };
    const { gateway } = await start(respondJson(answer));
    await post(gateway, "/v1/images/generations", { model: "gpt-image-1", prompt: "a cat" });
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "images.generations",
      usageSource: "reported",
      quantities: { input: 10, imageInput: 40, imageOutput: 272 },
      variant: null,
    });
  });

  it("are divided into text and picture where the answer divides them", async () => {
    const answer: ImagesResponse = {
      created: 1,
      usage: { ...IMAGE_TOKENS, output_tokens_details: { image_tokens: 200, text_tokens: 72 } },
    };
    const { gateway } = await start(respondJson(answer));
    await post(gateway, "/v1/images/generations", { model: "gpt-image-2", prompt: "a cat" });
    const { quantities } = await onlyEvent(gateway);
    expect(quantities).toEqual({ input: 10, imageInput: 40, output: 72, imageOutput: 200 });
  });

  const partial: ImageGenPartialImageEvent = {
    ...PICTURE,
    type: "image_generation.partial_image",
    partial_image_index: 0,
  };
  const generated: ImageGenCompletedEvent = {
    ...PICTURE,
    type: "image_generation.completed",
    usage: IMAGE_TOKENS,
  };
  const edited: ImageEditCompletedEvent = {
    ...PICTURE,
    type: "image_edit.completed",
    usage: IMAGE_TOKENS,
  };

  it("are metered by the last event of a stream", async () => {
    const { gateway } = await start(events(partial, generated));
    const body = { model: "gpt-image-1", prompt: "a cat", stream: true };
    await post(gateway, "/v1/images/generations", body);
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      quantities: { input: 10, imageInput: 40, imageOutput: 272 },
    });
  });

  it.each([
    ["a form", form({ model: "gpt-image-1", prompt: "a hat", stream: "true" })],
    ["JSON", { model: "gpt-image-1", prompt: "a hat", images: [], stream: true }],
  ])("are metered when they are edited, asked for in %s", async (_name, body) => {
    const { gateway } = await start(events(edited));
    await post(gateway, "/v1/images/edits", body);
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "images.edits",
      requestedModel: "gpt-image-1",
      isStream: true,
      quantities: { input: 10, imageInput: 40, imageOutput: 272 },
    });
  });

  it("have an unknown cost where another model's tokens are reported beside them", async () => {
    const svg = { model: "gpt-5", input_tokens: 5, output_tokens: 9, reasoning_tokens: 1 };
    const answer: ImagesResponse = {
      created: 1,
      usage: IMAGE_TOKENS,
      svg_usage: { ...svg, total_tokens: 14 },
    };
    const { gateway } = await start(respondJson(answer));
    await post(gateway, "/v1/images/generations", { model: "gpt-image-2", prompt: "a cat" });
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "unknown",
      quantities: { input: 10, imageInput: 40, imageOutput: 272 },
      pricing: "unpriced",
      costPicos: null,
    });
  });
});

describe("pictures that are not reported", () => {
  it("are counted also in an answer that is too large to hold", async () => {
    const data = Array.from({ length: 6 }, () => ({ b64_json: "A".repeat(1024 * 1024) }));
    const { gateway } = await start(respondJson({ created: 1, data } satisfies ImagesResponse));
    const body = { model: "dall-e-2", prompt: "a cat", n: 6, size: "256x256" };
    await post(gateway, "/v1/images/generations", body);
    expect(await onlyEvent(gateway)).toMatchObject({
      quantities: { images: 6 },
      variant: "standard/256x256",
    });
  });

  it("are counted when they are varied", async () => {
    const answer: ImagesResponse = { created: 1, data: [{ url: "https://images.example/1.png" }] };
    const { gateway } = await start(respondJson(answer));
    await post(gateway, "/v1/images/variations", form({ model: "dall-e-2" }));
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "images.variations",
      quantities: { images: 1 },
      variant: "standard/1024x1024",
    });
  });
});

describe("recordings", () => {
  it("are billed by usage.seconds and not by their duration", async () => {
    const answer: TranscriptionVerbose = {
      text: "hello",
      language: "english",
      duration: 8.47,
      usage: { type: "duration", seconds: 9 },
    };
    const { gateway } = await start(respondJson(answer));
    const fields = { model: "whisper-1", response_format: "verbose_json" };
    await post(gateway, "/v1/audio/transcriptions", form(fields));
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      quantities: { audioInputMs: 9000 },
    });
  });

  it("with an explicit zero of seconds cost nothing, and are not estimated", async () => {
    const usage = { type: "duration", seconds: 0 } as const;
    const answer: TranscriptionVerbose = { text: "", language: "english", duration: 3, usage };
    const { gateway } = await start(respondJson(answer));
    await post(gateway, "/v1/audio/transcriptions", form({ model: "whisper-1" }));
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      quantities: { audioInputMs: 0 },
    });
  });

  it("with speakers told apart are metered in tokens", async () => {
    const answer: TranscriptionDiarized = {
      task: "transcribe",
      text: "hello",
      duration: 8.47,
      segments: [],
      usage: { type: "tokens", input_tokens: 80, output_tokens: 5, total_tokens: 85 },
    };
    const { gateway } = await start(respondJson(answer));
    const fields = { model: "gpt-4o-transcribe-diarize", response_format: "diarized_json" };
    await post(gateway, "/v1/audio/transcriptions", form(fields));
    expect((await onlyEvent(gateway)).quantities).toEqual({ input: 80, output: 5 });
  });

  it("in a stream are metered by its last event", async () => {
    const delta: TranscriptionTextDeltaEvent = { type: "transcript.text.delta", delta: "hello" };
    const done: TranscriptionTextDoneEvent = {
      type: "transcript.text.done",
      text: "hello",
      usage: {
        type: "tokens",
        input_tokens: 114,
        output_tokens: 30,
        total_tokens: 144,
        input_token_details: { audio_tokens: 100, text_tokens: 14 },
      },
    };
    const { gateway } = await start(events(delta, done));
    await post(gateway, "/v1/audio/transcriptions", form({ model: "m", stream: "true" }));
    expect((await onlyEvent(gateway)).quantities).toEqual({
      input: 14,
      audioInput: 100,
      output: 30,
    });
  });

  it("that are translated are estimated by the length that the verbose answer tells", async () => {
    const answer: TranslationVerbose = { text: "hello", language: "english", duration: 61.2 };
    const { gateway } = await start(respondJson(answer));
    const fields = { model: "whisper-1", response_format: "verbose_json" };
    await post(gateway, "/v1/audio/translations", form(fields));
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "estimated",
      quantities: { audioInputMs: 62_000 },
    });
  });

  it.each(["text/plain; charset=utf-8", "application/x-subrip", "text/vtt"])(
    "whose answer is %s are passed on untouched, and their usage is unknown",
    async (contentType) => {
      const text = '1\n00:00:00,000 --> 00:00:02,000\n{"usage":{"type":"duration","seconds":1}}\n';
      const { gateway } = await start(respondText(contentType, text));
      const fields = { model: "whisper-1", response_format: "srt" };
      expect(await post(gateway, "/v1/audio/transcriptions", form(fields))).toBe(text);
      expect(await onlyEvent(gateway)).toMatchObject({
        status: "succeeded",
        usageSource: "unknown",
        pricing: "unpriced",
        costPicos: null,
      });
    },
  );

  it("that the provider refuses cost nothing", async () => {
    const { gateway } = await start(respondJson({ error: { message: "no" } }, 400));
    await post(gateway, "/v1/audio/transcriptions", form({ model: "whisper-1" }));
    expect(await onlyEvent(gateway)).toMatchObject({ status: "failed", costPicos: 0n });
  });
});

describe("speech", () => {
  const body = { model: "gpt-4o-mini-tts", voice: "alloy", input: "hello there" };

  it("that comes as events is metered by the last one", async () => {
    const usage = { input_tokens: 14, output_tokens: 101, total_tokens: 115 };
    const { gateway } = await start(
      events({ type: "speech.audio.delta", audio: PIXELS }, { type: "speech.audio.done", usage }),
    );
    await post(gateway, "/v1/audio/speech", { ...body, stream_format: "sse" });
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      quantities: { input: 14, audioOutput: 101 },
    });
  });

  it("whose events break off is estimated from the text that was to be spoken", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`data: {"type":"speech.audio.delta","audio":"${PIXELS}"}\n\n`, () => res.destroy());
    });
    await expect(post(gateway, "/v1/audio/speech", body)).rejects.toThrow();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "interrupted",
      usageSource: "estimated",
      quantities: { input: 3, audioOutput: 14 },
    });
  });

  it("that the provider refuses costs nothing", async () => {
    const { gateway } = await start(respondJson({ error: { message: "no" } }, 429));
    await post(gateway, "/v1/audio/speech", { ...body, model: "tts-1" });
    expect(await onlyEvent(gateway)).toMatchObject({ status: "failed", costPicos: 0n });
  });

  it("has a request that must be JSON", async () => {
    const { gateway } = await start(respondJson({}));
    expect(await post(gateway, "/v1/audio/speech", [])).toContain("invalid_json");
    expect(gateway.intents).toEqual([]);
  });
});
