import { z } from "zod";
import { makeUpAnswer, type MadeUpAnswer } from "../content/made-up-answer.ts";
import { countPromptTokens } from "../content/prompt-tokens.ts";
import {
  dataEvent,
  readRequest,
  refuse,
  seedOf,
  type Answer,
  type Call,
  type JsonEndpoint,
  type StreamStep,
} from "../endpoint.ts";

const MAX_CHOICES = 128;
const MAX_TOKENS_PER_CALL = 1_000_000;

const jsonSchema = z.record(z.string(), z.unknown());
const requestSchema = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string() })).min(1),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.string(),
        function: z.looseObject({ name: z.string(), parameters: jsonSchema.nullish() }).optional(),
      }),
    )
    .nullish(),
  tool_choice: z
    .union([
      z.string(),
      z.looseObject({ function: z.looseObject({ name: z.string() }).optional() }),
    ])
    .nullish(),
  response_format: z
    .looseObject({
      type: z.string(),
      json_schema: z.looseObject({ schema: jsonSchema.nullish() }).nullish(),
    })
    .nullish(),
});
type ChatRequest = z.infer<typeof requestSchema>;

interface Choice extends MadeUpAnswer {
  /** The function that the answer calls; its tokens are then the arguments. */
  readonly functionName: string | null;
  readonly callId: string | null;
}

/**
 * `POST /v1/chat/completions`. A function is called when `tool_choice` demands it; `response_format` is honoured with
 * JSON that fits the schema. Sources: the chat object and the chat chunk object of OpenAI's API reference.
 */
export const chatCompletions: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/chat/completions",
  answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { request } = read;
    const n = request.n ?? 1;
    if ((call.outputTokens ?? 0) * n > MAX_TOKENS_PER_CALL) {
      return refuse(400, `The simulator answers with ${MAX_TOKENS_PER_CALL} tokens at most.`);
    }
    const choices = Array.from({ length: n }, (_, index) => makeUpChoice(request, call, index));
    return request.stream === true
      ? { kind: "stream", steps: streamSteps(request, call, choices) }
      : wholeAnswer(request, call, choices);
  },
};

function makeUpChoice(request: ChatRequest, call: Call, index: number): Choice {
  const demanded = demandedFunction(request);
  const answer = makeUpAnswer({
    seed: `${seedOf(call, request)}/${index}`,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? null,
    wantedTokens: call.outputTokens,
    schema: demanded === undefined ? formatSchema(request) : (demanded.parameters ?? {}),
  });
  return {
    ...answer,
    functionName: demanded?.name ?? null,
    callId: demanded === undefined ? null : call.createId("call_"),
  };
}

/** The function that `tool_choice` makes the model call: the named one, or with `required` the first. */
function demandedFunction({ tools, tool_choice: toolChoice }: ChatRequest) {
  const functions = (tools ?? []).flatMap((tool) => tool.function ?? []);
  if (toolChoice === "required") return functions[0];
  if (typeof toolChoice !== "object") return undefined;
  return functions.find((one) => one.name === toolChoice?.function?.name);
}

/** Any JSON object will do for `json_object`. */
const ANY_OBJECT = { type: "object", properties: { answer: { type: "string" } } };

function formatSchema({ response_format: format }: ChatRequest) {
  if (format?.type === "json_object") return ANY_OBJECT;
  return format?.type === "json_schema" ? (format.json_schema?.schema ?? ANY_OBJECT) : null;
}

function usageOf(request: ChatRequest, choices: readonly Choice[]) {
  const promptTokens = countPromptTokens(request.messages);
  const completionTokens = choices.reduce((sum, choice) => sum + choice.tokens.length, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function finishReason(choice: Choice): string {
  if (choice.isCut) return "length";
  return choice.functionName === null ? "stop" : "tool_calls";
}

function wholeAnswer(request: ChatRequest, call: Call, choices: readonly Choice[]): Answer {
  const usage = usageOf(request, choices);
  const body = {
    id: call.createId("chatcmpl-"),
    object: "chat.completion",
    created: call.createdAtSeconds,
    model: request.model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: null,
      finish_reason: finishReason(choice),
    })),
    usage,
    service_tier: "default",
    system_fingerprint: "fp_simulator",
  };
  return { kind: "json", body, outputTokens: usage.completion_tokens };
}

function messageOf({ tokens, functionName, callId }: Choice): object {
  const text = tokens.join("");
  const message = { role: "assistant", content: text, refusal: null, annotations: [] };
  if (functionName === null) return message;
  const call = { id: callId, type: "function", function: { name: functionName, arguments: text } };
  return { ...message, content: null, tool_calls: [call] };
}

function* streamSteps(
  request: ChatRequest,
  call: Call,
  choices: readonly Choice[],
): Generator<StreamStep> {
  const isUsageIncluded = request.stream_options?.include_usage === true;
  const head = {
    id: call.createId("chatcmpl-"),
    object: "chat.completion.chunk",
    created: call.createdAtSeconds,
    model: request.model,
    service_tier: "default",
    system_fingerprint: "fp_simulator",
  };
  const chunk = (index: number, delta: object, reason: string | null = null): string =>
    dataEvent({
      ...head,
      choices: [{ index, delta, logprobs: null, finish_reason: reason }],
      // With include_usage every chunk but the last names usage, as null.
      ...(isUsageIncluded ? { usage: null } : {}),
    });

  for (const [index, choice] of choices.entries()) {
    yield { text: chunk(index, openingDelta(choice)), isToken: false };
  }
  const longest = Math.max(...choices.map((choice) => choice.tokens.length));
  for (let position = 0; position < longest; position += 1) {
    for (const [index, choice] of choices.entries()) {
      const token = choice.tokens[position];
      if (token === undefined) continue;
      yield { text: chunk(index, tokenDelta(choice, token)), isToken: true };
      if (position === choice.tokens.length - 1) {
        yield { text: chunk(index, {}, finishReason(choice)), isToken: false };
      }
    }
  }
  if (isUsageIncluded) {
    const usage = usageOf(request, choices);
    yield { text: dataEvent({ ...head, choices: [], usage }), isToken: false };
  }
  yield { text: "data: [DONE]\n\n", isToken: false };
}

function openingDelta({ functionName, callId }: Choice): object {
  if (functionName === null) return { role: "assistant", content: "", refusal: null };
  const call = { name: functionName, arguments: "" };
  const toolCalls = [{ index: 0, id: callId, type: "function", function: call }];
  return { role: "assistant", content: null, tool_calls: toolCalls, refusal: null };
}

function tokenDelta({ functionName }: Choice, token: string): object {
  if (functionName === null) return { content: token };
  return { tool_calls: [{ index: 0, function: { arguments: token } }] };
}
