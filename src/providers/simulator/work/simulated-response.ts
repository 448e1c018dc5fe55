import { z } from "zod";
import { makeUpAnswer, type MadeUpAnswer } from "../content/made-up-answer.ts";
import { countPromptTokens } from "../content/prompt-tokens.ts";
import { namedEvent, seedOf, type Call, type Mishap, type StreamStep } from "../endpoint.ts";

const jsonSchema = z.record(z.string(), z.unknown());
export const requestSchema = z.looseObject({
  background: z.boolean().nullish(),
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.looseObject({}))]),
  instructions: z.string().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  text: z
    .looseObject({
      format: z.looseObject({ type: z.string(), schema: jsonSchema.nullish() }).nullish(),
    })
    .nullish(),
  tool_choice: z.union([z.string(), z.looseObject({ name: z.string().optional() })]).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        name: z.string().optional(),
        parameters: jsonSchema.nullish(),
      }),
    )
    .nullish(),
  top_p: z.number().nullish(),
});
type ResponsesRequest = z.infer<typeof requestSchema>;

type Output =
  | { readonly kind: "message"; readonly id: string }
  | {
      readonly kind: "call";
      readonly id: string;
      readonly callId: string;
      readonly functionName: string;
    };

/** How a stream of a response in the background waits, and whether it was cancelled meanwhile. */
export interface BackgroundWaits {
  readonly queuedMs: number;
  readonly workingMs: number;
  isCancelled(): boolean;
}

/** About what a token takes in a list of them. */
const BYTES_PER_TOKEN = 48;

/** What a response says from its beginning to its end. */
export class SimulatedResponse {
  readonly id: string;
  /** About what it takes in memory. */
  readonly bytes: number;
  readonly #request: ResponsesRequest;
  readonly #inputTokens: number;
  readonly #createdAtSeconds: number;
  readonly #answer: MadeUpAnswer;
  readonly #output: Output;

  constructor(request: ResponsesRequest, call: Call) {
    const demanded = demandedFunction(request);
    // It may be kept for long, and needs no more of its input than the number of tokens.
    this.#request = { ...request, input: "" };
    this.#inputTokens = countPromptTokens([request.instructions, request.input]);
    this.id = call.createId("resp_");
    this.#createdAtSeconds = call.createdAtSeconds;
    this.#output =
      demanded === undefined
        ? { kind: "message", id: call.createId("msg_") }
        : {
            kind: "call",
            id: call.createId("fc_"),
            callId: call.createId("call_"),
            functionName: demanded.name ?? "",
          };
    this.#answer = makeUpAnswer({
      seed: seedOf(call, request),
      maxTokens: request.max_output_tokens ?? null,
      wantedTokens: call.outputTokens,
      schema: demanded === undefined ? formatSchema(request) : (demanded.parameters ?? {}),
    });
    // The whole request, with fields that no answer shows: they are kept as well.
    this.bytes =
      JSON.stringify(this.#request).length + this.#answer.tokens.length * BYTES_PER_TOKEN;
  }

  get outputTokens(): number {
    return this.#answer.tokens.length;
  }

  get endStatus(): "completed" | "incomplete" {
    return this.#answer.isCut ? "incomplete" : "completed";
  }

  /** Its events; of one in the background with a pause before it begins and one before it ends. */
  *steps(waits?: BackgroundWaits): Generator<StreamStep | Mishap> {
    let sequenceNumber = 0;
    const step = (type: string, fields: object, isToken = false): StreamStep => {
      const text = namedEvent(type, { ...fields, sequence_number: sequenceNumber });
      sequenceNumber += 1;
      return { text, isToken };
    };
    const last = this.endStatus;
    const item = { output_index: 0 };
    const first = waits === undefined ? "in_progress" : "queued";
    yield step("response.created", { response: this.snapshot(first) });
    if (waits !== undefined) {
      yield step("response.queued", { response: this.snapshot("queued") });
      yield pause(waits.queuedMs);
      if (waits.isCancelled()) return;
    }
    yield step("response.in_progress", { response: this.snapshot("in_progress") });
    yield step("response.output_item.added", { ...item, item: this.#item("in_progress") });
    yield* this.#output.kind === "message" ? this.#messageSteps(step) : this.#callSteps(step);
    if (waits !== undefined) {
      yield pause(waits.workingMs);
      if (waits.isCancelled()) return;
    }
    yield step("response.output_item.done", { ...item, item: this.#item(last) });
    yield step(`response.${last}`, { response: this.snapshot(last) });
  }

  *#messageSteps(step: StepMaker): Generator<StreamStep> {
    const place = { item_id: this.#output.id, output_index: 0, content_index: 0 };
    const text = this.#answer.tokens.join("");
    yield step("response.content_part.added", { ...place, part: textPart("") });
    for (const delta of this.#answer.tokens) {
      yield step("response.output_text.delta", { ...place, delta, logprobs: [] }, true);
    }
    yield step("response.output_text.done", { ...place, text, logprobs: [] });
    yield step("response.content_part.done", { ...place, part: textPart(text) });
  }

  *#callSteps(step: StepMaker): Generator<StreamStep> {
    const place = { item_id: this.#output.id, output_index: 0 };
    for (const delta of this.#answer.tokens) {
      yield step("response.function_call_arguments.delta", { ...place, delta }, true);
    }
    const text = this.#answer.tokens.join("");
    yield step("response.function_call_arguments.done", { ...place, arguments: text });
  }

  /** The output item as it stands at the start (`in_progress`, empty) or at the end. */
  #item(status: ItemStatus): object {
    const text = status === "in_progress" ? "" : this.#answer.tokens.join("");
    const output = this.#output;
    if (output.kind === "message") {
      const content = status === "in_progress" ? [] : [textPart(text)];
      return { id: output.id, type: "message", status, content, role: "assistant" };
    }
    const { id, callId, functionName } = output;
    return {
      id,
      type: "function_call",
      status,
      arguments: text,
      call_id: callId,
      name: functionName,
    };
  }

  /** The response object as it stands; its output and its usage are there at its end. */
  snapshot(status: ResponseStatus): object {
    const request = this.#request;
    const isEnd = status === "completed" || status === "incomplete";
    return {
      id: this.id,
      object: "response",
      created_at: this.#createdAtSeconds,
      status,
      background: request.background ?? false,
      error: null,
      incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
      instructions: request.instructions ?? null,
      max_output_tokens: request.max_output_tokens ?? null,
      metadata: request.metadata ?? {},
      model: request.model,
      output: isEnd ? [this.#item(status)] : [],
      parallel_tool_calls: true,
      previous_response_id: request["previous_response_id"] ?? null,
      reasoning: { effort: null, summary: null },
      service_tier: isEnd ? "default" : "auto",
      store: request.store ?? true,
      temperature: request.temperature ?? 1,
      text: { format: request.text?.format ?? { type: "text" } },
      tool_choice: request.tool_choice ?? "auto",
      tools: request.tools ?? [],
      top_p: request.top_p ?? 1,
      truncation: "disabled",
      usage: isEnd ? this.#usage() : null,
      user: request["user"] ?? null,
    };
  }

  #usage(): object {
    const inputTokens = this.#inputTokens;
    return {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: this.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + this.outputTokens,
    };
  }
}

type ItemStatus = "in_progress" | "completed" | "incomplete";
export type ResponseStatus = ItemStatus | "queued" | "cancelled";
type StepMaker = (type: string, fields: object, isToken?: boolean) => StreamStep;

function pause(forMs: number): Mishap {
  return { mishap: "stall", forMs };
}

function textPart(text: string): object {
  return { type: "output_text", annotations: [], logprobs: [], text };
}

/** The function that `tool_choice` makes the model call: the named one, or with `required` the first. */
function demandedFunction({ tools, tool_choice: toolChoice }: ResponsesRequest) {
  const functions = (tools ?? []).filter((tool) => tool.type === "function");
  if (toolChoice === "required") return functions[0];
  if (typeof toolChoice !== "object") return undefined;
  return functions.find((one) => one.name !== undefined && one.name === toolChoice?.name);
}

/** Any JSON object will do for `json_object`. */
const ANY_OBJECT = { type: "object", properties: { answer: { type: "string" } } };

function formatSchema({ text }: ResponsesRequest) {
  const format = text?.format;
  if (format?.type === "json_object") return ANY_OBJECT;
  return format?.type === "json_schema" ? (format.schema ?? ANY_OBJECT) : null;
}
