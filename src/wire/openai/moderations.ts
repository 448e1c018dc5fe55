import { asName } from "./fields.ts";
import { NO_FACTS, NO_TEXT_READER, type Operation } from "./operation.ts";

/** Moderations: free of charge. Source: OpenAI's moderation guide; `ModerationCreateResponse` has no usage. */
export const moderations: Operation = {
  ...NO_TEXT_READER,
  name: "moderations",
  method: "POST",
  path: "/v1/moderations",
  requestKind: "json",
  answerKind: "json",
  charges: false,
  unreported: "unmetered",
  needsIncludeUsage: false,
  responseFields: ["id", "model"],
  readResponse: (body) => ({
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
  }),
  readStreamEvent: () => NO_FACTS,
  isUsageOnlyEvent: () => false,
};
