import type { QuantityClass } from "../../usage/quantities.ts";
import { picosOfUsd, type PublishedPrice } from "./published-price.ts";

/** LiteLLM's word for a provider → ours. Others are not compared: their prices are those of a cloud, not of an API. */
const PROVIDERS: Readonly<Record<string, string>> = {
  anthropic: "anthropic",
  cerebras: "cerebras",
  cohere: "cohere",
  cohere_chat: "cohere",
  deepseek: "deepseek",
  fireworks_ai: "fireworks",
  gemini: "google",
  groq: "groq",
  minimax: "minimax",
  mistral: "mistral",
  moonshot: "moonshotai",
  novita: "novita",
  openai: "openai",
  openrouter: "openrouter",
  perplexity: "perplexity",
  "text-completion-openai": "openai",
  together_ai: "together",
  voyage: "voyageai",
  xai: "x-ai",
};

/** Field → class, and how many of the class's units it is for. */
const FIELDS: Readonly<Record<string, readonly [QuantityClass, bigint]>> = {
  input_cost_per_token: ["input", 1n],
  output_cost_per_token: ["output", 1n],
  output_cost_per_reasoning_token: ["reasoningOutput", 1n],
  cache_read_input_token_cost: ["cachedInput", 1n],
  cache_creation_input_token_cost: ["cacheWriteInput", 1n],
  cache_creation_input_token_cost_above_1hr: ["cacheWrite1hInput", 1n],
  input_cost_per_audio_token: ["audioInput", 1n],
  output_cost_per_audio_token: ["audioOutput", 1n],
  input_cost_per_image_token: ["imageInput", 1n],
  output_cost_per_image_token: ["imageOutput", 1n],
  input_cost_per_character: ["inputCharacters", 1n],
  input_cost_per_second: ["audioInputMs", 1000n],
};
const TIER_SUFFIXES: readonly (readonly [suffix: string, tier: string])[] = [
  ["", "default"],
  ["_flex", "flex"],
  ["_priority", "priority"],
  ["_batches", "batch"],
];
const STEP_FIELD = /^(.+)_above_(\d{1,6})k_tokens$/;
/** `hd/1024-x-1792/dall-e-3`, `1024-x-1024/dall-e-2` */
const IMAGE_NAME = /^(?:(standard|hd|low|medium|high)\/)?(\d+)-x-(\d+)\/(.+)$/;

/** Reads `model_prices_and_context_window.json`; undefined when it is not in that format. */
export function readLitellmPrices(
  table: Readonly<Record<string, unknown>>,
): readonly PublishedPrice[] | undefined {
  const entries = Object.entries(table).filter(([, entry]) => isEntry(entry));
  if (entries.length === 0) return undefined;
  return entries.flatMap(([name, entry]) => pricesOf(name, entry as Entry));
}

type Entry = Readonly<Record<string, unknown>> & { readonly litellm_provider: string };

function isEntry(entry: unknown): entry is Entry {
  return (
    typeof entry === "object" &&
    entry !== null &&
    "litellm_provider" in entry &&
    typeof entry.litellm_provider === "string"
  );
}

function pricesOf(name: string, entry: Entry): PublishedPrice[] {
  const provider = PROVIDERS[entry.litellm_provider];
  if (provider === undefined) return [];
  const plain = name.replace(new RegExp(`^${entry.litellm_provider}/`), "");
  const image = IMAGE_NAME.exec(plain);
  if (image) return imagePrices(name, provider, { image, usd: entry["input_cost_per_image"] });
  const one = { name, provider, model: plain, variant: null };
  const tiers = TIER_SUFFIXES.map(([suffix, tier]) => ({
    ...one,
    tier,
    fromInputTokens: 0,
    picosPerUnit: classesOf(entry, suffix),
  }));
  return [...tiers, ...stepsOf(entry).map((step) => ({ ...one, tier: "default", ...step }))].filter(
    ({ picosPerUnit }) => Object.keys(picosPerUnit).length > 0,
  );
}

function classesOf(entry: Entry, suffix: string): PublishedPrice["picosPerUnit"] {
  const prices: Partial<Record<QuantityClass, bigint>> = {};
  for (const [field, [name, size]] of Object.entries(FIELDS)) {
    const picos = picosOfUsd(entry[field + suffix]);
    if (picos !== undefined) prices[name] = picos / size;
  }
  return prices;
}

function stepsOf(entry: Entry): Pick<PublishedPrice, "fromInputTokens" | "picosPerUnit">[] {
  const steps = new Map<number, Partial<Record<QuantityClass, bigint>>>();
  for (const [key, usd] of Object.entries(entry)) {
    const [, field = "", thousands = "0"] = STEP_FIELD.exec(key) ?? [];
    const [name] = FIELDS[field] ?? [];
    const picos = picosOfUsd(usd);
    if (name === undefined || picos === undefined) continue;
    // "Above": the first token count that is more.
    const from = Number(thousands) * 1000 + 1;
    steps.set(from, { ...steps.get(from), [name]: picos });
  }
  return [...steps].map(([fromInputTokens, picosPerUnit]) => ({ fromInputTokens, picosPerUnit }));
}

function imagePrices(
  name: string,
  provider: string,
  { image, usd }: { readonly image: RegExpExecArray; readonly usd: unknown },
): PublishedPrice[] {
  const [, quality = "standard", width, height, model = ""] = image;
  const images = picosOfUsd(usd);
  // Of what is generated in tokens, a price for an image is a rough figure.
  if (images === undefined || !model.startsWith("dall-e")) return [];
  const variant = `${quality}/${width}x${height}`;
  return [
    {
      name,
      provider,
      model,
      tier: "default",
      variant,
      fromInputTokens: 0,
      picosPerUnit: { images },
    },
  ];
}
