import type { QuantityClass } from "../../usage/quantities.ts";
import { picosOfUsd, type PublishedPrice } from "./published-price.ts";

const FIELDS: Readonly<Record<string, QuantityClass>> = {
  prompt: "input",
  completion: "output",
  internal_reasoning: "reasoningOutput",
  input_cache_read: "cachedInput",
  input_cache_write: "cacheWriteInput",
};

/** Reads what OpenRouter answers at `/api/v1/models`; undefined when it is not in that format. */
export function readOpenrouterPrices(
  table: Readonly<Record<string, unknown>>,
): readonly PublishedPrice[] | undefined {
  const { data } = table;
  if (!Array.isArray(data)) return undefined;
  const models = data.filter(isModel);
  return models.length === 0 ? undefined : models.map(priceOf);
}

interface Model {
  readonly id: string;
  readonly pricing: Readonly<Record<string, unknown>>;
}

function isModel(model: unknown): model is Model {
  if (typeof model !== "object" || model === null) return false;
  const { id, pricing } = model as Partial<Model>;
  return typeof id === "string" && typeof pricing === "object" && pricing !== null;
}

function priceOf({ id, pricing }: Model): PublishedPrice {
  const prices: Partial<Record<QuantityClass, bigint>> = {};
  for (const [field, name] of Object.entries(FIELDS)) {
    const picos = picosOfUsd(pricing[field]);
    // A zero beside prices is a class that the model does not have.
    const isGiven = picos !== undefined && (picos > 0n || name === "input" || name === "output");
    if (isGiven) prices[name] = picos;
  }
  return {
    name: id,
    provider: "openrouter",
    model: id,
    tier: "default",
    variant: null,
    fromInputTokens: 0,
    picosPerUnit: prices,
  };
}
