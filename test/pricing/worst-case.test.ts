import { describe, expect, it } from "vitest";
import {
  affordableOutput,
  worstCaseOf,
  type WorstCase,
} from "../../src/core/budgets/worst-case.ts";
import { leanPicos } from "../../src/core/money/lean-picos.ts";
import { picos } from "../../src/core/money/picos.ts";
import { readCallBound } from "../../src/wire/bounds/read-call-bound.ts";
import { findOperation } from "../../src/wire/find-operation.ts";
import { amountOf, boundDeps, boundOf, wayTo } from "../support/call-bounds.ts";

type Body = { readonly model: string; readonly [field: string]: unknown };

function worst(path: string, body: Body, provider?: string): WorstCase {
  return worstCaseOf(boundDeps, wayTo(body.model, provider), boundOf(path, body));
}

const CHAT = "/v1/chat/completions";
const RESPONSES = "/v1/responses";
const MESSAGES = "/v1/messages";
const hello = [{ role: "user", content: "Hello" }];
const length = (body: unknown): bigint => BigInt(JSON.stringify(body).length);
/** Picos for a token at a price in USD for a million. */
const usd = (perMillion: number): bigint => BigInt(Math.round(perMillion * 1_000_000));
const FRAMING = 200n;

it("is what the guide to budgets works out for its example", () => {
  const content = "A limerick about budgets.";
  const messages = [{ role: "user", content }];
  const body = { model: "gpt-4o-mini", service_tier: "default", max_tokens: 500, messages };
  expect(JSON.stringify(body)).toHaveLength(132);
  const held = 349_800_000n;
  expect(worst(CHAT, body)).toEqual({ kind: "bounded", amount: leanPicos(held) });
  const left = picos(1_000_000_000n - 2n * held);
  const asked = { bound: boundOf(CHAT, body), amountPicos: left };
  expect(affordableOutput(boundDeps, wayTo("gpt-4o-mini"), asked)).toBe(417);
});

describe("the worst case of a call, by hand", () => {
  const plain = { model: "gpt-4o", service_tier: "default", messages: hello };
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
  const seen = { ...plain, max_tokens: 10, messages: [{ role: "user", content: [image, image] }] };
  const embedded = {
    ...plain,
    max_tokens: 10,
    messages: [
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(9000)}` } },
        ],
      },
    ],
  };
  const search = {
    model: "gpt-4.1",
    service_tier: "default",
    input: "Who won?",
    max_output_tokens: 50,
    max_tool_calls: 3,
    tools: [{ type: "web_search" }, { type: "function", name: "f" }],
  };
  const claude = { model: "claude-sonnet-4-6", max_tokens: 100, messages: hello };
  const cached = {
    ...claude,
    system: [{ type: "text", text: "x", cache_control: { type: "ephemeral" } }],
  };
  it.each<[string, string, Body, (bytes: bigint) => bigint]>([
    [
      "a limit of the older name",
      CHAT,
      { ...plain, max_tokens: 100 },
      (n) => (n + FRAMING) * usd(2.5) + 100n * usd(10),
    ],
    [
      "the higher of two limits",
      CHAT,
      { ...plain, max_tokens: 100, max_completion_tokens: 300 },
      (n) => (n + FRAMING) * usd(2.5) + 300n * usd(10),
    ],
    [
      "a limit beside another that a lenient server may read: the most that the model answers",
      CHAT,
      { ...plain, max_tokens: 1, max_completion_tokens: "4096" },
      (n) => (n + FRAMING) * usd(2.5) + 16_384n * usd(10),
    ],
    [
      "a limit beside one that is too high to be one",
      CHAT,
      { ...plain, max_tokens: 1, max_completion_tokens: 2_000_000_000 },
      (n) => (n + FRAMING) * usd(2.5) + 16_384n * usd(10),
    ],
    [
      "no limit: the most that the model answers",
      CHAT,
      plain,
      (n) => (n + FRAMING) * usd(2.5) + 16_384n * usd(10),
    ],
    [
      "three answers",
      CHAT,
      { ...plain, max_tokens: 100, n: 3 },
      (n) => (n + FRAMING) * usd(2.5) + 300n * usd(10),
    ],
    [
      "no tier: it may be served with priority",
      CHAT,
      { model: "gpt-4o", max_tokens: 100, messages: hello },
      (n) => (n + FRAMING) * usd(4.25) + 100n * usd(17),
    ],
    [
      "two pictures at a URL, by the model's own rule",
      CHAT,
      seen,
      (n) => (n + FRAMING + 2n * 1445n) * usd(2.5) + 10n * usd(10),
    ],
    [
      "a picture in the body, whose bytes are no text",
      CHAT,
      embedded,
      (n) => (n - 9022n + FRAMING + 1445n) * usd(2.5) + 10n * usd(10),
    ],
    [
      "spoken answers",
      CHAT,
      {
        model: "gpt-4o-audio-preview",
        modalities: ["text", "audio"],
        audio: {},
        max_tokens: 10,
        messages: hello,
      },
      (n) => (n + FRAMING) * usd(2.5) + 10n * usd(80),
    ],
    [
      "a recording in the body",
      CHAT,
      {
        model: "gpt-4o-audio-preview",
        max_tokens: 10,
        messages: [
          { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA" } }] },
        ],
      },
      (n) => (n + FRAMING) * usd(40) + 10n * usd(10),
    ],
    [
      "a stored conversation: the whole context window",
      RESPONSES,
      {
        model: "gpt-4.1",
        service_tier: "default",
        previous_response_id: "resp_1",
        input: "And then?",
        max_output_tokens: 50,
      },
      () => 1_050_000n * usd(2) + 50n * usd(8),
    ],
    [
      "three searches at most: four turns, three charges",
      RESPONSES,
      search,
      () => 4n * 1_050_000n * usd(2) + 50n * usd(8) + 3n * 25_000_000_000n,
    ],
    ["Anthropic, nothing cached", MESSAGES, claude, (n) => (n + FRAMING) * usd(3) + 100n * usd(15)],
    [
      "Anthropic, with a cache that may be kept for an hour",
      MESSAGES,
      cached,
      (n) => (n + FRAMING) * usd(6) + 100n * usd(15),
    ],
    [
      "two prompts of the older completions, each answered four times",
      "/v1/completions",
      {
        model: "gpt-3.5-turbo-instruct",
        prompt: ["a", "b"],
        best_of: 4,
        n: 2,
        max_tokens: 10,
      },
      (n) => (n + FRAMING) * usd(1.5) + 80n * usd(2),
    ],
    [
      "one prompt of token ids",
      "/v1/completions",
      { model: "gpt-3.5-turbo-instruct", prompt: [1, 2, 3], max_tokens: 10 },
      (n) => (n + FRAMING) * usd(1.5) + 10n * usd(2),
    ],
    [
      "embeddings: no output",
      "/v1/embeddings",
      { model: "text-embedding-3-small", input: ["a", "b"] },
      (n) => (n + FRAMING) * usd(0.02),
    ],
    [
      "speech by the character",
      "/v1/audio/speech",
      { model: "tts-1", input: "Hello", voice: "alloy" },
      (n) => n * usd(15),
    ],
    [
      "speech by the token, spoken at half the pace",
      "/v1/audio/speech",
      { model: "gpt-4o-mini-tts", input: "Hello", speed: 0.5 },
      (n) => n * usd(0.6) + n * 14n * usd(12),
    ],
    [
      "pictures of a known size",
      "/v1/images/generations",
      { model: "dall-e-3", prompt: "a cat", n: 1, quality: "hd", size: "1024x1792" },
      () => 120_000_000_000n,
    ],
    [
      "pictures of an open size: the dearest",
      "/v1/images/generations",
      { model: "dall-e-3", prompt: "a cat" },
      () => 120_000_000_000n,
    ],
    [
      "pictures by the token",
      "/v1/images/generations",
      { model: "gpt-image-1", prompt: "a cat", n: 2, partial_images: 3 },
      (n) => n * usd(10) + 2n * 6540n * usd(40),
    ],
  ])("%s", (_, path, body, expected) => {
    const provider = path === MESSAGES ? "anthropic" : "openai";
    const most = worst(path, body, provider);
    expect(most).toEqual({ kind: "bounded", amount: leanPicos(expected(length(body))) });
  });

  it("bounds a recording by its length at the lowest bit rate", () => {
    const operation = findOperation("POST", "/v1/audio/transcriptions");
    const bound = readCallBound(operation, { bytes: null, byteLength: 500_000, fields: null });
    // 4,000,000 bits at 4000 a second: 1000 s at 0.006 USD a minute
    const whisper = worstCaseOf(boundDeps, wayTo("whisper-1"), bound);
    expect(whisper).toEqual({ kind: "bounded", amount: 100_000_000_000 });
    const open = readCallBound(operation, { bytes: null, byteLength: null, fields: null });
    expect(worstCaseOf(boundDeps, wayTo("whisper-1"), open).kind).toBe("unbounded");
  });

  it("takes the dearest of the models that may answer", () => {
    const bound = boundOf(CHAT, { ...plain, max_tokens: 100 });
    const mini = worstCaseOf(boundDeps, wayTo("gpt-4o-mini"), bound);
    const big = worstCaseOf(boundDeps, wayTo("gpt-4o"), bound);
    expect(worstCaseOf(boundDeps, wayTo(["gpt-4o-mini", "gpt-4o"]), bound)).toEqual(big);
    expect(mini).not.toEqual(big);
    expect(worstCaseOf(boundDeps, wayTo(["gpt-4o", "nobody-knows"]), bound).kind).toBe("unpriced");
  });

  it.each<[string, string, object]>([
    ["a batch", "/v1/batches", { input_file_id: "file-1", endpoint: CHAT }],
    ["a run", "/v1/threads/t/runs", { assistant_id: "a" }],
    ["an endpoint that nobody knows", "/v1/videos", { model: "sora-2" }],
    [
      "hosted tools without an end",
      RESPONSES,
      { model: "gpt-4.1", input: "x", tools: [{ type: "web_search" }] },
    ],
    [
      "a stored prompt, which may bring tools",
      RESPONSES,
      { model: "gpt-4.1", prompt: { id: "p" } },
    ],
    [
      "a tool whose cost nobody says",
      RESPONSES,
      { model: "gpt-4.1", input: "x", max_tool_calls: 1, tools: [{ type: "image_generation" }] },
    ],
    ["a search that charges for its sources", CHAT, { ...plain, search_parameters: {} }],
    ["a number of answers that is none", CHAT, { ...plain, n: "3" }],
    ["a limit in a spelling that some servers take", CHAT, { ...plain, Max_Tokens: 5 }],
    [
      "Anthropic's MCP servers",
      MESSAGES,
      { model: "claude-sonnet-4-6", max_tokens: 1, messages: hello, mcp_servers: [{}] },
    ],
    [
      "pictures whose tokens nobody says",
      "/v1/images/generations",
      { model: "gpt-image-2", prompt: "x" },
    ],
  ])("has no bound: %s", (_, path, body) => {
    const model = (body as { model?: string }).model ?? "gpt-4o";
    const provider = path === MESSAGES ? "anthropic" : "openai";
    const found = worstCaseOf(boundDeps, wayTo(model, provider), boundOf(path, body));
    expect(found).toEqual({ kind: "unbounded", why: expect.stringMatching(/\S/) });
  });

  it.each<[string, string, Body]>([
    ["a model without a price", CHAT, { ...plain, model: "nobody-knows" }],
    ["a tier without a price", CHAT, { ...plain, service_tier: "ultrafast" }],
    ["a fast mode without a price", MESSAGES, { ...claude, speed: "fast" }],
    [
      "a recording for a model that hears none",
      CHAT,
      {
        ...plain,
        messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }],
      },
    ],
  ])("has no price: %s", (_, path, body) => {
    const found = worst(path, body, path === MESSAGES ? "anthropic" : "openai");
    expect(found).toEqual({ kind: "unpriced", why: expect.stringContaining("price") });
  });

  it("is free where nothing costs anything, whatever is asked for", () => {
    expect(worst("/v1/batches", { model: "x" }, "simulator").kind).toBe("free");
    expect(worst(CHAT, plain, "simulator").kind).toBe("free");
    expect(worst("/v1/moderations", { model: "omni-moderation-latest" }).kind).toBe("free");
  });

  it("goes by no limit that the provider ignores", () => {
    const bound = boundOf(CHAT, { ...plain, max_completion_tokens: 5 });
    const deaf = { ...wayTo("gpt-4o"), ignoredLimits: ["max_completion_tokens"] };
    const [limited, open] = [
      worstCaseOf(boundDeps, wayTo("gpt-4o"), bound),
      worstCaseOf(boundDeps, deaf, bound),
    ];
    expect(amountOf(open) - amountOf(limited)).toBe((16_384n - 5n) * usd(10));
  });
});
