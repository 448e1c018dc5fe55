/**
 * Costs of what tokens at the standard price do not tell, worked out by hand from the providers' published prices. The
 * comment above each has the arithmetic (USD per million tokens, unless it says otherwise) and the source; each row of
 * the book names its own source, too.
 */
import { describe, expect, it } from "vitest";
import { formatUsd } from "../../src/core/money/picos.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import type { Quantities } from "../../src/core/usage/quantities.ts";

interface Golden {
  readonly name: string;
  readonly provider?: string;
  readonly model: string;
  readonly tier?: string;
  readonly variant?: string;
  readonly at?: string;
  readonly quantities: Quantities;
  /** Null: unpriced. */
  readonly costUsd: string | null;
}

const AUDIO: readonly Golden[] = [
  {
    // 95 s of 0.006 USD a minute: OpenAI's page of whisper-1
    name: "a recording by the second",
    model: "whisper-1",
    quantities: { audioInputMs: 95_000 },
    costUsd: "0.0095",
  },
  {
    // one second: 0.006 / 60
    name: "the shortest recording",
    model: "whisper-1",
    quantities: { audioInputMs: 1000 },
    costUsd: "0.0001",
  },
  {
    // 60 s of 0.27 USD an hour: genai-prices
    name: "a recording at another price",
    model: "gpt-transcribe",
    quantities: { audioInputMs: 60_000 },
    costUsd: "0.0045",
  },
  {
    name: "a recording whose minimum charge no usage tells",
    provider: "groq",
    model: "whisper-large-v3",
    quantities: { audioInputMs: 60_000 },
    costUsd: null,
  },
  {
    // 1100 audio x 2.50 + 14 text x 2.50 + 90 x 10 = 2750 + 35 + 900: OpenAI's page of gpt-4o-transcribe
    name: "a recording by tokens",
    model: "gpt-4o-transcribe",
    quantities: { audioInput: 1100, input: 14, output: 90 },
    costUsd: "0.003685",
  },
  {
    // 1100 x 1.25 + 90 x 5 = 1375 + 450
    name: "a recording by tokens on the small model",
    model: "gpt-4o-mini-transcribe",
    quantities: { audioInput: 1100, output: 90 },
    costUsd: "0.001825",
  },
  {
    // 4096 characters x 15 USD a million: as OpenAI charged sanand0 on 2025-11-02 (0.0614 USD)
    name: "speech by the character",
    model: "tts-1",
    quantities: { inputCharacters: 4096 },
    costUsd: "0.06144",
  },
  {
    // 4096 x 30
    name: "speech in high definition",
    model: "tts-1-hd-1106",
    quantities: { inputCharacters: 4096 },
    costUsd: "0.12288",
  },
  {
    // 20 x 0.60 + 500 audio x 12 = 12 + 6000
    name: "speech by tokens",
    model: "gpt-4o-mini-tts",
    quantities: { input: 20, audioOutput: 500 },
    costUsd: "0.006012",
  },
  {
    // 10 x 2.50 + 200 audio x 40 + 30 x 10 + 400 audio x 80 = 25 + 8000 + 300 + 32000
    name: "a spoken chat",
    model: "gpt-4o-audio-preview",
    quantities: { input: 10, audioInput: 200, output: 30, audioOutput: 400 },
    costUsd: "0.040325",
  },
  {
    // the same at 100 and 200: 25 + 20000 + 300 + 80000
    name: "a spoken chat at the first snapshot's price",
    model: "gpt-4o-audio-preview-2024-10-01",
    quantities: { input: 10, audioInput: 200, output: 30, audioOutput: 400 },
    costUsd: "0.100325",
  },
  {
    // 200 x 10 + 400 x 20
    name: "a spoken chat on the small model",
    model: "gpt-4o-mini-audio-preview-2024-12-17",
    quantities: { audioInput: 200, audioOutput: 400 },
    costUsd: "0.01",
  },
  {
    // 100 x 4 + 40 cached x 0.40 + 300 audio x 32 + 100 cached audio x 0.40 + 50 x 16 + 600 audio x 64
    // = 400 + 16 + 9600 + 40 + 800 + 38400
    name: "a turn of a realtime session",
    model: "gpt-realtime-2025-08-28",
    quantities: {
      input: 100,
      cachedInput: 40,
      audioInput: 300,
      cachedAudioInput: 100,
      output: 50,
      audioOutput: 600,
    },
    costUsd: "0.049256",
  },
  {
    // 10 image x 5 + 20 cached image x 0.50 = 50 + 10
    name: "a picture shown in a realtime session, and shown again",
    model: "gpt-realtime",
    quantities: { imageInput: 10, cachedImageInput: 20 },
    costUsd: "0.00006",
  },
];

const IMAGES: readonly Golden[] = [
  {
    // 50 x 5 + 272 x 40 = 250 + 10880: OpenAI's page of gpt-image-1
    name: "a generated image by tokens",
    model: "gpt-image-1",
    variant: "low/1024x1024",
    quantities: { input: 50, imageOutput: 272 },
    costUsd: "0.01113",
  },
  {
    // 50 x 5 + 323 image x 10 + 1056 x 40 = 250 + 3230 + 42240
    name: "an edited image by tokens",
    model: "gpt-image-1",
    quantities: { input: 50, imageInput: 323, imageOutput: 1056 },
    costUsd: "0.04572",
  },
  {
    // 1056 x 8
    name: "an image of the small model",
    model: "gpt-image-1-mini",
    quantities: { imageOutput: 1056 },
    costUsd: "0.008448",
  },
  {
    // 1056 x 32
    name: "an image of the model after it",
    model: "gpt-image-1.5",
    quantities: { imageOutput: 1056 },
    costUsd: "0.033792",
  },
  {
    // 1056 x 30
    name: "an image of the newest model that the data lists",
    model: "gpt-image-2",
    quantities: { imageOutput: 1056 },
    costUsd: "0.03168",
  },
  {
    // 0.04 each: OpenAI's price list of 2023-12-25
    name: "images by the piece",
    model: "dall-e-3",
    variant: "standard/1024x1024",
    quantities: { images: 3 },
    costUsd: "0.12",
  },
  {
    name: "a large image in high definition",
    model: "dall-e-3",
    variant: "hd/1792x1024",
    quantities: { images: 1 },
    costUsd: "0.12",
  },
  {
    name: "the smallest image",
    model: "dall-e-2",
    variant: "standard/256x256",
    quantities: { images: 10 },
    costUsd: "0.16",
  },
  {
    name: "an image of a size that has no price",
    model: "dall-e-3",
    variant: "standard/256x256",
    quantities: { images: 1 },
    costUsd: null,
  },
  {
    name: "an image of an unknown size",
    model: "dall-e-3",
    quantities: { images: 1 },
    costUsd: null,
  },
];

const TOOLS: readonly Golden[] = [
  {
    // 1000 x 1.25 + 100 x 10 + 3 x 0.01 + 2 x 0.0025 = 0.00125 + 0.001 + 0.03 + 0.005
    name: "searches of the web and of files",
    model: "gpt-5",
    quantities: { input: 1000, output: 100, webSearches: 3, fileSearches: 2 },
    costUsd: "0.03725",
  },
  {
    // 1000 x 2.50 + 1 x 0.025
    name: "a search by the older tool, on a model that does not reason",
    model: "gpt-4o",
    variant: "web_search_preview",
    quantities: { input: 1000, webSearches: 1 },
    costUsd: "0.0275",
  },
  {
    // 1000 x 2.50 + 1 x 0.01
    name: "a search by the newer tool, on the same model",
    model: "gpt-4o",
    quantities: { input: 1000, webSearches: 1 },
    costUsd: "0.0125",
  },
  {
    // 1 x 0.01: reasoning models cost the same with either tool
    name: "a search by the older tool, on a model that reasons",
    model: "o3",
    variant: "web_search_preview",
    quantities: { webSearches: 1 },
    costUsd: "0.01",
  },
  {
    // 1000 x 0.15 + 2 x 0.03
    name: "two containers of code",
    model: "gpt-4o-mini",
    quantities: { input: 1000, codeSessions: 2 },
    costUsd: "0.06015",
  },
  {
    name: "a model that searches on every call, and says nothing of it",
    model: "gpt-4o-mini-search-preview",
    quantities: { input: 1000, output: 100 },
    costUsd: null,
  },
  {
    // 2000 x 3 + 100 x 15 + 2 x 0.01 = 0.006 + 0.0015 + 0.02: platform.claude.com, pricing
    name: "searches by Claude",
    provider: "anthropic",
    model: "claude-sonnet-4-20250514",
    quantities: { input: 2000, output: 100, webSearches: 2 },
    costUsd: "0.0275",
  },
];

const TIERS: readonly Golden[] = [
  {
    // 1000 x 0.075 + 1000 x 0.30
    name: "a batch",
    model: "gpt-4o-mini",
    tier: "batch",
    quantities: { input: 1000, output: 1000 },
    costUsd: "0.000375",
  },
  {
    // cached input is no cheaper in a batch before gpt-5: 1000 x 1.25 + 0
    name: "cached input in a batch",
    model: "gpt-4o-2024-08-06",
    tier: "batch",
    quantities: { cachedInput: 1000 },
    costUsd: "0.00125",
  },
  {
    // 1000 x 0.01
    name: "embeddings in a batch",
    model: "text-embedding-3-small",
    tier: "batch",
    quantities: { input: 1000 },
    costUsd: "0.00001",
  },
  {
    // 1000 x 0.625 + 1000 x 0.0625 + 1000 x 5
    name: "flex",
    model: "gpt-5-2025-08-07",
    tier: "flex",
    quantities: { input: 1000, cachedInput: 1000, output: 1000 },
    costUsd: "0.0056875",
  },
  {
    // 1000 x 1 + 1000 x 0.25 + 1000 x 4
    name: "flex on o3",
    model: "o3",
    tier: "flex",
    quantities: { input: 1000, cachedInput: 1000, output: 1000 },
    costUsd: "0.00525",
  },
  {
    // 1000 x 4.25 + 1000 x 2.125 + 1000 x 17
    name: "priority",
    model: "gpt-4o",
    tier: "priority",
    quantities: { input: 1000, cachedInput: 1000, output: 1000 },
    costUsd: "0.023375",
  },
  {
    // 1000 x 5 + 1000 x 30: openai.com/api-priority-processing
    name: "priority on a newer model",
    model: "gpt-5.4",
    tier: "priority",
    quantities: { input: 1000, output: 1000 },
    costUsd: "0.035",
  },
  {
    name: "priority where the sources contradict each other",
    model: "gpt-5.5",
    tier: "priority",
    quantities: { input: 1000 },
    costUsd: null,
  },
  {
    // 1000 x 5 + 1000 x 15: this snapshot kept its first price
    name: "the first gpt-4o",
    model: "gpt-4o-2024-05-13",
    quantities: { input: 1000, output: 1000 },
    costUsd: "0.02",
  },
  {
    // 1000 x 2.50 + 1000 x 7.50
    name: "the first gpt-4o in a batch",
    model: "gpt-4o-2024-05-13",
    tier: "batch",
    quantities: { input: 1000, output: 1000 },
    costUsd: "0.01",
  },
  {
    // 1000 x 1.50 + 1000 x 7.50 + 1000 x 1.875 + 1000 x 0.15 + 1000 x 3: platform.claude.com, half of everything
    name: "a batch by Claude, caches of both kinds included",
    provider: "anthropic",
    model: "claude-sonnet-4-20250514",
    tier: "batch",
    quantities: {
      input: 1000,
      output: 1000,
      cacheWriteInput: 1000,
      cachedInput: 1000,
      cacheWrite1hInput: 1000,
    },
    costUsd: "0.014025",
  },
  {
    // 1000 x 6.25 + 1000 x 10: the cache that is kept for an hour costs twice the input
    name: "caches of both kinds",
    provider: "anthropic",
    model: "claude-opus-4-8",
    quantities: { cacheWriteInput: 1000, cacheWrite1hInput: 1000 },
    costUsd: "0.01625",
  },
];

const LONG_CONTEXT: readonly Golden[] = [
  {
    // 272000 x 2.50 + 1000 x 15 = 0.68 + 0.015
    name: "the last token before the step",
    model: "gpt-5.4",
    quantities: { input: 272_000, output: 1000 },
    costUsd: "0.695",
  },
  {
    // 272001 x 5 + 1000 x 22.50
    name: "the first token of the step, charged for all of them",
    model: "gpt-5.4",
    quantities: { input: 272_001, output: 1000 },
    costUsd: "1.382505",
  },
  {
    // (200000 x 2.50 + 100000 x 0.25 + 1000 x 11.25): cached input counts towards the step
    name: "the step on flex, reached by cached input",
    model: "gpt-5.4",
    tier: "flex",
    quantities: { input: 200_000, cachedInput: 100_000, output: 1000 },
    costUsd: "0.53625",
  },
  {
    // 200001 x 6 + 1000 x 22.50
    name: "the step at Anthropic",
    provider: "anthropic",
    model: "claude-sonnet-4-5",
    quantities: { input: 200_001, output: 1000 },
    costUsd: "1.222506",
  },
];

describe.each([
  ["audio", AUDIO],
  ["images", IMAGES],
  ["tools", TOOLS],
  ["tiers", TIERS],
  ["long context", LONG_CONTEXT],
])("golden costs: %s", (_name, goldens) => {
  const book = createPriceBook(BUILT_IN_PRICE_LIST);

  it.each(goldens)("prices $name", (golden) => {
    const rating = book.rate({
      provider: golden.provider ?? "openai",
      model: golden.model,
      serviceTier: golden.tier ?? null,
      variant: golden.variant ?? null,
      atMs: Date.parse(golden.at ?? "2026-11-24T12:00:00Z"),
      quantities: golden.quantities,
    });
    const cost = rating.costPicos === null ? null : formatUsd(rating.costPicos);
    expect(cost, rating.reason ?? "").toBe(golden.costUsd);
    expect(rating.pricing).toBe(golden.costUsd === null ? "unpriced" : "priced");
  });
});
