import { tokenBound, type TokenCallShape } from "../bounds/read-token-bound.ts";
import { COMPLETION_FIELDS, isUsageChunk, readCompletionFacts } from "./completion-facts.ts";
import { asArray, asObject, pushText } from "./fields.ts";
import type { CountableText, JsonObject, Operation } from "./operation.ts";
import { COMPLETION_USAGE } from "./read-usage.ts";
import { readTokenInput } from "./token-input.ts";

const OUTPUT_LIMITS = ["max_tokens"] as const;

/** Each prompt of a list is answered by itself; one of token ids is one prompt. */
const BOUND: TokenCallShape = {
  messages: ["prompt"],
  outputLimits: OUTPUT_LIMITS,
  refine: (bound, scan) => {
    const { text = "[", memberCount = 0 } = scan.fields.get("prompt") ?? {};
    const isTokens = /^\[\s*\d/.test(text);
    return isTokens ? bound : { ...bound, answers: bound.answers * Math.max(1, memberCount) };
  },
};

/** The older text completions: raw text in, raw text out, no framing. */
export const completions: Operation = {
  name: "completions",
  method: "POST",
  path: "/v1/completions",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "estimated",
  needsIncludeUsage: true,
  ...tokenBound(BOUND),
  outputLimits: OUTPUT_LIMITS,
  responseFields: COMPLETION_FIELDS,
  readResponse: (body) => readCompletionFacts(body, COMPLETION_USAGE),
  readStreamEvent: (data) => readCompletionFacts(data, COMPLETION_USAGE),
  isUsageOnlyEvent: isUsageChunk,
  promptText,
  answerText: (body) => ({ texts: choiceTexts(body), framingTokens: 0 }),
  deliveredText: choiceTexts,
};

function promptText(body: JsonObject): CountableText {
  const { texts, framingTokens } = readTokenInput(body["prompt"]);
  const all = [...texts];
  pushText(all, body["suffix"]);
  return { texts: all, framingTokens };
}

function choiceTexts(body: JsonObject): string[] {
  const texts: string[] = [];
  for (const choice of asArray(body["choices"])) pushText(texts, asObject(choice)?.["text"]);
  return texts;
}
