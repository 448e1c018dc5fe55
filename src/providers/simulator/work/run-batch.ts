import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { Answer, Call } from "../endpoint.ts";
import { errorObject } from "../http/error-body.ts";
import { NO_BATCH_USAGE, readBatchUsage, type BatchUsage } from "./batch-usage.ts";

const MAX_BATCH_LINES = 10_000;
/** Lines between two turns of all other calls. */
const LINES_PER_TURN = 50;

const lineSchema = z.looseObject({
  custom_id: z.string().min(1),
  method: z.literal("POST"),
  url: z.string(),
  body: z.looseObject({}),
});
type BatchLine = z.infer<typeof lineSchema>;

/** Source: `BatchError` of OpenAI's API. */
interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
  readonly param: string | null;
}

export interface BatchOutcome {
  /** What is wrong with the input; then there is nothing else. */
  readonly errors: readonly BatchError[];
  readonly total: number;
  readonly failed: number;
  readonly model: string | null;
  readonly usage: BatchUsage;
  /** JSON lines of what succeeded, and of what did not. */
  readonly output: Buffer;
  readonly errorOutput: Buffer;
}

export interface BatchInput {
  readonly content: Buffer;
  readonly endpoint: string;
  readonly maxOutputBytes: number;
}

/** Has the simulator's own endpoint answer each line. Source of the lines: "Batch API" of OpenAI's API documentation. */
export async function runBatch(input: BatchInput, call: Call): Promise<BatchOutcome> {
  const lines = input.content.toString("utf8").split("\n");
  const requests: BatchLine[] = [];
  const errors = checkLines(lines, input.endpoint, requests);
  if (errors.length > 0) return { ...EMPTY, errors };
  const written = { output: [] as string[], errorOutput: [] as string[] };
  let usage = NO_BATCH_USAGE;
  let bytes = 0;
  for (const [index, request] of requests.entries()) {
    if (index % LINES_PER_TURN === 0) await nextTurn();
    const { status, body } = readAnswer(await call.answerJson(input.endpoint, request.body), call);
    const line = outputLine({ customId: request.custom_id, status, body }, call);
    bytes += Buffer.byteLength(line);
    if (bytes > input.maxOutputBytes) return { ...EMPTY, errors: [tooLarge(input.maxOutputBytes)] };
    (status === 200 ? written.output : written.errorOutput).push(line);
    if (status === 200) usage = readBatchUsage(usage, body);
  }
  const model = requests[0]?.body["model"];
  return {
    errors: [],
    total: requests.length,
    failed: written.errorOutput.length,
    model: typeof model === "string" ? model : null,
    usage,
    output: Buffer.from(written.output.join("")),
    errorOutput: Buffer.from(written.errorOutput.join("")),
  };
}

/** An outcome without a line. */
const EMPTY: BatchOutcome = {
  errors: [],
  total: 0,
  failed: 0,
  model: null,
  usage: NO_BATCH_USAGE,
  output: Buffer.alloc(0),
  errorOutput: Buffer.alloc(0),
};

/** Past it no more are told of. */
const MAX_ERRORS = 50;

/** Reads the lines into `requests`, and tells what is wrong with them. */
function checkLines(lines: readonly string[], endpoint: string, requests: BatchLine[]) {
  const errors: BatchError[] = [];
  const seen = new Set<string>();
  for (const [index, text] of lines.entries()) {
    if (text.trim() === "") continue;
    const problem = (code: string, message: string, param: string | null = null) =>
      errors.push({ code, message, line: index + 1, param });
    const line = readLine(text);
    if (requests.length >= MAX_BATCH_LINES) {
      problem("too_many_tasks", `A batch of the simulator has ${MAX_BATCH_LINES} lines at most.`);
      break;
    }
    if (typeof line === "string") {
      problem("invalid_json_line", line);
    } else if (line.url !== endpoint) {
      problem("mismatched_endpoint", `The batch is for '${endpoint}', not '${line.url}'.`, "url");
    } else if (seen.has(line.custom_id)) {
      problem("duplicate_custom_id", `'${line.custom_id}' is there twice.`, "custom_id");
    } else {
      seen.add(line.custom_id);
      requests.push(line);
    }
    if (errors.length >= MAX_ERRORS) break;
  }
  if (errors.length === 0 && requests.length === 0) {
    errors.push({ code: "empty_file", message: "The file has no line.", line: null, param: null });
  }
  return errors;
}

function readLine(text: string): BatchLine | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "This line is not parseable as valid JSON.";
  }
  const result = lineSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `This line does not have what a request needs: '${issue?.path.join(".")}' ${issue?.message}.`;
}

function readAnswer(
  answer: Answer,
  { dialect }: Call,
): { readonly status: number; readonly body: object } {
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

function outputLine(
  { customId, status, body }: { customId: string; status: number; body: object },
  call: Call,
): string {
  const line = {
    id: call.createId("batch_req_"),
    custom_id: customId,
    response: { status_code: status, request_id: call.createId("req_"), body },
    error: null,
  };
  return `${JSON.stringify(line)}\n`;
}

function tooLarge(limitBytes: number): BatchError {
  const message = `The simulator keeps no output of more than ${limitBytes} bytes.`;
  return { code: "output_too_large", message, line: null, param: null };
}
