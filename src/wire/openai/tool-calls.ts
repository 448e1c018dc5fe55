import type { Quantities } from "../../core/usage/quantities.ts";
import { asArray, asObject } from "./fields.ts";
import type { JsonObject } from "./operation.ts";

/** What the provider's own tools did in a response, besides the model's tokens. */
export interface ToolCharges {
  readonly quantities: Quantities;
  /** The older search tool, whose searches have a price of their own; null for any other. */
  readonly priceVariant: string | null;
  /** What they consumed that no class holds. */
  readonly unpricedCharge: string | null;
}

/**
 * The charged tool calls of a response. Sources: `ResponseFunctionWebSearch` (only the action `search` is charged, not the
 * opening of a page), `ResponseFileSearchToolCall`, `ResponseCodeInterpreterToolCall` and `Response.ToolUsage` of OpenAI's
 * API, whose count of billable searches goes before the number of items.
 */
export function readToolCharges(response: JsonObject): ToolCharges {
  const items = asArray(response["output"]);
  const usage = asObject(response["tool_usage"]);
  const counted = countToolCalls(items);
  const searches = asObject(usage?.["web_search"])?.["num_requests"];
  const quantities = isCount(searches) ? withSearches(counted, searches) : counted;
  const isPreview =
    quantities.webSearches !== undefined && asArray(response["tools"]).some(isSearchPreview);
  return {
    quantities,
    priceVariant: isPreview ? SEARCH_PREVIEW : null,
    unpricedCharge: findUnpriced(items, usage),
  };
}

/** `web_search_preview_2025_03_11` is a dated name of it. */
const SEARCH_PREVIEW = "web_search_preview";

function isSearchPreview(tool: unknown): boolean {
  const type = asObject(tool)?.["type"];
  return typeof type === "string" && type.startsWith(SEARCH_PREVIEW);
}

/** Calls of the tools among items of an output. */
export function countToolCalls(items: readonly unknown[]): Quantities {
  let webSearches = 0;
  let fileSearches = 0;
  const containers = new Set<unknown>();
  for (const value of items) {
    const item = asObject(value);
    if (item === undefined || item["status"] === "failed") continue;
    if (item["type"] === "web_search_call" && isSearch(item)) webSearches += 1;
    if (item["type"] === "file_search_call") fileSearches += 1;
    // Charged by the session, and a container is one: calls that share it are charged once.
    if (item["type"] === "code_interpreter_call") containers.add(item["container_id"]);
  }
  return {
    ...(webSearches > 0 && { webSearches }),
    ...(fileSearches > 0 && { fileSearches }),
    ...(containers.size > 0 && { codeSessions: containers.size }),
  };
}

/** Items from before there were actions are searches. */
function isSearch(item: JsonObject): boolean {
  const action = asObject(item["action"]);
  return action === undefined || action["type"] === "search";
}

function withSearches({ webSearches: _counted, ...rest }: Quantities, count: number): Quantities {
  return count > 0 ? { ...rest, webSearches: count } : rest;
}

function findUnpriced(items: readonly unknown[], usage: JsonObject | undefined): string | null {
  // An output that is too long to read is given as a list of unknown items.
  if (items.length > 0 && items.every((item) => item === undefined)) {
    return "tools called in an output too long to read";
  }
  const tokens = asObject(usage?.["image_gen"])?.["total_tokens"];
  const drew =
    (isCount(tokens) && tokens > 0) ||
    items.some((item) => asObject(item)?.["type"] === "image_generation_call");
  // Drawn by an image model at its own prices; its tokens are not in the response's usage.
  return drew ? "image_generation_call" : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
