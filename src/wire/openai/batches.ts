import { unbounded } from "../../core/budgets/call-bound.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { type EndingByStatus, readEnding, readWork } from "./deferred-work.ts";
import { asName, asObject } from "./fields.ts";
import {
  NO_FACTS,
  NO_TEXT_READER,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { RESPONSE_USAGE, readUsage } from "./read-usage.ts";

/** `Batch.status` of OpenAI's API. What a batch did before it was cancelled or ran out of time is charged. */
const ENDINGS: EndingByStatus = {
  completed: "succeeded",
  failed: "failed",
  cancelled: "interrupted",
  expired: "interrupted",
};

/**
 * Calls that the provider carries out within a day, at a lower price. What they consumed stands in the batch's output
 * file, so none of these endpoints is charged by its own answer.
 */
const createBatch: Operation = {
  ...NO_TEXT_READER,
  name: "batches",
  method: "POST",
  path: "/v1/batches",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "unknown",
  readBound: () => unbounded("a batch's requests stand in a file that Keyward does not read"),
  needsIncludeUsage: false,
  responseFields: [
    "id",
    "status",
    "model",
    "endpoint",
    "output_file_id",
    "request_counts",
    "usage",
  ],
  // Whatever its status is, its files are still to be read.
  readResponse: (body) => readBatch(body, null),
  readStreamEvent: () => NO_FACTS,
  isUsageOnlyEvent: () => false,
};

const retrieveBatch: Operation = {
  ...createBatch,
  name: "batches.retrieve",
  method: "GET",
  path: "/v1/batches/{id}",
  requestKind: "unread",
  charges: false,
  isIdInPath: true,
  readResponse: (body) => readBatch(body, readEnding(body["status"], ENDINGS)),
};

export const BATCHES: readonly Operation[] = [
  createBatch,
  retrieveBatch,
  {
    ...retrieveBatch,
    name: "batches.cancel",
    method: "POST",
    path: "/v1/batches/{id}/cancel",
  },
];

function readBatch(
  body: JsonObject,
  ending: NonNullable<ResponseFacts["deferred"]>["ending"],
): ResponseFacts {
  const work = readWork("batch", body["id"], (id) => `/batches/${id}`);
  return {
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
    deferred: work === null ? null : { work, ending },
  };
}

/** What an ended batch says of its answers. */
export interface BatchSummary {
  /** The path that its requests were sent to: `/v1/chat/completions`. */
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly outputFileId: string | null;
  readonly completedRequests: number | null;
  /** The sum over all of them; null for a batch that does not report it (before September 2025; other servers). */
  readonly quantities: Quantities | null;
}

export function readBatchSummary(body: JsonObject): BatchSummary {
  const completed = asObject(body["request_counts"])?.["completed"];
  return {
    endpoint: asName(body["endpoint"]),
    model: asName(body["model"]),
    outputFileId: asName(body["output_file_id"]),
    completedRequests: typeof completed === "number" ? completed : null,
    quantities: readUsage(body["usage"], RESPONSE_USAGE),
  };
}
