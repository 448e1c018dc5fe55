import { asArray, asName, asObject } from "./fields.ts";
import { NO_FACTS, type JsonObject, type ResponseFacts } from "./operation.ts";
import { COMPLETION_USAGE, readUsage } from "./read-usage.ts";
import type { UsageShape } from "./read-usage.ts";

/** Where chat completions, text completions and embeddings say who answered, and what it took. */
export const COMPLETION_FIELDS = ["id", "model", "service_tier", "usage", "x_groq"] as const;

/** Facts of an answer or of a stream's chunk; both have them in the same places. */
export function readCompletionFacts(
  body: JsonObject,
  shape: UsageShape = COMPLETION_USAGE,
): ResponseFacts {
  return {
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
    serviceTier: asName(body["service_tier"]),
    // Groq's streams carry the usage in an object of their own, with or without include_usage.
    quantities: readUsage(body["usage"] ?? asObject(body["x_groq"])?.["usage"], shape),
  };
}

/**
 * The chunk that `stream_options.include_usage` adds: usage and no choice. Azure's first chunk has no choice either,
 * but carries the filter results of the prompt and no usage; servers that send usage along with choices send nothing
 * that could be left out.
 */
export function isUsageChunk(data: JsonObject): boolean {
  return (
    Array.isArray(data["choices"]) &&
    data["choices"].length === 0 &&
    asObject(data["usage"]) !== undefined &&
    !CLIENT_FIELDS.some((field) => hasContent(data[field]))
  );
}

/** What a client reads although it never asked for usage. */
const CLIENT_FIELDS = ["error", "prompt_filter_results", "prompt_annotations", "moderation"];

function hasContent(value: unknown): boolean {
  return Array.isArray(value) ? asArray(value).length > 0 : value !== undefined && value !== null;
}
