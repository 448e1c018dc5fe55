import { setImmediate as nextTurn } from "node:timers/promises";
import type { Answer, Call } from "../endpoint.ts";
import { errorObject } from "../http/error-body.ts";
import type { BatchLine } from "./batch-lines.ts";
import { addUsage, NO_BATCH_USAGE, type BatchUsage } from "./batch-usage.ts";

/** Lines between two turns of all other calls. */
const LINES_PER_TURN = 50;

export interface BatchOutcome {
  readonly failed: number;
  readonly usage: BatchUsage;
  /** JSON lines of what succeeded, and of what did not. */
  readonly output: Buffer;
  readonly errorOutput: Buffer;
}

export interface BatchRun {
  readonly requests: readonly BatchLine[];
  readonly endpoint: string;
  readonly maxOutputBytes: number;
}

/** Has the simulator's own endpoint answer each line; undefined when that comes to more than may be kept. */
export async function runBatch(
  { requests, endpoint, maxOutputBytes }: BatchRun,
  call: Call,
): Promise<BatchOutcome | undefined> {
  const output: string[] = [];
  const errorOutput: string[] = [];
  let usage = NO_BATCH_USAGE;
  let bytes = 0;
  for (const [index, request] of requests.entries()) {
    if (index % LINES_PER_TURN === 0) await nextTurn();
    const answer = readAnswer(await call.answerJson(endpoint, request.body), call);
    const line = outputLine(request.custom_id, answer, call);
    bytes += Buffer.byteLength(line);
    if (bytes > maxOutputBytes) return undefined;
    const isGood = answer.status === 200;
    (isGood ? output : errorOutput).push(line);
    if (isGood) usage = addUsage(usage, answer.body);
  }
  return {
    failed: errorOutput.length,
    usage,
    output: Buffer.from(output.join("")),
    errorOutput: Buffer.from(errorOutput.join("")),
  };
}

interface LineAnswer {
  readonly status: number;
  readonly body: object;
}

function readAnswer(answer: Answer, { dialect }: Call): LineAnswer {
  switch (answer.kind) {
    case "json":
      return { status: 200, body: answer.body };
    case "pieces": {
      const text = [...answer.pieces].filter((piece) => typeof piece === "string").join("");
      return { status: 200, body: JSON.parse(text) as object };
    }
    case "refusal":
      return { status: answer.status, body: errorObject(answer, dialect) };
    case "stream":
    case "mishap":
    default: {
      const message = "A request of a batch can't be streamed.";
      const error = { message, type: "invalid_request_error", param: "stream", code: null };
      return { status: 400, body: { error } };
    }
  }
}

function outputLine(customId: string, { status, body }: LineAnswer, call: Call): string {
  const line = {
    id: call.createId("batch_req_"),
    custom_id: customId,
    response: { status_code: status, request_id: call.createId("req_"), body },
    error: null,
  };
  return `${JSON.stringify(line)}\n`;
}
