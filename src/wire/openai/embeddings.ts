import { COMPLETION_FIELDS, readCompletionFacts } from "./completion-facts.ts";
import type { Operation } from "./operation.ts";
import { EMBEDDING_USAGE } from "./read-usage.ts";
import { readTokenInput } from "./token-input.ts";

/** Embeddings: input only, never streamed. */
export const embeddings: Operation = {
  name: "embeddings",
  path: "/v1/embeddings",
  needsIncludeUsage: false,
  responseFields: COMPLETION_FIELDS,
  readResponse: (body) => readCompletionFacts(body, EMBEDDING_USAGE),
  readStreamEvent: (data) => readCompletionFacts(data, EMBEDDING_USAGE),
  isUsageOnlyEvent: () => false,
  promptText: (body) => readTokenInput(body["input"]),
  answerText: () => ({ texts: [], framingTokens: 0 }),
  deliveredText: () => [],
};
