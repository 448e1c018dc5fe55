/**
 * From the data of `@pydantic/genai-prices` to Keyward's price list. Pure: the same data always gives the same list.
 * What cannot be taken over exactly is named in the report, and what is not understood stops the conversion.
 */
import type {
  ConditionalPrice,
  MatchLogic,
  ModelInfo,
  ModelPrice,
  Provider,
  TieredPrices,
} from "@pydantic/genai-prices";
import type {
  ListedModel,
  ListedPrices,
  ListedProvider,
  ListedUnits,
  ModelMatch,
} from "../src/core/pricing/price-list.ts";
import type { QuantityClass } from "../src/core/usage/quantities.ts";
import { limitsOf } from "./model-limits.ts";

/** Data key of a price for a million tokens → quantity class. */
const TOKEN_CLASSES: Readonly<Record<string, QuantityClass>> = {
  input_mtok: "input",
  cache_read_mtok: "cachedInput",
  cache_write_mtok: "cacheWriteInput",
  cache_write_1h_mtok: "cacheWrite1hInput",
  input_audio_mtok: "audioInput",
  cache_audio_read_mtok: "cachedAudioInput",
  input_image_mtok: "imageInput",
  cache_image_read_mtok: "cachedImageInput",
  output_mtok: "output",
  output_reasoning_mtok: "reasoningOutput",
  output_audio_mtok: "audioOutput",
  output_image_mtok: "imageOutput",
};

/** Data key of another price → quantity class, and how many of the class's unit the price is for. */
const UNIT_CLASSES: Readonly<Record<string, readonly [QuantityClass, number]>> = {
  web_searches_kcount: ["webSearches", 1000],
  storage_searches_kcount: ["fileSearches", 1000],
  input_audio_hours: ["audioInputMs", 3_600_000],
};

/** Charges of every call that tokens do not tell: a model that has one is not priced by its tokens alone. */
const EVERY_CALL = new Set([
  "audio_hours",
  "input_annotated_document_kpages",
  "input_document_kpages",
  "input_text_messages_kcount",
  "output_citation_mtok",
  "requests_kcount",
]);

/** Charges of calls that use a tool or a modality which no metered operation reports. */
const ON_USE = new Set(["input_video_mtok", "output_video_mtok"]);

/**
 * Models that the data lists without any price. That means free for these alone, by the providers' own word
 * (OpenAI: moderation is free of charge; Google: Gemma has no paid tier on the Gemini API; OpenRouter: `:free`).
 * Any other stays without a price, which is unpriced and not free.
 */
const FREE_MODELS: Readonly<Record<string, (model: string) => boolean>> = {
  openai: (model) => model === "moderation",
  google: (model) =>
    ["gemma-3", "gemma-3n", "gemma-4-26b-a4b-it", "gemma-4-31b-it"].includes(model),
  openrouter: (model) => model.endsWith(":free"),
};

/** What a reader of the conversion should know; one line each. */
export interface ConversionReport {
  readonly lines: string[];
}

export function convertProvider(
  provider: Provider,
  standardTiers: readonly string[],
  report: ConversionReport,
): ListedProvider {
  return {
    name: provider.id,
    apiPattern: provider.api_pattern,
    ...(provider.fallback_model_providers && { fallbacks: provider.fallback_model_providers }),
    ...(standardTiers.length > 0 && { standardTiers }),
    models: provider.models.map((model) => convertModel(provider.id, model, report)),
  };
}

function convertModel(provider: string, model: ModelInfo, report: ConversionReport): ListedModel {
  const context = `${provider}/${model.id}`;
  const conditional: readonly ConditionalPrice[] = Array.isArray(model.prices)
    ? model.prices
    : [{ prices: model.prices }];
  const isFree = FREE_MODELS[provider]?.(model.id) === true;
  const prices = withDates(conditional, context, report).map(([validity, price]) =>
    Object.keys(price).length === 0 && isFree
      ? { ...validity, free: true as const }
      : { ...validity, ...convertPrices(price, context, report) },
  );
  if (conditional.some(({ prices: price }) => Object.keys(price).length === 0) && !isFree) {
    report.lines.push(`${context}: listed without any price, stays unpriced`);
  }
  const limits = limitsOf(provider, model);
  const match = convertMatch(model.match);
  return limits === undefined ? [model.id, match, prices] : [model.id, match, prices, limits];
}

type Validity = Pick<ListedPrices, "from" | "untilMs" | "daily">;

/**
 * Start dates and daily windows. The data cannot put both on one entry, and its notes on DeepSeek say how it is meant:
 * windows stand behind the dated price that they belong to, so here they begin with it.
 */
function withDates(
  prices: readonly ConditionalPrice[],
  context: string,
  report: ConversionReport,
): (readonly [Validity, ModelPrice])[] {
  const starts = prices.map(({ constraint }) =>
    constraint?.type === "start_date"
      ? Date.parse(`${constraint.start_date}T00:00:00Z`)
      : undefined,
  );
  let from: readonly [string, number] | undefined;
  return prices.map(({ constraint, prices: price }, index) => {
    if (constraint?.type === "start_date") {
      const startMs = starts[index] ?? Number.NaN;
      if (!(startMs > (from?.[1] ?? 0))) throw new Error(`${context}: start dates must ascend`);
      from = [constraint.start_date, startMs];
    } else if (constraint === undefined && index > 0) {
      throw new Error(`${context}: an undated price must come first`);
    }
    const nextMs = starts.slice(index + 1).find((start) => start !== undefined);
    const validity: Validity = {
      ...(from && { from }),
      ...(nextMs !== undefined && { untilMs: nextMs }),
    };
    if (constraint?.type !== "time_of_date") return [validity, price];
    report.lines.push(
      `${context}: priced by the time of day, ${constraint.start_time} to ${constraint.end_time}`,
    );
    const daily = [secondOfDay(constraint.start_time), secondOfDay(constraint.end_time)] as const;
    return [{ ...validity, daily }, price];
  });
}

function secondOfDay(time: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)Z$/.exec(time);
  if (!match) throw new Error(`not a time of day in UTC: ${time}`);
  return Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3]);
}

function convertPrices(
  price: ModelPrice,
  context: string,
  report: ConversionReport,
): Omit<ListedPrices, keyof Validity | "free"> {
  const everyCall: string[] = [];
  const onUse: string[] = [];
  const byClass = new Map<QuantityClass, number | TieredPrices>();
  const units: Partial<Record<QuantityClass, number>> = {};
  for (const [key, value] of Object.entries(price)) {
    const name = TOKEN_CLASSES[key];
    if (value === undefined) continue;
    const unit = UNIT_CLASSES[key];
    if (name !== undefined) byClass.set(name, value);
    else if (unit !== undefined) {
      const picos = picosPerUnit(value, unit[1], `${context}: ${key}`);
      if (picos === undefined) everyCall.push(key);
      else units[unit[0]] = picos;
    } else if (key === "audio_hours" && price["input_audio_hours"] === value) continue;
    else if (EVERY_CALL.has(key)) everyCall.push(key);
    else if (ON_USE.has(key)) onUse.push(key);
    else throw new Error(`${context}: unknown price key ${key}; decide what it is to a call`);
  }
  for (const key of everyCall)
    report.lines.push(`${context}: ${key} is not metered, stays unpriced`);
  for (const key of onUse) report.lines.push(`${context}: ${key} is not part of the price`);
  const unitsFrom = (inputTokens: number): ListedUnits =>
    Object.fromEntries([
      ...[...byClass].map(([name, value]) => [
        name,
        picosPerToken(priceAt(value, inputTokens), `${context} ${name}`, report),
      ]),
      ...Object.entries(units),
    ]) as ListedUnits;
  const steps = stepsOf([...byClass.values()]);
  return {
    ...(byClass.size + Object.keys(units).length > 0 && { units: unitsFrom(0) }),
    ...(steps.length > 0 && { steps: steps.map((from) => [from, unitsFrom(from)] as const) }),
    ...(everyCall.length > 0 && { everyCall }),
    ...(onUse.length > 0 && { onUse }),
  };
}

/**
 * Picos for one of `size` units, by whole numbers. Undefined where that is no whole number: Groq's price for an hour of
 * recording is none by the millisecond, and Groq charges ten seconds at least, which no usage tells.
 */
function picosPerUnit(value: unknown, size: number, context: string): number | undefined {
  if (typeof value !== "number") throw new Error(`${context}: not a plain price`);
  const micros = picosPerToken(value, context, { lines: [] });
  const picos = BigInt(micros) * 1_000_000n;
  return picos % BigInt(size) === 0n ? Number(picos / BigInt(size)) : undefined;
}

/** A tier's `start` is exclusive in the data: its price holds when the call has more input tokens than that, for all of them. */
function stepsOf(values: readonly (number | TieredPrices)[]): number[] {
  const starts = values.flatMap((value) =>
    typeof value === "number" ? [] : value.tiers.map((tier) => tier.start + 1),
  );
  return [...new Set(starts)].toSorted((a, b) => a - b);
}

function priceAt(value: number | TieredPrices, inputTokens: number): number {
  if (typeof value === "number") return value;
  let price = value.base;
  for (const tier of value.tiers.toSorted((a, b) => a.start - b.start)) {
    if (inputTokens > tier.start) price = tier.price;
  }
  return price;
}

const PICOS_PER_USD_PER_MILLION_DIGITS = 6;

/**
 * USD per million tokens → picos per token, by moving the decimal point of the number as it prints; no float is
 * multiplied. Digits beyond the 15th are float noise. What is finer than a pico is rounded up, and reported.
 */
export function picosPerToken(
  usdPerMillion: number,
  context: string,
  report: ConversionReport,
): number {
  if (!Number.isFinite(usdPerMillion) || usdPerMillion < 0 || usdPerMillion > 1_000_000) {
    throw new Error(`${context}: not a price: ${usdPerMillion}`);
  }
  const printed = decimalOf(Number(usdPerMillion.toPrecision(15)));
  const [whole = "0", fraction = ""] = printed.split(".");
  const picos = Number(whole + fraction.slice(0, PICOS_PER_USD_PER_MILLION_DIGITS).padEnd(6, "0"));
  const isFiner = /[1-9]/.test(fraction.slice(PICOS_PER_USD_PER_MILLION_DIGITS));
  const result = isFiner ? picos + 1 : picos;
  if (isFiner || printed !== decimalOf(usdPerMillion)) {
    report.lines.push(
      `${context}: ${usdPerMillion} USD per million taken as ${result} picos per token`,
    );
  }
  return result;
}

function decimalOf(value: number): string {
  const text = String(value);
  const match = /^(\d)(?:\.(\d+))?e-(\d+)$/.exec(text);
  if (!match) {
    if (text.includes("e")) throw new Error(`not a plain number: ${text}`);
    return text;
  }
  const [, first = "", rest = "", exponent = "0"] = match;
  return `0.${"0".repeat(Number(exponent) - 1)}${first}${rest}`;
}

function convertMatch(match: MatchLogic): ModelMatch {
  if ("equals" in match) return match.equals;
  if ("or" in match) {
    // The data repeats names that differ in case alone; matching ignores case.
    const seen = new Set<string>();
    return match.or.map(convertMatch).filter((clause) => {
      const key = typeof clause === "string" ? clause.toLowerCase() : JSON.stringify(clause);
      return !seen.has(key) && seen.add(key);
    });
  }
  if ("and" in match) return { and: match.and.map(convertMatch) };
  if ("starts_with" in match) return { startsWith: match.starts_with };
  if ("ends_with" in match) return { endsWith: match.ends_with };
  if ("contains" in match) return { contains: match.contains };
  return { regex: match.regex };
}
