import { OPENAI_TIER_WORDS } from "../bounds/openai-tier-words.ts";
import { readValue, tokenBound, type TokenCallShape } from "../bounds/read-token-bound.ts";
import { COMPLETION_FIELDS, isUsageChunk, readCompletionFacts } from "./completion-facts.ts";
import { pushDefinitions, pushMessage } from "./content-text.ts";
import { asArray, asObject, pushText } from "./fields.ts";
import type { CountableText, JsonObject, Operation, ResponseFacts } from "./operation.ts";
import { COMPLETION_USAGE } from "./read-usage.ts";

/**
 * Tokens around each message, per name, and before the reply. Source: OpenAI Cookbook, "How to count tokens with
 * tiktoken", as of the models since gpt-3.5-turbo-0613. The role is counted as a text of its own.
 */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_NAME = 1;
const TOKENS_BEFORE_REPLY = 3;

/**
 * Models that search the web for each answer, and are charged a search for it. Source: OpenAI's web search guide, "Chat
 * Completions": the model always retrieves information from the web before it responds.
 */
const SEARCH_MODEL = /-search-(?:preview|api)(?:-|$)/;

/** Of a name in JSON, where any letter may be written as an escape. */
const MAY_BE_SEARCH = /-search-|\\/;

const OUTPUT_LIMITS = ["max_completion_tokens", "max_tokens"] as const;

/** Extensions by which servers search the web, or load what they have cached, before they answer. */
const BOUND: TokenCallShape = {
  messages: ["messages"],
  outputLimits: OUTPUT_LIMITS,
  tierWords: OPENAI_TIER_WORDS,
  unseen: { web_search_options: "what a search finds", cached_content: "cached content" },
  openEnded: {
    plugins: "its plugins may search the web as often as they like",
    search_parameters: "it asks for a search of the web, whose sources are charged for",
  },
  toolKind: (type) => (type === "function" || type === "custom" ? "client" : "unknown"),
  reads: ["model"],
  refine: (bound, scan) => {
    if (!MAY_BE_SEARCH.test(scan.fields.get("model")?.text ?? "")) return bound;
    const model = readValue(scan, "model");
    const isSearch = typeof model === "string" && SEARCH_MODEL.test(model);
    return isSearch ? { ...bound, searches: 1, unseen: "what a search finds" } : bound;
  },
};

export const chatCompletions: Operation = {
  name: "chat.completions",
  method: "POST",
  path: "/v1/chat/completions",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "estimated",
  needsIncludeUsage: true,
  ...tokenBound(BOUND),
  outputLimits: OUTPUT_LIMITS,
  responseFields: COMPLETION_FIELDS,
  readResponse: readFacts,
  readStreamEvent: readFacts,
  isUsageOnlyEvent: isUsageChunk,
  promptText,
  answerText: (body) => ({ texts: choiceTexts(body, "message"), framingTokens: 0 }),
  deliveredText: (data) => choiceTexts(data, "delta"),
};

function readFacts(body: JsonObject): ResponseFacts {
  const facts = readCompletionFacts(body, COMPLETION_USAGE);
  const { quantities, servedModel } = facts;
  if (quantities === null || servedModel === null || !SEARCH_MODEL.test(servedModel)) return facts;
  return { ...facts, quantities: { ...quantities, webSearches: 1 } };
}

function promptText(body: JsonObject): CountableText {
  const texts: string[] = [];
  let framingTokens = TOKENS_BEFORE_REPLY;
  for (const item of asArray(body["messages"])) {
    framingTokens += TOKENS_PER_MESSAGE;
    const message = asObject(item);
    pushText(texts, message?.["role"]);
    if (typeof message?.["name"] === "string") framingTokens += TOKENS_PER_NAME;
    pushText(texts, message?.["name"]);
    pushMessage(texts, message);
  }
  const schema = asObject(body["response_format"])?.["json_schema"];
  pushDefinitions(texts, [body["tools"], body["functions"], schema]);
  return { texts, framingTokens };
}

function choiceTexts(body: JsonObject, field: "message" | "delta"): string[] {
  const texts: string[] = [];
  for (const choice of asArray(body["choices"])) pushMessage(texts, asObject(choice)?.[field]);
  return texts;
}
