import type { Quantities, UnitClass } from "../../core/usage/quantities.ts";
import { OPENAI_TIER_WORDS } from "../bounds/openai-tier-words.ts";
import { tokenBound, type TokenCallShape, type ToolKind } from "../bounds/read-token-bound.ts";
import { pushContent, pushDefinitions } from "./content-text.ts";
import { type EndingByStatus, readEnding, readWork } from "./deferred-work.ts";
import { asArray, asName, asObject, pushText } from "./fields.ts";
import {
  NO_FACTS,
  type CountableText,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { RESPONSE_USAGE, readUsage } from "./read-usage.ts";
import { countToolCalls, readToolCharges } from "./tool-calls.ts";

/** The same framing as a chat's; OpenAI publishes none for this API. */
const TOKENS_PER_ITEM = 3;
const TOKENS_BEFORE_REPLY = 3;

const OUTPUT_LIMITS = ["max_output_tokens"] as const;

const BOUND: TokenCallShape = {
  messages: ["input"],
  outputLimits: OUTPUT_LIMITS,
  // OpenAI takes no lower one.
  minOutputTokens: 16,
  tierWords: OPENAI_TIER_WORDS,
  unseen: {
    previous_response_id: "an earlier response",
    conversation: "a conversation that the provider has stored",
    prompt: "a prompt that the provider has stored",
  },
  openEnded: { context_management: "compactions of its context are charged for besides" },
  toolKind: kindOfTool,
  storedTools: { field: "prompt", classes: ["webSearches", "fileSearches", "codeSessions"] },
};

/** Tools that the client carries out, so that the model stops for them. */
const CLIENT_TOOLS: ReadonlySet<string | null> = new Set([
  "function",
  "custom",
  "local_shell",
  "apply_patch",
  "computer",
  "computer_use_preview",
]);

/** Tools of the provider's own, by the beginning of their names, with what a call of them is charged by. */
const HOSTED_TOOLS: readonly (readonly [string, UnitClass])[] = [
  ["web_search", "webSearches"],
  ["file_search", "fileSearches"],
  ["code_interpreter", "codeSessions"],
];

function kindOfTool(type: string | null): ToolKind {
  if (CLIENT_TOOLS.has(type)) return "client";
  return HOSTED_TOOLS.find(([name]) => type?.startsWith(name) === true)?.[1] ?? "unknown";
}

/**
 * The Responses API. A stream's `response.created` and `response.in_progress` name id and model with a null usage;
 * `response.completed`, `.incomplete` and `.failed` carry the whole response, so a stream needs no asking for usage.
 */
export const responses: Operation = {
  name: "responses",
  method: "POST",
  path: "/v1/responses",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "estimated",
  outlivesStream: "in_background",
  needsIncludeUsage: false,
  ...tokenBound(BOUND),
  outputLimits: OUTPUT_LIMITS,
  responseFields: [
    "id",
    "model",
    "service_tier",
    "status",
    "background",
    "usage",
    "output",
    "tools",
    "tool_usage",
  ],
  maxFieldBytes: 4 * 1024 * 1024,
  readResponse: readCreated,
  readStreamEvent: (data) => readCreated(asObject(data["response"]) ?? {}),
  isUsageOnlyEvent: () => false,
  promptText,
  answerText,
  deliveredText,
  deliveredUnits,
};

/** Makes a conversation shorter, with a model. Source: `CompactedResponse`, which does not name the model. */
export const compaction: Operation = {
  ...responses,
  name: "responses.compact",
  path: "/v1/responses/compact",
  // It takes no limit.
  ...tokenBound({ ...BOUND, outputLimits: [] }),
  outputLimits: [],
  readResponse: readFacts,
  readStreamEvent: (data) => readFacts(asObject(data["response"]) ?? {}),
};

/** `ResponseStatus` of OpenAI's API; `queued` and `in_progress` go on. */
const ENDINGS: EndingByStatus = {
  completed: "succeeded",
  incomplete: "succeeded",
  failed: "failed",
  cancelled: "interrupted",
};

/** A response as whoever asks for it is told of it: whether it has ended, and what it has consumed. */
export function readResponse(body: JsonObject): ResponseFacts {
  const work = readWork("response", body["id"], (id) => `/responses/${id}`);
  const deferred = work === null ? null : { work, ending: readEnding(body["status"], ENDINGS) };
  return { ...readFacts(body), deferred };
}

/**
 * As the call that makes it is told of it: only in background mode does it go on when the answer, or the stream, has
 * ended. A stream names `in_progress` in any mode.
 */
function readCreated(body: JsonObject): ResponseFacts {
  return body["background"] === true ? readResponse(body) : readFacts(body);
}

function readFacts(body: JsonObject): ResponseFacts {
  const tokens = readUsage(body["usage"], RESPONSE_USAGE);
  const tools = tokens === null ? null : readToolCharges(body);
  return {
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
    serviceTier: asName(body["service_tier"]),
    quantities: tokens === null ? null : { ...tokens, ...tools?.quantities },
    priceVariant: tools?.priceVariant ?? null,
    unpricedCharge: tools?.unpricedCharge ?? null,
  };
}

/** What `previous_response_id`, `conversation` and stored prompts add stands with the provider and is not in the body. */
function promptText(body: JsonObject): CountableText {
  const texts: string[] = [];
  let framingTokens = TOKENS_BEFORE_REPLY;
  for (const field of ["instructions", "input"] as const) {
    const value = body[field];
    if (typeof value === "string") {
      framingTokens += TOKENS_PER_ITEM;
      pushText(texts, value);
    }
    for (const item of asArray(value)) {
      framingTokens += TOKENS_PER_ITEM;
      pushText(texts, asObject(item)?.["role"]);
      pushItem(texts, item);
    }
  }
  const format = asObject(asObject(body["text"])?.["format"]);
  pushDefinitions(texts, [body["tools"], format?.["schema"]]);
  return { texts, framingTokens };
}

function answerText(body: JsonObject): CountableText {
  const texts: string[] = [];
  for (const item of asArray(body["output"])) pushItem(texts, item);
  return { texts, framingTokens: 0 };
}

/** Deltas that are not text: base64 audio. */
const BINARY_DELTAS = new Set(["response.audio.delta", "response.output_audio.delta"]);

function deliveredText(data: JsonObject): readonly string[] {
  const texts: string[] = [];
  const { type } = data;
  if (typeof type !== "string") return texts;
  if (type.endsWith(".delta") && !BINARY_DELTAS.has(type)) pushText(texts, data["delta"]);
  // A call's name stands only in the item that opens it; its arguments follow as deltas.
  if (type === "response.output_item.added") pushText(texts, asObject(data["item"])?.["name"]);
  return texts;
}

function deliveredUnits(data: JsonObject): Quantities {
  return data["type"] === "response.output_item.done" ? countToolCalls([data["item"]]) : {};
}

/** Messages, calls, their outputs and reasoning differ in the field that holds their text; no item uses one for another purpose. */
const TEXT_FIELDS = ["name", "arguments", "input", "code"] as const;
const CONTENT_FIELDS = ["content", "summary", "output"] as const;

function pushItem(texts: string[], value: unknown): void {
  const item = asObject(value);
  if (item === undefined) return;
  for (const field of TEXT_FIELDS) pushText(texts, item[field]);
  for (const field of CONTENT_FIELDS) pushContent(texts, item[field]);
}
