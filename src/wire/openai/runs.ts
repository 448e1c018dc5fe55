import { unbounded } from "../../core/budgets/call-bound.ts";
import { type EndingByStatus, isObjectId, readEnding, readWork } from "./deferred-work.ts";
import { asName } from "./fields.ts";
import {
  NO_FACTS,
  NO_TEXT_READER,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "./operation.ts";
import { COMPLETION_USAGE, readUsage } from "./read-usage.ts";

/** `RunStatus` of OpenAI's API. A run that `requires_action` waits for its client. */
const ENDINGS: EndingByStatus = {
  completed: "succeeded",
  incomplete: "succeeded",
  failed: "failed",
  cancelled: "interrupted",
  expired: "interrupted",
};

/**
 * A run of an assistant. Its `usage` is null until it has ended, so the call that begins it is charged later, unless it is
 * streamed to its end. Sources: `Run` and `AssistantStreamEvent` of OpenAI's API, whose `thread.run.completed` carries the
 * run; steps have a usage of their own, which is part of the run's.
 */
const createRun: Operation = {
  ...NO_TEXT_READER,
  name: "threads.runs",
  method: "POST",
  path: "/v1/threads/{thread}/runs",
  requestKind: "json",
  answerKind: "json",
  charges: true,
  unreported: "unknown",
  outlivesStream: "always",
  readBound: () => unbounded("a run may call the model and its tools as often as it likes"),
  needsIncludeUsage: false,
  responseFields: ["id", "object", "thread_id", "status", "model", "usage"],
  readResponse: readRun,
  readStreamEvent: readRun,
  isUsageOnlyEvent: () => false,
};

const readRunAgain: Operation = {
  ...createRun,
  name: "threads.runs.retrieve",
  method: "GET",
  path: "/v1/threads/{thread}/runs/{run}",
  requestKind: "unread",
  charges: false,
  isIdInPath: true,
};

/** What goes on with a run, or reads it, repeats the usage of the run that was begun. */
export const RUNS: readonly Operation[] = [
  createRun,
  { ...createRun, name: "threads.runs.with_thread", path: "/v1/threads/runs" },
  readRunAgain,
  { ...readRunAgain, name: "threads.runs.update", method: "POST" },
  {
    ...readRunAgain,
    name: "threads.runs.cancel",
    method: "POST",
    path: "/v1/threads/{thread}/runs/{run}/cancel",
  },
  {
    ...readRunAgain,
    name: "threads.runs.submit_tool_outputs",
    method: "POST",
    path: "/v1/threads/{thread}/runs/{run}/submit_tool_outputs",
  },
];

function readRun(body: JsonObject): ResponseFacts {
  if (body["object"] !== "thread.run") return NO_FACTS;
  const thread = body["thread_id"];
  const work = readWork("thread_run", body["id"], (id) =>
    isObjectId(thread) ? `/threads/${thread}/runs/${id}` : undefined,
  );
  return {
    ...NO_FACTS,
    responseId: asName(body["id"]),
    servedModel: asName(body["model"]),
    quantities: readUsage(body["usage"], COMPLETION_USAGE),
    deferred: work === null ? null : { work, ending: readEnding(body["status"], ENDINGS) },
  };
}
