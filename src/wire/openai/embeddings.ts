import { tokenBound } from "../bounds/read-token-bound.ts";
import { COMPLETION_FIELDS, readCompletionFacts } from "./completion-facts.ts";
import { NO_TEXT, type Operation } from "./operation.ts";
import { EMBEDDING_USAGE } from "./read-usage.ts";
import { readTokenInput } from "./token-input.ts";

/** Embeddings: input only, never streamed. */
export const embeddings: Operation = {
  name: "embeddings",
  method: "POST",
  path: "/v1/embeddings",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "estimated",
  isOutputCharged: false,
  needsIncludeUsage: false,
  ...tokenBound({ messages: ["input"], outputLimits: [], hasOutput: false }),
  responseFields: COMPLETION_FIELDS,
  readResponse: (body) => readCompletionFacts(body, EMBEDDING_USAGE),
  readStreamEvent: (data) => readCompletionFacts(data, EMBEDDING_USAGE),
  isUsageOnlyEvent: () => false,
  promptText: (body) => readTokenInput(body["input"]),
  answerText: () => NO_TEXT,
  deliveredText: () => [],
};
