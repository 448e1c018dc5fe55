import { z } from "zod";

const MAX_BATCH_LINES = 10_000;
/** Past it no more are told of. */
const MAX_ERRORS = 50;

const lineSchema = z.looseObject({
  custom_id: z.string().min(1),
  method: z.literal("POST"),
  url: z.string(),
  body: z.looseObject({}),
});
export type BatchLine = z.infer<typeof lineSchema>;

/** Source: `BatchError` of OpenAI's API. */
export interface BatchError {
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
  readonly param: string | null;
}

/** Of the whole file, not of a line. */
export function batchError(code: string, message: string): BatchError {
  return { code, message, line: null, param: null };
}

export interface BatchLines {
  readonly requests: readonly BatchLine[];
  /** What is wrong with them; then no line is run. */
  readonly errors: readonly BatchError[];
}

/** The requests of a batch's file. Source: "Batch API" of OpenAI's API documentation. */
export function readBatchLines(content: Buffer, endpoint: string): BatchLines {
  const requests: BatchLine[] = [];
  const errors: BatchError[] = [];
  const seen = new Set<string>();
  for (const [index, text] of content.toString("utf8").split("\n").entries()) {
    if (errors.length >= MAX_ERRORS) break;
    if (text.trim() === "") continue;
    const problem = (code: string, message: string, param: string | null = null) =>
      errors.push({ code, message, line: index + 1, param });
    if (requests.length >= MAX_BATCH_LINES) {
      problem("too_many_tasks", `A batch of the simulator has ${MAX_BATCH_LINES} lines at most.`);
      break;
    }
    const line = readLine(text);
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
  }
  if (errors.length === 0 && requests.length === 0) {
    errors.push(batchError("empty_file", "The file has no line."));
  }
  return { requests, errors };
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
