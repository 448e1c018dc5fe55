/**
 * How much a call of a model can take and give: from the data, which has context windows, and from what Keyward knows
 * besides. A limit that is too low would let a call cost more than was set aside for it, so what is not known for sure
 * is not here.
 */
import type { ModelInfo } from "@pydantic/genai-prices";
import type { ModelLimits } from "../src/core/pricing/price-list.ts";

/** The data rounds windows (1,000,000 for 1,048,576; 128,000 for 131,072): at most by this share, in percent. */
const ROUNDING_PERCENT = 5;

/** By the data's ids. */
interface LimitsOf {
  readonly provider: string;
  readonly models: readonly string[];
  readonly limits: ModelLimits;
  readonly source: string;
}

const OPENAI_MODEL_PAGES = "developers.openai.com/api/docs/models, maximum output of each model";
const OPENAI_VISION = "OpenAI's images and vision guide: calculating costs, of the largest picture";

/** Later entries go before earlier ones, limit by limit. */
export const KNOWN_LIMITS: readonly LimitsOf[] = [
  openai(4096, ["gpt-3.5-turbo", "gpt-3.5-turbo-1106", "gpt-3.5-turbo-instruct"]),
  openai(4096, ["gpt-4-turbo", "gpt-4o-2024-05-13"]),
  openai(8192, ["gpt-4"]),
  openai(16_384, ["chatgpt-4o-latest", "gpt-4o", "gpt-4o-mini"]),
  openai(16_384, ["gpt-4o-audio-preview", "gpt-4o-mini-audio-preview", "gpt-audio"]),
  openai(2000, ["gpt-4o-transcribe", "gpt-4o-mini-transcribe"]),
  openai(32_768, ["gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "o1-preview"]),
  openai(65_536, ["o1-mini"]),
  openai(100_000, ["codex-mini", "o1", "o1-pro", "o3", "o3-pro", "o3-mini", "o4-mini"]),
  openai(100_000, ["o3-deep-research", "o4-mini-deep-research"]),
  openai(128_000, ["gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5.1", "gpt-5.1-codex-mini"]),
  openai(128_000, ["gpt-5.2", "gpt-5.2-pro", "gpt-5.3-codex", "gpt-5.4", "gpt-5.4-mini"]),
  openai(128_000, ["gpt-5.4-nano", "gpt-5.4-pro", "gpt-5.5", "gpt-5.5-pro"]),
  openai(128_000, ["gpt-5.6-luna", "gpt-5.6-sol", "gpt-5.6-terra"]),
  openai(272_000, ["gpt-5-pro"]),
  // 85 tokens and 170 for each of 8 tiles; others by the same rule with figures of their own.
  pictures(1445, ["chatgpt-4o-latest", "gpt-4o", "gpt-4o-2024-05-13", "gpt-4.1", "gpt-4-turbo"]),
  pictures(1275, ["o1", "o1-pro", "o3"]),
  pictures(1190, ["gpt-5"]),
  // Every token of a picture is charged this many times; it does not count so often against the context window.
  inflatedPictures(48_169, 34 * 128_000, ["gpt-4o-mini"]),
  inflatedPictures(2489, 2 * 1_047_576, ["gpt-4.1-mini"]),
  inflatedPictures(3779, 3 * 1_047_576, ["gpt-4.1-nano"]),
  inflatedPictures(2489, 2 * 400_000, ["gpt-5-mini"]),
  inflatedPictures(3779, 3 * 400_000, ["gpt-5-nano"]),
  inflatedPictures(2642, 2 * 200_000, ["o4-mini"]),
  {
    provider: "openai",
    models: ["gpt-image-1", "gpt-image-1-mini"],
    // The largest picture in high quality; one sent in high fidelity counts as one more of them at most.
    limits: { drawnPicture: 6240, picture: 7500 },
    source: "OpenAI's image generation guide: cost and latency; input fidelity",
  },
  {
    provider: "anthropic",
    models: ["claude-sonnet-4-0", "claude-sonnet-4-5"],
    // With a beta header; 200,000 without it.
    limits: { context: 1_000_000 },
    source: "platform.claude.com/docs: context windows",
  },
  {
    provider: "anthropic",
    models: [
      "claude-3-5-haiku-latest",
      "claude-3-5-sonnet",
      "claude-3-7-sonnet-latest",
      "claude-3-haiku",
      "claude-3-opus-latest",
      "claude-3-sonnet",
      "claude-haiku-4-5",
      "claude-opus-4-0",
      "claude-opus-4-1",
      "claude-opus-4-5",
      "claude-opus-4-6",
      "claude-opus-4-7",
      "claude-sonnet-4-0",
      "claude-sonnet-4-5",
      "claude-sonnet-4-6",
    ],
    limits: { picture: 5000 },
    source: "platform.claude.com/docs: vision, image costs (4784 tokens at most)",
  },
];

function openai(output: number, models: readonly string[]): LimitsOf {
  return { provider: "openai", models, limits: { output }, source: OPENAI_MODEL_PAGES };
}

function pictures(picture: number, models: readonly string[]): LimitsOf {
  return { provider: "openai", models, limits: { picture }, source: OPENAI_VISION };
}

function inflatedPictures(picture: number, context: number, models: readonly string[]): LimitsOf {
  return { provider: "openai", models, limits: { picture, context }, source: OPENAI_VISION };
}

/** Undefined where nothing is known of the model. */
export function limitsOf(provider: string, model: ModelInfo): ModelLimits | undefined {
  const window = model.context_window;
  const limits: ModelLimits = Object.assign(
    window === undefined ? {} : { context: Math.ceil((window * (100 + ROUNDING_PERCENT)) / 100) },
    ...KNOWN_LIMITS.filter((one) => one.provider === provider && one.models.includes(model.id)).map(
      (one) => one.limits,
    ),
  );
  return Object.keys(limits).length === 0 ? undefined : limits;
}
