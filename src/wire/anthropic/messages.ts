import {
  readValue,
  tokenBound,
  type TokenCallShape,
  type ToolKind,
} from "../bounds/read-token-bound.ts";
import { pushDefinitions } from "../openai/content-text.ts";
import { asArray, asName, asObject, pushJson, pushText } from "../openai/fields.ts";
import {
  NO_FACTS,
  type CountableText,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "../openai/operation.ts";
import { mergeMessageQuantities, readMessageUsage, withoutZeros } from "./read-message-usage.ts";

/** Around each message, as in a chat of OpenAI's; Anthropic publishes none. */
const TOKENS_PER_MESSAGE = 3;

const OUTPUT_LIMITS = ["max_tokens"] as const;

const BOUND: TokenCallShape = {
  messages: ["messages", "system"],
  outputLimits: OUTPUT_LIMITS,
  isLimitPerTurn: true,
  tierWords: { standard_only: "standard" },
  openEnded: {
    mcp_servers: "the model may call its MCP servers as often as it likes",
    container: "what runs in its container is charged by the hour",
    context_management: "compactions of its context are charged for besides",
    compaction: "compactions of its context are charged for besides",
    fallbacks: "another model may answer, at its own prices",
    thread: "what the thread holds is not in its body",
  },
  toolKind: kindOfTool,
  isCacheExplicit: true,
  reads: ["speed", "inference_geo", "thinking"],
  refine: (bound, scan) => {
    const budget = asObject(readValue(scan, "thinking"))?.["budget_tokens"];
    // A limit has to leave room for what is thought.
    const minOutputTokens = typeof budget === "number" ? budget + 1 : 1;
    const tier = joinTier(bound.serviceTier, [
      readValue(scan, "speed"),
      readValue(scan, "inference_geo"),
    ]);
    return { ...bound, minOutputTokens, serviceTier: tier };
  },
};

/** What else changes every price of a call, joined to its tier as the usage has it. */
function joinTier(tier: string | null, others: readonly unknown[]): string | null {
  const named = others.flatMap((one) =>
    one === undefined || one === null || PLAIN_WORDS.has(one) ? [] : [asName(one) ?? "?"],
  );
  return named.length === 0 ? tier : [tier ?? "standard", ...named].join("+");
}

const PLAIN_WORDS: ReadonlySet<unknown> = new Set(["standard", "global"]);

/** Tools that the client carries out: those without a type, and Anthropic's by the beginning of their names. */
const CLIENT_TOOL = /^(?:custom$|bash_|text_editor_|memory_|computer_)/;

function kindOfTool(type: string | null): ToolKind {
  if (type === null || CLIENT_TOOL.test(type)) return "client";
  if (type.startsWith("web_search_")) return "webSearches";
  return type.startsWith("web_fetch_") ? "uncharged" : "unknown";
}

/**
 * Anthropic's Messages API. A stream's `message_start` has the input's usage and the first token's of the output;
 * `message_delta` has the sums at the end, and leaves out what has not changed. Source: `Message` and
 * `RawMessageStreamEvent` of Anthropic's published API types.
 */
export const messages: Operation = {
  name: "messages",
  method: "POST",
  path: "/v1/messages",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "estimated",
  needsIncludeUsage: false,
  ...tokenBound(BOUND),
  outputLimits: OUTPUT_LIMITS,
  responseFields: ["id", "model", "usage"],
  readResponse: (body) => readFacts(body, withoutZeros),
  readStreamEvent,
  mergeQuantities: (earlier, later) => withoutZeros(mergeMessageQuantities(earlier, later)),
  isUsageOnlyEvent: () => false,
  endUser: (fields) => asName(asObject(fields["metadata"])?.["user_id"]),
  promptText,
  answerText,
  deliveredText,
};

function readFacts(
  message: JsonObject,
  shape: typeof withoutZeros = (quantities) => quantities,
): ResponseFacts {
  const { quantities, serviceTier, unpricedCharge } = readMessageUsage(message["usage"]);
  return {
    ...NO_FACTS,
    responseId: asName(message["id"]),
    servedModel: asName(message["model"]),
    serviceTier,
    quantities: quantities === null ? null : shape(quantities),
    unpricedCharge,
  };
}

function readStreamEvent(data: JsonObject): ResponseFacts {
  const message = asObject(data["message"]);
  if (message !== undefined) return { ...readFacts(message), isInterim: true };
  return data["type"] === "message_delta" ? readFacts({ usage: data["usage"] }) : NO_FACTS;
}

function promptText(body: JsonObject): CountableText {
  const texts: string[] = [];
  let framingTokens = TOKENS_PER_MESSAGE;
  pushBlocks(texts, body["system"]);
  for (const item of asArray(body["messages"])) {
    const message = asObject(item);
    framingTokens += TOKENS_PER_MESSAGE;
    pushText(texts, message?.["role"]);
    pushBlocks(texts, message?.["content"]);
  }
  const format = asObject(asObject(body["output_config"])?.["format"]);
  pushDefinitions(texts, [body["tools"], format?.["schema"]]);
  return { texts, framingTokens };
}

function answerText(body: JsonObject): CountableText {
  const texts: string[] = [];
  pushBlocks(texts, body["content"]);
  return { texts, framingTokens: 0 };
}

/**
 * Appends the text of content: a string, or blocks of text, thinking, calls of tools and their results, documents in
 * plain text. Images and files carry no text that could be counted here.
 */
function pushBlocks(texts: string[], content: unknown, depth = 0): void {
  pushText(texts, content);
  for (const item of asArray(content)) {
    const block = asObject(item);
    if (block === undefined) continue;
    for (const field of ["text", "thinking", "name", "title", "context"] as const) {
      pushText(texts, block[field]);
    }
    pushJson(texts, block["input"]);
    const source = asObject(block["source"]);
    if (source?.["type"] === "text") pushText(texts, source["data"]);
    if (depth >= MAX_DEPTH) continue;
    pushBlocks(texts, block["content"], depth + 1);
    if (source?.["type"] === "content") pushBlocks(texts, source["content"], depth + 1);
  }
}

/** A tool's result holds a document, which holds blocks; nothing that the API takes goes deeper. */
const MAX_DEPTH = 4;

function deliveredText(data: JsonObject): readonly string[] {
  const texts: string[] = [];
  const delta = asObject(data["delta"]);
  for (const field of ["text", "thinking", "partial_json"] as const)
    pushText(texts, delta?.[field]);
  // A call's name stands only in the block that opens it; its input follows as deltas.
  pushText(texts, asObject(data["content_block"])?.["name"]);
  return texts;
}
