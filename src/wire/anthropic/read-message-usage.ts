import type { Quantities } from "../../core/usage/quantities.ts";
import { asArray, asName, asObject } from "../openai/fields.ts";
import type { JsonObject } from "../openai/operation.ts";
import { MAX_TOKENS_PER_CALL } from "../openai/read-usage.ts";

/** What a message's `usage` says that money depends on. */
export interface MessageUsage {
  /** Classes that the usage names, zeros among them; null when it is unusable. */
  readonly quantities: Quantities | null;
  readonly serviceTier: string | null;
  /** Tokens of another model than the message's, which no class holds. */
  readonly unpricedCharge: string | null;
}

/**
 * Takes Anthropic's usage apart. Source: `Usage`, `MessageDeltaUsage` and the iteration usages of Anthropic's published
 * API types. The rules, for they are money:
 *
 * - `input_tokens` leaves cache reads and cache writes out; the three are disjoint. The total of the writes is
 *   `cache_creation_input_tokens`; the part of it that is kept for an hour stands in `cache_creation`, and the rest is
 *   kept for five minutes.
 * - `output_tokens` holds everything that is billed as output; `thinking_tokens` are a part of it.
 * - The tokens of a compaction are not in the totals and are added. Those of an advisor or of a fallback are another
 *   model's; no class can hold them, so they make the call unpriced.
 * - A field that is null or absent is not reported, which is not zero: a stream's later usage leaves out what an earlier
 *   one has said. A field that is no count makes the whole usage unusable.
 */
export function readMessageUsage(value: unknown): MessageUsage {
  const usage = asObject(value);
  if (usage === undefined) return NOTHING;
  const own = readCounts(usage);
  if (own === undefined) return NOTHING;
  const compactions = readCompactions(usage);
  // Without a total to add them to, they would take the place of what the stream has reported before.
  const isAddable = own.input !== undefined || Object.keys(compactions).length === 0;
  return {
    quantities: { ...(isAddable ? add(own, compactions) : own), ...readTools(usage) },
    serviceTier: readTier(usage),
    unpricedCharge: foreignTokens(usage) ?? (isAddable ? null : "tokens of a compaction"),
  };
}

const NOTHING: MessageUsage = Object.freeze({
  quantities: null,
  serviceTier: null,
  unpricedCharge: null,
});

function readCounts(usage: JsonObject): Quantities | undefined {
  const input = readCount(usage["input_tokens"]);
  const output = readCount(usage["output_tokens"]);
  const cached = readCount(usage["cache_read_input_tokens"]);
  const written = readCount(usage["cache_creation_input_tokens"]);
  const counts = [input, output, cached, written];
  if (counts.includes("invalid") || (input ?? output) === undefined) return undefined;
  const anHour = readDetail(asObject(usage["cache_creation"])?.["ephemeral_1h_input_tokens"]);
  const thinking = readDetail(asObject(usage["output_tokens_details"])?.["thinking_tokens"]);
  return {
    ...named("input", input),
    ...named("cachedInput", cached),
    ...divide(written, anHour, ["cacheWriteInput", "cacheWrite1hInput"]),
    ...divide(output, thinking, ["output", "reasoningOutput"]),
  };
}

type Count = number | undefined | "invalid";

function named(name: keyof Quantities, count: Count): Quantities {
  return typeof count === "number" ? { [name]: count } : {};
}

/** A total and a part of it, as two classes; the part is not named where it is not reported. */
function divide(
  total: Count,
  part: number | undefined,
  [restName, partName]: readonly [keyof Quantities, keyof Quantities],
): Quantities {
  if (typeof total !== "number") return {};
  if (part === undefined) return { [restName]: total };
  const held = Math.min(part, total);
  return { [restName]: total - held, [partName]: held };
}

function readCompactions(usage: JsonObject): Quantities {
  let sum: Quantities = {};
  for (const item of asArray(usage["iterations"])) {
    const iteration = asObject(item);
    if (iteration?.["type"] !== "compaction") continue;
    sum = add(sum, readCounts(iteration) ?? {});
  }
  return sum;
}

/** Fetching a page is free; a search is not. */
function readTools(usage: JsonObject): Quantities {
  const searches = readDetail(asObject(usage["server_tool_use"])?.["web_search_requests"]);
  return searches === undefined ? {} : { webSearches: searches };
}

const OWN_ITERATIONS: ReadonlySet<unknown> = new Set(["message", "compaction", undefined]);

function foreignTokens(usage: JsonObject): string | null {
  for (const item of asArray(usage["iterations"])) {
    const type = asObject(item)?.["type"];
    if (!OWN_ITERATIONS.has(type)) return `tokens of ${asName(type) ?? "another model"}`;
  }
  return null;
}

/** Words for running anywhere, which costs nothing extra. */
const ANYWHERE: ReadonlySet<string> = new Set(["global", "not_available"]);

/**
 * The tier, with what else changes every price of a call joined to it: the fast mode, and a place that inference must
 * stay in. `standard` alone has the list's prices; `fast+us` has none that we know, and is not guessed at.
 */
function readTier(usage: JsonObject): string | null {
  const tier = asName(usage["service_tier"]);
  const speed = asName(usage["speed"]);
  const place = asName(usage["inference_geo"]);
  const parts = [
    tier === "standard" ? null : tier,
    speed === "standard" ? null : speed,
    place === null || ANYWHERE.has(place) ? null : place,
  ].filter((part) => part !== null);
  return parts.length === 0 ? tier : parts.join("+");
}

/**
 * What a stream has consumed, from the usage it began with and a later one: each field is the sum so far, and a field
 * that the later one leaves out stands as it was.
 */
export function mergeMessageQuantities(earlier: Quantities, later: Quantities): Quantities {
  const merged: Record<string, number> = { ...earlier, ...later };
  // A later total of the writes does not say again how long they are kept.
  if (later.cacheWriteInput !== undefined && later.cacheWrite1hInput === undefined) {
    const anHour = Math.min(earlier.cacheWrite1hInput ?? 0, later.cacheWriteInput);
    merged["cacheWrite1hInput"] = anHour;
    merged["cacheWriteInput"] = later.cacheWriteInput - anHour;
  }
  if (later.output !== undefined && later.reasoningOutput === undefined) {
    delete merged["reasoningOutput"];
  }
  return merged;
}

/** Without the classes of which there is nothing. */
export function withoutZeros(quantities: Quantities): Quantities {
  const kept = Object.entries(quantities).filter(
    ([name, count]) => count !== 0 || name === "input" || name === "output",
  );
  return Object.fromEntries(kept);
}

function add(left: Quantities, right: Quantities): Quantities {
  const sum: Record<string, number> = { ...left };
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function readCount(value: unknown): Count {
  if (value === undefined || value === null) return undefined;
  return readDetail(value) ?? "invalid";
}

function readDetail(value: unknown): number | undefined {
  const isCount =
    Number.isSafeInteger(value) &&
    (value as number) >= 0 &&
    (value as number) <= MAX_TOKENS_PER_CALL;
  return isCount ? (value as number) : undefined;
}
