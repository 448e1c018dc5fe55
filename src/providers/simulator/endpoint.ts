/**
 * What an endpoint of the simulator is: a pure function from a request to an answer. It opens no socket, reads no
 * clock and draws no randomness; `start-simulator.ts` sends what it returns.
 */
import { createHash } from "node:crypto";
import type { z } from "zod";

/** One event of a stream, ready to be sent. `isToken`: it carries one token and waits for the pace. */
export interface StreamStep {
  readonly text: string;
  readonly isToken: boolean;
}

/** An error as OpenAI words it. Source: "Error codes" of OpenAI's API documentation. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly message: string;
}

export type Answer =
  | Refusal
  /** `outputTokens` is what the pace is applied to. */
  | { readonly kind: "json"; readonly body: object; readonly outputTokens: number }
  | { readonly kind: "text"; readonly body: string }
  /** One JSON text in pieces, for bodies too large to be made at once. */
  | { readonly kind: "pieces"; readonly pieces: Iterable<string> }
  | { readonly kind: "stream"; readonly steps: Iterable<StreamStep> };

/** What belongs to one call, apart from its body. */
export interface Call {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly createdAtSeconds: number;
  /** The length of each answer that the request asked for by header; null = as the seed has it. */
  readonly outputTokens: number | null;
  /** A new id for this call, `<prefix><32 hex digits>`. Repeatable: it depends on the call's number, not on chance. */
  createId(prefix: string): string;
}

export interface JsonEndpoint {
  readonly path: string;
  answer(body: unknown, call: Call): Answer;
}

export function refuse(
  status: number,
  message: string,
  details: { type?: string; code?: string; param?: string } = {},
): Refusal {
  const { type = "invalid_request_error", code = null, param = null } = details;
  return { kind: "refusal", status, type, code, param, message };
}

/** The request as `schema` reads it, or OpenAI's words for the first thing that is wrong with it. */
export function readRequest<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): { readonly request: z.infer<Schema> } | { readonly refusal: Refusal } {
  const result = schema.safeParse(body);
  if (result.success) return { request: result.data };
  const [issue] = result.error.issues;
  const param = issue === undefined ? "" : issue.path.map(String).join(".");
  if (param === "model") {
    return { refusal: refuse(400, "you must provide a model parameter") };
  }
  if (param === "") {
    return { refusal: refuse(400, "The request body must be a JSON object.") };
  }
  if (issue?.code === "invalid_type" && issue.input === undefined) {
    const code = "missing_required_parameter";
    return { refusal: refuse(400, `Missing required parameter: '${param}'.`, { code, param }) };
  }
  const message = `Invalid value for '${param}': ${issue?.message ?? "not accepted"}.`;
  return { refusal: refuse(400, message, { code: "invalid_value", param }) };
}

/** Fields that say how an answer is delivered, not what it says: the answer is the same with and without them. */
const DELIVERY_FIELDS = new Set([
  "encoding_format",
  "max_completion_tokens",
  "max_output_tokens",
  "max_tokens",
  "metadata",
  "n",
  "safety_identifier",
  "store",
  "stream",
  "stream_options",
  "user",
]);

/**
 * The seed of the answer to a request. Streamed or not, cut short or not: the same question has the same seed.
 */
export function seedOf(call: Pick<Call, "path">, body: object): string {
  const question = Object.entries(body).filter(([name]) => !DELIVERY_FIELDS.has(name));
  return createHash("sha256")
    .update(`${call.path}\n${JSON.stringify(question)}`)
    .digest("hex");
}

/** A data-only server-sent event, as chat and text completions stream them. */
export function dataEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** A named server-sent event, as responses stream them. */
export function namedEvent(data: {
  readonly type: string;
  readonly sequence_number: number;
}): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
