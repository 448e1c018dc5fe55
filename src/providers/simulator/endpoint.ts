/**
 * What an endpoint of the simulator is: a function from a request to an answer. It opens no socket, reads no clock and
 * draws no randomness; what it remembers is in the memory that it was made with. `http/` sends what it returns, `faults/` spoil it first
 * where the caller asked for that.
 */
import { createHash } from "node:crypto";
import type { z } from "zod";
import type { Dialect } from "../../wire/dialect.ts";
import type { MultipartForm } from "./http/multipart-reader.ts";

/** One event of a stream, ready to be sent. `isToken`: it carries one token and waits for the pace. */
export interface StreamStep {
  readonly text: string;
  readonly isToken: boolean;
}

/** What happens to the connection in place of bytes. A stall without an end lasts until the client goes away. */
export type Mishap =
  | { readonly mishap: "cut" }
  | { readonly mishap: "stall"; readonly forMs: number | null };

/** An error as OpenAI words it. Source: "Error codes" of OpenAI's API documentation. */
export interface Refusal {
  readonly kind: "refusal";
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `html` and `empty` are what a proxy in front of a provider answers with. */
  readonly bodyForm: "json" | "html" | "empty";
}

export type Answer =
  | Refusal
  /** `outputTokens` is what the pace is applied to. */
  | { readonly kind: "json"; readonly body: object; readonly outputTokens: number }
  /** One body in pieces, for what is too large to be made at once. */
  | PiecesAnswer
  | StreamAnswer
  /** Nothing is sent; after a stall that ends, `next` is. */
  | { readonly kind: "mishap"; readonly mishap: Mishap; readonly next: Answer };

export interface PiecesAnswer {
  readonly kind: "pieces";
  readonly contentType: string;
  /** Undefined = chunked. */
  readonly contentLength?: number;
  readonly pieces: Iterable<string | Uint8Array | Mishap>;
}

export interface StreamAnswer {
  readonly kind: "stream";
  readonly steps: Iterable<StreamStep | Mishap>;
}

/** What belongs to one call, apart from its body. */
export interface Call {
  /** Whose client it comes from. */
  readonly dialect: Dialect;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** What stands in the path for the `:id` of the endpoint, decoded; "" where it has none. */
  readonly id: string;
  readonly createdAtSeconds: number;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The length of each answer that the request asked for by header; null = as the seed has it. */
  readonly outputTokens: number | null;
  /** Another seed, other answers to the same requests; "" is the usual one. */
  readonly seed: string;
  /** How long what this call starts takes: a response in the background, a batch. */
  readonly workMs: number;
  /** What the endpoint of a path that takes JSON answers, within this call: for the lines of a batch. */
  answerJson(path: string, body: unknown): Answer | Promise<Answer>;
  /** A new id for this call, `<prefix><32 hex digits>`. Repeatable: it depends on the call's number, not on chance. */
  createId(prefix: string): string;
}

interface AnyEndpoint {
  /** May hold one `:id`, which stands for one segment, at its end for the rest of the path. */
  readonly path: string;
  /** Whose clients it is for; OpenAI's where it does not say. */
  readonly dialect?: Dialect;
}

export interface JsonEndpoint extends AnyEndpoint {
  readonly takes: "json";
  readonly method: "POST";
  answer(body: unknown, call: Call): Answer | Promise<Answer>;
}

export interface FormEndpoint extends AnyEndpoint {
  readonly takes: "form";
  readonly method: "POST";
  /** Of each file, so many bytes are there as `content`; a larger one has none. 0 where it is not named. */
  readonly keptFileBytes?: number;
  answer(form: MultipartForm, call: Call): Answer;
}

/** Whatever body comes is thrown away. */
export interface BodilessEndpoint extends AnyEndpoint {
  readonly takes: "nothing";
  readonly method: "DELETE" | "GET" | "POST";
  answer(call: Call): Answer | Promise<Answer>;
}

export type Endpoint = JsonEndpoint | FormEndpoint | BodilessEndpoint;

export function refuse(
  status: number,
  message: string,
  details: Partial<Pick<Refusal, "type" | "code" | "param" | "headers" | "bodyForm">> = {},
): Refusal {
  return {
    kind: "refusal",
    status,
    type: "invalid_request_error",
    code: null,
    param: null,
    headers: {},
    bodyForm: "json",
    ...details,
    message,
  };
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
  "background",
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
export function seedOf(call: Pick<Call, "path" | "seed">, body: object): string {
  const question = Object.entries(body).filter(([name]) => !DELIVERY_FIELDS.has(name));
  return createHash("sha256")
    .update(`${call.seed}${call.path}\n${JSON.stringify(question)}`)
    .digest("hex");
}

/** A data-only server-sent event, as chat and text completions stream them. */
export function dataEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** A named server-sent event, as responses, images and Anthropic's messages stream them. */
export function namedEvent(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}
