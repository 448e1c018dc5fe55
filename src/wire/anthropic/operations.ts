import { NO_FACTS, NO_TEXT_READER, type Operation } from "../openai/operation.ts";
import { messages } from "./messages.ts";

/**
 * The endpoints of Anthropic's API that the gateway knows. Batches pass through: making one reports no usage, and what
 * it comes to stands in its results, which are not read. It is shown as `unmetered`, never as free.
 */
export const ANTHROPIC_OPERATIONS: readonly Operation[] = [
  messages,
  // Counts tokens and runs no model.
  unread({ name: "messages.count_tokens", method: "POST", path: "/v1/messages/count_tokens" }),
  {
    ...unread({ name: "messages.batches.create", method: "POST", path: "/v1/messages/batches" }),
    charges: true,
  },
  unread({ name: "messages.batches.list", method: "GET", path: "/v1/messages/batches" }),
  unread({ name: "messages.batches.retrieve", method: "GET", path: "/v1/messages/batches/{id}" }),
  unread({ name: "messages.batches.delete", method: "DELETE", path: "/v1/messages/batches/{id}" }),
  unread({
    name: "messages.batches.cancel",
    method: "POST",
    path: "/v1/messages/batches/{id}/cancel",
  }),
  unread({
    name: "messages.batches.results",
    method: "GET",
    path: "/v1/messages/batches/{id}/results",
  }),
];

function unread(place: Pick<Operation, "name" | "method" | "path">): Operation {
  return {
    ...NO_TEXT_READER,
    ...place,
    requestKind: "unread",
    answerKind: "unread",
    charges: false,
    unreported: "unmetered",
    needsIncludeUsage: false,
    responseFields: [],
    readResponse: () => NO_FACTS,
    readStreamEvent: () => NO_FACTS,
    isUsageOnlyEvent: () => false,
  };
}
