/**
 * What Keyward knows better than the data of `@pydantic/genai-prices`, or that data does not know at all: audio,
 * images, tools, and the service tiers. Prices are decimals in USD as the provider publishes them: for a million tokens,
 * a million characters, an image, a session. Each entry names its source; what no source confirms is not here, and stays
 * unpriced.
 */
import type { ModelMatch } from "../src/core/pricing/price-list.ts";
import type { QuantityClass } from "../src/core/usage/quantities.ts";

export type UsdByClass = Readonly<Partial<Record<QuantityClass, string>>>;

/** A model that the data lists without some of its prices, or with a wrong one. */
export interface MendedModel {
  readonly provider: string;
  /** The data's id. */
  readonly model: string;
  readonly usd: UsdByClass;
  readonly source: string;
}

/** A model that the data does not list, or takes for another one. */
export interface AddedModel {
  readonly provider: string;
  readonly model: string;
  readonly match: ModelMatch;
  readonly prices: readonly { readonly variant?: string; readonly usd: UsdByClass }[];
  /** What is charged for every call besides and not reported: such a model stays unpriced. */
  readonly everyCall?: readonly string[];
  readonly source: string;
}

/** A model whose price depends on something besides: its rows once more, with other prices, for one variant. */
export interface ModelVariant {
  readonly provider: string;
  readonly models: readonly string[];
  readonly variant: string;
  readonly usd: UsdByClass;
  readonly source: string;
}

/** Tiers whose token prices are a share of the standard ones by the provider's own rule. Charges for tools stay. */
export interface TierShare {
  readonly provider: string;
  readonly tier: string;
  readonly numerator: number;
  readonly denominator: number;
  /** Whether a price for cached input holds in this tier; else cached input is charged as input. */
  readonly isCacheDiscounted: boolean;
  /** Whether the long-context steps hold in this tier. */
  readonly hasSteps: boolean;
  /** The data's ids; `*` = every model of the provider. */
  readonly models: readonly string[] | "*";
  readonly source: string;
}

/** Tiers with prices of their own. */
export interface TierPrices {
  readonly provider: string;
  readonly tier: string;
  /** Model → input, cached input (null: no discount), output. */
  readonly models: Readonly<Record<string, readonly [string, string | null, string]>>;
  readonly source: string;
}

const READ = "read 2026-11-24";
const OPENAI_MODEL_PAGE = (model: string) =>
  `developers.openai.com/api/docs/models/${model}, ${READ}`;
const LITELLM = `LiteLLM model_prices_and_context_window.json, ${READ}`;

export const MENDED_MODELS: readonly MendedModel[] = [
  {
    provider: "openai",
    model: "gpt-4o-audio-preview",
    usd: { audioInput: "40", audioOutput: "80" },
    source: OPENAI_MODEL_PAGE("gpt-4o-audio-preview"),
  },
  {
    provider: "openai",
    model: "gpt-4o-mini-audio-preview",
    usd: { audioInput: "10", audioOutput: "20" },
    source: OPENAI_MODEL_PAGE("gpt-4o-mini-audio-preview"),
  },
  {
    // The data has 6 USD, which OpenAI's page does not say.
    provider: "openai",
    model: "gpt-4o-transcribe",
    usd: { audioInput: "2.5" },
    source: OPENAI_MODEL_PAGE("gpt-4o-transcribe"),
  },
  {
    // The data has 3 USD, which OpenAI's page does not say.
    provider: "openai",
    model: "gpt-4o-mini-transcribe",
    usd: { audioInput: "1.25" },
    source: OPENAI_MODEL_PAGE("gpt-4o-mini-transcribe"),
  },
  {
    // The data has the price of what is spoken as one for text.
    provider: "openai",
    model: "gpt-4o-mini-tts",
    usd: { audioOutput: "12" },
    source: OPENAI_MODEL_PAGE("gpt-4o-mini-tts"),
  },
  // The data has the price of a generated image as one for text.
  ...(
    [
      ["gpt-image-1", "40"],
      ["gpt-image-1-mini", "8"],
      ["gpt-image-2", "30"],
    ] as const
  ).map(([model, imageOutput]) => ({
    provider: "openai",
    model,
    usd: { imageOutput },
    source: `${OPENAI_MODEL_PAGE(model)}; ${LITELLM}`,
  })),
];

/** A container of 1 GB, the default; larger ones cost more and no usage tells their size. */
export const OPENAI_CODE_SESSION = {
  usd: "0.03",
  source: `OpenAI's pricing page, containers of 1 GB (developers.openai.com/api/docs/pricing), ${READ}`,
} as const;

/** The older web search tool costs more on models that do not reason; what it finds is free there. */
export const MODEL_VARIANTS: readonly ModelVariant[] = [
  {
    provider: "openai",
    models: ["gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-mini"],
    variant: "web_search_preview",
    usd: { webSearches: "25" },
    source: `OpenAI's pricing page as quoted at community.openai.com/t/1363698, ${READ}`,
  },
];

/** OpenAI: "more than 272K input tokens"; the data has some steps begin one token early. */
export const OPENAI_LONG_CONTEXT = { listed: 272_000, first: 272_001 } as const;

const DALL_E = `OpenAI's price list for DALL·E 2 and 3 (openai.com/pricing, 2023-12-25), unchanged since; ${LITELLM}`;

export const ADDED_MODELS: readonly AddedModel[] = [
  {
    provider: "openai",
    model: "tts-1",
    match: ["tts-1", "tts-1-1106"],
    prices: [{ usd: { inputCharacters: "15" } }],
    source: OPENAI_MODEL_PAGE("tts-1"),
  },
  {
    provider: "openai",
    model: "tts-1-hd",
    match: ["tts-1-hd", "tts-1-hd-1106"],
    prices: [{ usd: { inputCharacters: "30" } }],
    source: OPENAI_MODEL_PAGE("tts-1-hd"),
  },
  {
    provider: "openai",
    model: "dall-e-3",
    match: "dall-e-3",
    prices: [
      { variant: "standard/1024x1024", usd: { images: "0.04" } },
      { variant: "standard/1024x1792", usd: { images: "0.08" } },
      { variant: "standard/1792x1024", usd: { images: "0.08" } },
      { variant: "hd/1024x1024", usd: { images: "0.08" } },
      { variant: "hd/1024x1792", usd: { images: "0.12" } },
      { variant: "hd/1792x1024", usd: { images: "0.12" } },
    ],
    source: DALL_E,
  },
  {
    provider: "openai",
    model: "dall-e-2",
    match: "dall-e-2",
    prices: [
      { variant: "standard/256x256", usd: { images: "0.016" } },
      { variant: "standard/512x512", usd: { images: "0.018" } },
      { variant: "standard/1024x1024", usd: { images: "0.02" } },
    ],
    source: DALL_E,
  },
  {
    // The first snapshot kept its first price when audio became cheaper.
    provider: "openai",
    model: "gpt-4o-audio-preview-2024-10-01",
    match: "gpt-4o-audio-preview-2024-10-01",
    prices: [{ usd: { input: "2.5", output: "10", audioInput: "100", audioOutput: "200" } }],
    source: "OpenAI's announcement of audio in chat completions, 2024-10-17",
  },
  {
    // Each call of these is a web search, whose charge no usage tells.
    provider: "openai",
    model: "gpt-4o-search-preview",
    match: [
      "gpt-4o-search-preview",
      "gpt-4o-search-preview-2025-03-11",
      "gpt-4o-mini-search-preview",
      "gpt-4o-mini-search-preview-2025-03-11",
    ],
    prices: [{ usd: {} }],
    everyCall: ["the web search of each call"],
    source: OPENAI_MODEL_PAGE("gpt-4o-search-preview"),
  },
];

/** The models that OpenAI's batch page names, by the data's ids: half price for what is asked and answered. */
const OPENAI_BATCH_BEFORE_5 = [
  "gpt-3.5-turbo",
  "gpt-3.5-turbo-1106",
  "gpt-4",
  "gpt-4-turbo",
  "gpt-4.1",
  "gpt-4.1-mini",
  "gpt-4.1-nano",
  "gpt-4o",
  "gpt-4o-2024-05-13",
  "gpt-4o-mini",
  "o1",
  "o1-pro",
  "o3",
  "o3-pro",
  "o3-mini",
  "o3-deep-research",
  "o4-mini",
  "o4-mini-deep-research",
  "text-embedding-3-large",
  "text-embedding-3-small",
  "text-embedding-ada-002",
];
const OPENAI_BATCH_FROM_5 = [
  "gpt-5",
  "gpt-5-mini",
  "gpt-5-nano",
  "gpt-5-pro",
  "gpt-5.1",
  "gpt-5.2",
  "gpt-5.2-pro",
  "gpt-5.4",
  "gpt-5.4-mini",
  "gpt-5.4-nano",
  "gpt-5.4-pro",
  "gpt-5.5",
  "gpt-5.5-pro",
  "gpt-5.6-luna",
  "gpt-5.6-sol",
  "gpt-5.6-terra",
];
const OPENAI_FLEX = [
  "gpt-5",
  "gpt-5-mini",
  "gpt-5-nano",
  "gpt-5.1",
  "gpt-5.2",
  "gpt-5.4",
  "gpt-5.4-mini",
  "gpt-5.4-nano",
  "gpt-5.4-pro",
  "gpt-5.5",
  "gpt-5.5-pro",
  "gpt-5.6-luna",
  "gpt-5.6-sol",
  "gpt-5.6-terra",
  "gpt-6-astra",
  "o3",
  "o4-mini",
];
const HALF = { numerator: 1, denominator: 2 } as const;
const OPENAI_BATCH_GUIDE = `half the standard price: developers.openai.com/api/docs/guides/batch, ${READ}`;

export const TIER_SHARES: readonly TierShare[] = [
  {
    provider: "openai",
    tier: "batch",
    ...HALF,
    isCacheDiscounted: false,
    hasSteps: true,
    models: OPENAI_BATCH_BEFORE_5,
    source: `${OPENAI_BATCH_GUIDE}; ${LITELLM}`,
  },
  {
    provider: "openai",
    tier: "batch",
    ...HALF,
    isCacheDiscounted: true,
    hasSteps: true,
    models: OPENAI_BATCH_FROM_5,
    source: `${OPENAI_BATCH_GUIDE}; ${LITELLM}`,
  },
  {
    provider: "openai",
    tier: "flex",
    ...HALF,
    isCacheDiscounted: true,
    hasSteps: true,
    models: OPENAI_FLEX,
    source: `batch rates, with discounts for cached input: developers.openai.com/api/docs/guides/flex-processing, ${READ}`,
  },
  {
    provider: "openai",
    tier: "priority",
    numerator: 2,
    denominator: 1,
    isCacheDiscounted: true,
    hasSteps: false,
    models: ["gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra"],
    source: LITELLM,
  },
  {
    provider: "anthropic",
    tier: "batch",
    ...HALF,
    isCacheDiscounted: true,
    hasSteps: true,
    models: "*",
    source: `half the standard price, caching included: platform.claude.com/docs/en/about-claude/pricing, ${READ}`,
  },
];

/**
 * Long context is excluded from priority processing: such a call is served, and reported, as standard. `gpt-5.5` is
 * not here, because OpenAI's page (12.50 USD) and LiteLLM's table (10 USD) contradict each other.
 */
export const TIER_PRICES: readonly TierPrices[] = [
  {
    provider: "openai",
    tier: "priority",
    models: {
      "gpt-4.1": ["3.5", "0.875", "14"],
      "gpt-4.1-mini": ["0.7", "0.175", "2.8"],
      "gpt-4.1-nano": ["0.2", "0.05", "0.8"],
      "gpt-4o": ["4.25", "2.125", "17"],
      "gpt-4o-2024-05-13": ["8.75", null, "26.25"],
      "gpt-4o-mini": ["0.25", "0.125", "1"],
      "gpt-5": ["2.5", "0.25", "20"],
      "gpt-5-mini": ["0.45", "0.045", "3.6"],
      "gpt-5.1": ["2.5", "0.25", "20"],
      "gpt-5.2": ["3.5", "0.35", "28"],
      "gpt-5.4": ["5", "0.5", "30"],
      "gpt-5.4-mini": ["1.5", "0.15", "9"],
      o3: ["3.5", "0.875", "14"],
      "o4-mini": ["2", "0.5", "8"],
    },
    source: `openai.com/api-priority-processing; ${LITELLM}`,
  },
];
