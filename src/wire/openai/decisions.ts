import { tokenBound } from "../bounds/read-token-bound.ts";
import { readCompletionFacts } from "./completion-facts.ts";
import { NO_TEXT_READER, type Operation } from "./operation.ts";
import { RESPONSE_USAGE } from "./read-usage.ts";

/** Answers that are probabilities. Source: `Decision` of OpenAI's API. */
export const decisions: Operation = {
  ...NO_TEXT_READER,
  name: "decisions",
  method: "POST",
  path: "/v1/decisions",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "unknown",
  needsIncludeUsage: false,
  ...tokenBound({ messages: ["input", "messages"], outputLimits: [] }),
  responseFields: ["id", "model", "service_tier", "usage"],
  readResponse: (body) => readCompletionFacts(body, RESPONSE_USAGE),
  readStreamEvent: (data) => readCompletionFacts(data, RESPONSE_USAGE),
  isUsageOnlyEvent: () => false,
};
