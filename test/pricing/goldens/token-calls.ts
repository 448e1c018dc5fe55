/**
 * Chat completions, responses, completions and embeddings in tokens. Prices: the providers' own pages as
 * `@pydantic/genai-prices` collects them, and for OpenAI developers.openai.com/api/docs/pricing; each row of the price
 * book names its source.
 */
import { plain, type Golden } from "./golden.ts";

export const ORDINARY: readonly Golden[] = [
  {
    // 500 x 0.15 + 1500 x 0.60 = 75 + 900
    name: "a plain call",
    model: "gpt-4o-mini-2024-07-18",
    usage: plain(500, 1500),
    costUsd: "0.000975",
  },
  {
    // 1000 x 5 + 100 x 15: this snapshot kept its first price when gpt-4o became cheaper
    name: "a snapshot with a price of its own",
    model: "gpt-4o-2024-05-13",
    usage: plain(1000, 100),
    costUsd: "0.0065",
  },
  {
    // 8 x 0.02
    name: "an embedding, which has no output",
    endpoint: "embeddings",
    model: "text-embedding-3-small",
    usage: { prompt_tokens: 8, total_tokens: 8 },
    costUsd: "0.00000016",
  },
  {
    // 5 x 1.50 + 7 x 2 = 7.5 + 14
    name: "a text completion",
    endpoint: "completions",
    model: "gpt-3.5-turbo-instruct",
    usage: plain(5, 7),
    costUsd: "0.0000215",
  },
  {
    // 1000 x 0.30 + 100 x 1.20
    name: "a fine-tuned model",
    model: "ft:gpt-4o-mini-2024-07-18:acme::abc123",
    usage: plain(1000, 100),
    costUsd: "0.00042",
  },
  {
    // 1000 x 2.50, the 765 of an image among them: images in a prompt cost what text costs
    name: "an image in the prompt",
    model: "gpt-4o",
    usage: { ...plain(1000, 0), prompt_tokens_details: { image_tokens: 765 } },
    costUsd: "0.0025",
  },
  {
    // 1000 x 2.50 + 100 x 10: Azure lists no price of its own in the data, OpenAI's holds
    name: "a call at Azure",
    provider: "azure",
    model: "gpt-4o-2024-08-06",
    usage: plain(1000, 100),
    costUsd: "0.0035",
  },
  {
    // LiteLLM takes a reported zero for no report, and counts tokens itself
    name: "a call that used nothing, which is a report and no gap to be estimated",
    model: "gpt-4o-mini",
    usage: plain(0, 0),
    costUsd: "0",
  },
  {
    name: "a model that its provider gives away",
    provider: "openrouter",
    model: "deepseek/deepseek-r1:free",
    usage: plain(1000, 1000),
    costUsd: "0",
  },
];

export const CACHED: readonly Golden[] = [
  {
    // (2006 - 1920) x 2.50 + 1920 x 1.25 + 300 x 10 = 215 + 2400 + 3000. LiteLLM charged the cached tokens at both
    // prices: 0.010415 (its issue 6215)
    name: "cached tokens, which are not charged twice",
    model: "gpt-4o-2024-08-06",
    usage: { ...plain(2006, 300), prompt_tokens_details: { cached_tokens: 1920 } },
    costUsd: "0.005615",
  },
  {
    // more than 200k input tokens: (262960 - 257955) x 2.50 + 257955 x 0.25 + 1744 x 15
    // = 12512.5 + 64488.75 + 26160. LiteLLM, told that all the tokens are text, charged 0.7642 (its issue 14849)
    name: "cached tokens that the answer also counts as text",
    provider: "google",
    model: "gemini-2.5-pro",
    usage: {
      ...plain(262_960, 1744),
      prompt_tokens_details: { text_tokens: 262_960, cached_tokens: 257_955 },
    },
    costUsd: "0.10316125",
  },
  {
    // 1024 x 0.125 + 10 x 10 = 128 + 100
    name: "a prompt that was cached as a whole",
    endpoint: "responses",
    model: "gpt-5-2025-08-07",
    usage: {
      input_tokens: 1024,
      input_tokens_details: { cached_tokens: 1024 },
      output_tokens: 10,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 1034,
    },
    costUsd: "0.000228",
  },
  {
    // 1000 x 150 + 10 x 600: no discount for cached input is published, so it costs what input costs
    name: "cached tokens of a model without a discount",
    endpoint: "responses",
    model: "o1-pro",
    usage: {
      input_tokens: 1000,
      input_tokens_details: { cached_tokens: 500 },
      output_tokens: 10,
    },
    costUsd: "0.156",
  },
  {
    // 1000 x 0.075: more cached than there was, cut to what there was
    name: "more cached tokens than tokens",
    model: "gpt-4o-mini",
    usage: { ...plain(1000, 0), prompt_tokens_details: { cached_tokens: 5000 } },
    costUsd: "0.000075",
  },
  {
    // 600 x 0.075 + 400 x 0.0375 + 100 x 0.30 = 45 + 15 + 30
    name: "Groq's word for its standard tier",
    provider: "groq",
    model: "openai/gpt-oss-20b",
    tier: "on_demand",
    usage: { ...plain(1000, 100), prompt_tokens_details: { cached_tokens: 400 } },
    costUsd: "0.00009",
  },
];

export const REASONING_AND_AUDIO: readonly Golden[] = [
  {
    // 36 x 1.10 + 87 x 4.40 = 39.6 + 382.8: the 64 reasoning tokens are among the 87
    name: "reasoning, which is output already",
    endpoint: "responses",
    model: "o4-mini-2025-04-16",
    usage: {
      input_tokens: 36,
      output_tokens: 87,
      output_tokens_details: { reasoning_tokens: 64 },
      total_tokens: 123,
    },
    costUsd: "0.0004224",
  },
  {
    // (10120 - 128) x 1.25 + 128 x 0.20 + (1499 + 2809) x 2.50 = 12490 + 25.6 + 10770. xAI's own answer said
    // 232856000 ticks of 1e-10 USD: the same
    name: "reasoning that xAI leaves out of the completion tokens",
    provider: "x-ai",
    model: "grok-4.20",
    usage: {
      prompt_tokens: 10_120,
      completion_tokens: 1499,
      total_tokens: 14_428,
      prompt_tokens_details: { cached_tokens: 128 },
      completion_tokens_details: { reasoning_tokens: 2809 },
    },
    costUsd: "0.0232856",
  },
  {
    // 20 x 0.30 + (623 - 20) x 2.50 = 6 + 1507.5
    name: "reasoning that Gemini tells only in the total",
    provider: "google",
    model: "gemini-2.5-flash",
    usage: { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 },
    costUsd: "0.0015135",
  },
  {
    // 100 x 2.50 + 50 x 10: rejected prediction tokens are among the 50
    name: "a prediction of which a part was rejected",
    model: "gpt-4o-2024-11-20",
    usage: {
      ...plain(100, 50),
      completion_tokens_details: { accepted_prediction_tokens: 25, rejected_prediction_tokens: 20 },
    },
    costUsd: "0.00075",
  },
  {
    // 40 x 2.50 + 60 x 32 + 50 x 10 + 150 x 64 = 100 + 1920 + 500 + 9600
    name: "audio in both directions",
    model: "gpt-audio-2025-08-28",
    usage: {
      ...plain(100, 200),
      prompt_tokens_details: { audio_tokens: 60, cached_tokens: 0 },
      completion_tokens_details: { audio_tokens: 150, reasoning_tokens: 0 },
    },
    costUsd: "0.01212",
  },
  {
    // 40 x 2.50 + 60 audio x 40 + 10 x 10 = 100 + 2400 + 100
    name: "audio whose price the data lacks and the overlay has",
    model: "gpt-4o-audio-preview-2025-06-03",
    usage: { ...plain(100, 10), prompt_tokens_details: { audio_tokens: 60 } },
    costUsd: "0.0026",
  },
];

export const DATED: readonly Golden[] = [
  {
    // 1000 x 10 + 1000 x 40
    name: "o3 in the last millisecond of its first price",
    at: "2025-06-09T23:59:59.999Z",
    model: "o3-2025-04-16",
    usage: plain(1000, 1000),
    costUsd: "0.05",
  },
  {
    // 1000 x 2 + 1000 x 8
    name: "o3 from the day on which OpenAI cut its price by 80 %",
    at: "2025-06-10T00:00:00Z",
    model: "o3-2025-04-16",
    usage: plain(1000, 1000),
    costUsd: "0.01",
  },
  {
    // 5000 x 1 + 2000 x 0.10 + 3000 x 1.25 + 100 x 6 = 5000 + 200 + 3750 + 600
    name: "cache writes before a price change",
    at: "2026-07-29T12:00:00Z",
    model: "gpt-5.6-luna",
    usage: {
      ...plain(10_000, 100),
      prompt_tokens_details: { cached_tokens: 2000, cache_write_tokens: 3000 },
    },
    costUsd: "0.00955",
  },
  {
    // 5000 x 0.20 + 2000 x 0.02 + 3000 x 0.25 + 100 x 1.20 = 1000 + 40 + 750 + 120
    name: "cache writes after it",
    at: "2026-07-30T00:00:00Z",
    model: "gpt-5.6-luna",
    usage: {
      ...plain(10_000, 100),
      prompt_tokens_details: { cached_tokens: 2000, cache_write_tokens: 3000 },
    },
    costUsd: "0.00191",
  },
  {
    // 400 x 1.32 + 600 x 0.044 + 100 x 3.96 = 528 + 26.4 + 396
    name: "DeepSeek in its peak hours, with the cache reads where it reports them",
    provider: "deepseek",
    at: "2026-09-01T02:00:00Z",
    model: "deepseek-v4-pro",
    usage: { ...plain(1000, 100), prompt_cache_hit_tokens: 600, prompt_cache_miss_tokens: 400 },
    costUsd: "0.0009504",
  },
  {
    // 400 x 0.66 + 600 x 0.022 + 100 x 1.98 = 264 + 13.2 + 198
    name: "DeepSeek between them",
    provider: "deepseek",
    at: "2026-09-01T05:00:00Z",
    model: "deepseek-v4-pro",
    usage: { ...plain(1000, 100), prompt_cache_hit_tokens: 600, prompt_cache_miss_tokens: 400 },
    costUsd: "0.0004752",
  },
];

export const LONG_CONTEXT: readonly Golden[] = [
  {
    // 271999 x 2.50 + 1000 x 15: OpenAI's standard price holds below 272K input tokens
    name: "the last token below the long-context price",
    model: "gpt-5.4-2026-03-05",
    usage: plain(272_000, 1000),
    costUsd: "0.695",
  },
  {
    // 272001 x 5 + 1000 x 22.50: the whole call, output too
    name: "the first token at it",
    model: "gpt-5.4-2026-03-05",
    usage: plain(272_001, 1000),
    costUsd: "1.382505",
  },
  {
    // 272000 x 2 + 1000 x 10
    name: "the last token before it on another model",
    model: "gpt-6-sol",
    usage: plain(272_000, 1000),
    costUsd: "0.554",
  },
  {
    // 272001 x 4 + 1000 x 15
    name: "the same, above",
    model: "gpt-6-sol",
    usage: plain(272_001, 1000),
    costUsd: "1.103004",
  },
];

export const WITHOUT_A_PRICE: readonly Golden[] = [
  {
    // LiteLLM books such calls with a cost of 0
    name: "an unknown model",
    model: "gpt-99-ultra",
    usage: plain(1000, 100),
    costUsd: null,
  },
  {
    name: "a tier that the model's provider does not price",
    model: "gpt-5",
    tier: "scale",
    usage: plain(1000, 100),
    costUsd: null,
  },
  {
    name: "a priority tier of a provider that takes over another's prices",
    provider: "azure",
    model: "gpt-4o",
    tier: "priority",
    usage: plain(1000, 100),
    costUsd: null,
  },
  {
    name: "a model that is charged by the request too",
    provider: "perplexity",
    model: "sonar-pro",
    usage: plain(1000, 100),
    costUsd: null,
  },
  {
    name: "a server of one's own",
    provider: "openai-compatible",
    model: "gpt-4o",
    usage: plain(1000, 100),
    costUsd: null,
  },
  { name: "no usage", model: "gpt-4o", usage: null, costUsd: null },
  {
    name: "a negative count",
    model: "gpt-4o",
    usage: { prompt_tokens: -1000, completion_tokens: 100, total_tokens: -900 },
    costUsd: null,
  },
  {
    name: "counts that are texts",
    model: "gpt-4o",
    usage: { prompt_tokens: "1000", completion_tokens: "100" },
    costUsd: null,
  },
];
