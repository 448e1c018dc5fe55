import { chatCompletions } from "./chat-completions.ts";
import { asObject } from "./fields.ts";
import { NO_TEXT_READER, NO_FACTS, type Operation } from "./operation.ts";
import { readResponse, responses } from "./responses.ts";

/** Whatever mode it was made in, and it may have been made in the background. */
const storedResponse: Operation = {
  ...responses,
  readResponse,
  readStreamEvent: (data) => readResponse(asObject(data["response"]) ?? {}),
};

/**
 * Endpoints that repeat what an earlier call has consumed, its usage included: they are read and charge nothing. A
 * stream of a response that is resumed (`GET /v1/responses/{id}?stream=true&starting_after=7`) is one of them.
 */
export const READS: readonly Operation[] = [
  readOf(storedResponse, { name: "responses.retrieve", method: "GET", path: "/v1/responses/{id}" }),
  readOf(storedResponse, {
    name: "responses.cancel",
    method: "POST",
    path: "/v1/responses/{id}/cancel",
  }),
  {
    ...readOf(storedResponse, {
      name: "responses.delete",
      method: "DELETE",
      path: "/v1/responses/{id}",
    }),
    answerKind: "unread",
    isLastLook: true,
  },
  readOf(chatCompletions, {
    name: "chat.completions.retrieve",
    method: "GET",
    path: "/v1/chat/completions/{id}",
  }),
  readOf(chatCompletions, {
    name: "chat.completions.update",
    method: "POST",
    path: "/v1/chat/completions/{id}",
  }),
  free({ name: "models.list", method: "GET", path: "/v1/models" }),
  free({ name: "models.retrieve", method: "GET", path: "/v1/models/{model}" }),
  // Counts tokens and runs no model.
  free({ name: "responses.input_tokens", method: "POST", path: "/v1/responses/input_tokens" }),
];

type Place = Pick<Operation, "name" | "method" | "path">;

function readOf(operation: Operation, place: Place): Operation {
  return {
    ...operation,
    ...place,
    requestKind: "unread",
    charges: false,
    isIdInPath: true,
    needsIncludeUsage: false,
  };
}

function free(place: Place): Operation {
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
