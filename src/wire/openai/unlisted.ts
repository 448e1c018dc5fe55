import { readCompletionFacts } from "./completion-facts.ts";
import { asObject } from "./fields.ts";
import {
  NO_TEXT_READER,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { readAnyUsage } from "./read-usage.ts";

const UNLISTED_NAME = "other";

/**
 * Every endpoint that is not listed: its request is not read. Where its answer has a `usage` object in tokens, in one of
 * the ways in which OpenAI's endpoints write it, that is read, so that a new endpoint is not unmetered.
 */
export const unlisted: Operation = {
  ...NO_TEXT_READER,
  name: UNLISTED_NAME,
  method: "*",
  path: "*",
  requestKind: "unread",
  answerKind: "mixed",
  charges: true,
  unreported: "unmetered",
  needsIncludeUsage: false,
  responseFields: ["id", "model", "service_tier", "usage"],
  readResponse: readFacts,
  // Some events are the answer so far, others have it in a member.
  readStreamEvent: (data) => readFacts(asObject(data["response"]) ?? data),
  isUsageOnlyEvent: () => false,
};

/** Looking something up, or deleting it: free. */
export const unlistedRead: Operation = {
  ...unlisted,
  answerKind: "unread",
  charges: false,
};

/** Whether the gateway knows what the operation is sent and what it answers. */
export function isListed(operation: Operation): boolean {
  return operation.name !== UNLISTED_NAME;
}

function readFacts(body: JsonObject): ResponseFacts {
  return { ...readCompletionFacts(body), quantities: readAnyUsage(body["usage"]) };
}
