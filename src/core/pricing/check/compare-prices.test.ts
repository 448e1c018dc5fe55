import { describe, expect, it } from "vitest";
import { BUILT_IN_PRICE_LIST } from "../built-in-price-list.ts";
import { createPriceBook } from "../create-price-book.ts";
import { comparePrices } from "./compare-prices.ts";
import { picosOfUsd } from "./published-price.ts";
import { readLitellmPrices } from "./read-litellm-prices.ts";
import { readOpenrouterPrices } from "./read-openrouter-prices.ts";

// 2026-11-24
const AT_MS = 1_795_478_400_000;
const book = createPriceBook(BUILT_IN_PRICE_LIST);

const compare = (table: Readonly<Record<string, unknown>>) =>
  comparePrices(book, readLitellmPrices(table) ?? readOpenrouterPrices(table) ?? [], AT_MS);
const openai = (prices: object) => ({ litellm_provider: "openai", mode: "chat", ...prices });

describe("a price as other tables write it", () => {
  it.each([
    [1.5e-7, 150_000n],
    [0.00003, 30_000_000n],
    [2.5e-8, 25_000n],
    [0.04, 40_000_000_000n],
    ["0.00000015", 150_000n],
    [0, 0n],
    // Noise in the 17th digit is no price; what is finer than a pico is rounded up.
    [0.000_000_180_000_000_000_000_02, 180_000n],
    [8.333_333_333_333_334e-8, 83_334n],
    [-1, undefined],
    [Number.NaN, undefined],
    ["free", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j is %s picos", (usd, expected) => {
    expect(picosOfUsd(usd)).toBe(expected);
  });
});

describe("a comparison with LiteLLM's table", () => {
  it("finds no difference where there is none, tiers, steps, caches and units included", () => {
    const comparison = compare({
      sample_spec: { input_cost_per_token: 0 },
      "gpt-4o-mini": openai({
        input_cost_per_token: 1.5e-7,
        output_cost_per_token: 6e-7,
        cache_read_input_token_cost: 7.5e-8,
        input_cost_per_token_batches: 7.5e-8,
        output_cost_per_token_batches: 3e-7,
        input_cost_per_token_priority: 2.5e-7,
        cache_read_input_token_cost_priority: 1.25e-7,
      }),
      "gpt-5.4": openai({
        input_cost_per_token: 2.5e-6,
        input_cost_per_token_above_272k_tokens: 5e-6,
        output_cost_per_token_above_272k_tokens: 2.25e-5,
        input_cost_per_token_flex: 1.25e-6,
      }),
      "gpt-4o-audio-preview": openai({ input_cost_per_audio_token: 4e-5 }),
      "whisper-1": openai({ input_cost_per_second: 0.0001 }),
      "tts-1": openai({ input_cost_per_character: 1.5e-5 }),
      "hd/1024-x-1792/dall-e-3": openai({ input_cost_per_image: 0.12 }),
      "256-x-256/dall-e-2": openai({ input_cost_per_image: 0.016 }),
      "high/1024-x-1024/gpt-image-1.5": openai({ input_cost_per_image: 0.133 }),
      "groq/llama-3.1-8b-instant": { litellm_provider: "groq", input_cost_per_token: 5e-8 },
      "claude-opus-4-8": {
        litellm_provider: "anthropic",
        cache_creation_input_token_cost_above_1hr: 1e-5,
      },
      "bedrock/whatever": { litellm_provider: "bedrock", input_cost_per_token: 9 },
    });
    expect(comparison.differences).toEqual([]);
    expect(comparison.onlyThere).toEqual([]);
    expect(comparison.compared).toBe(18);
  });

  it("lists each difference with both prices, and what only one of the two has", () => {
    const comparison = compare({
      "gpt-4o-mini": openai({ input_cost_per_token: 1.6e-7, input_cost_per_audio_token: 1e-5 }),
      "gpt-5.5": openai({ input_cost_per_token_priority: 1e-5 }),
      "openai/gpt-99": openai({ input_cost_per_token: 1e-6 }),
    });
    expect(comparison.differences).toMatchObject([
      {
        provider: "openai",
        name: "gpt-4o-mini",
        tier: "default",
        quantityClass: "input",
        oursUsd: "0.15",
        theirsUsd: "0.16",
        per: "million tokens",
      },
      { quantityClass: "audioInput", oursUsd: null, theirsUsd: "10" },
    ]);
    expect(comparison.onlyThere).toEqual(["openai/gpt-5.5 (priority)", "openai/gpt-99"]);
    expect(comparison.onlyHere).toContain("openai/gpt-4o");
    expect(comparison.onlyHere).not.toContain("openai/gpt-4o-mini");
    expect(comparison.onlyHere.some((name) => name.startsWith("groq/"))).toBe(false);
  });
});

describe("a comparison with OpenRouter's list", () => {
  it("reads its decimals, and takes a zero beside prices for a class that is not there", () => {
    const pricing = { prompt: "0.00000015", completion: "0.0000006", input_cache_write: "0" };
    const comparison = compare({ data: [{ id: "openai/gpt-4o-mini", pricing }, { id: 7 }] });
    expect(comparison).toMatchObject({ compared: 2, differences: [], onlyThere: [] });
  });

  it("is not made of what is in no known format", () => {
    for (const table of [{}, { data: [] }, { data: {} }, { a: 1 }]) {
      expect(readLitellmPrices(table)).toBeUndefined();
      expect(readOpenrouterPrices(table)).toBeUndefined();
    }
  });
});
