import { z } from "zod";
import { makeUpAnswer, type MadeUpAnswer } from "../content/made-up-answer.ts";
import { countTokens } from "../content/text-tokens.ts";
import {
  dataEvent,
  readRequest,
  refuse,
  seedOf,
  type JsonEndpoint,
  type StreamStep,
} from "../endpoint.ts";

const MAX_CHOICES = 128;
const MAX_TOKENS_PER_CALL = 1_000_000;
/** OpenAI's own default for this endpoint. */
const DEFAULT_MAX_TOKENS = 16;

const tokenList = z.array(z.int().min(0));
const requestSchema = z.looseObject({
  model: z.string().min(1),
  prompt: z.union([z.string(), z.array(z.string()), tokenList, z.array(tokenList)]).nullish(),
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  max_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
type CompletionRequest = z.infer<typeof requestSchema>;

/** `POST /v1/completions`. Source: the completion object of OpenAI's API reference. */
export const completions: JsonEndpoint = {
  takes: "json",
  method: "POST",
  path: "/v1/completions",
  answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { request } = read;
    const prompts = promptsOf(request.prompt);
    const choiceCount = prompts.length * (request.n ?? 1);
    if (choiceCount > MAX_CHOICES) {
      return refuse(400, `The simulator answers with ${MAX_CHOICES} choices at most.`);
    }
    if ((call.outputTokens ?? 0) * choiceCount > MAX_TOKENS_PER_CALL) {
      return refuse(400, `The simulator answers with ${MAX_TOKENS_PER_CALL} tokens at most.`);
    }
    const choices = Array.from({ length: choiceCount }, (_, index) =>
      makeUpAnswer({
        seed: `${seedOf(call, request)}/${index}`,
        maxTokens: request.max_tokens ?? call.outputTokens ?? DEFAULT_MAX_TOKENS,
        wantedTokens: call.outputTokens,
        schema: null,
      }),
    );
    const usage = usageOf(prompts, choices);
    const head = {
      id: call.createId("cmpl-"),
      object: "text_completion",
      created: call.createdAtSeconds,
      model: request.model,
    };
    if (request.stream === true) {
      const isUsageIncluded = request.stream_options?.include_usage === true;
      return { kind: "stream", steps: streamSteps(head, choices, isUsageIncluded ? usage : null) };
    }
    const answer = {
      ...head,
      choices: choices.map((choice, index) =>
        choiceOf(index, choice.tokens.join(""), finishReason(choice)),
      ),
      usage,
    };
    return { kind: "json", body: answer, outputTokens: usage.completion_tokens };
  },
};

type Prompt = string | readonly number[];

function promptsOf(prompt: CompletionRequest["prompt"]): readonly Prompt[] {
  if (prompt === undefined || prompt === null) return [""];
  if (typeof prompt === "string") return [prompt];
  const isOneTokenList = typeof prompt[0] === "number";
  return isOneTokenList ? [prompt as number[]] : (prompt as readonly Prompt[]);
}

function usageOf(prompts: readonly Prompt[], choices: readonly MadeUpAnswer[]) {
  const promptTokens = prompts.reduce(
    (sum, prompt) => sum + (typeof prompt === "string" ? countTokens(prompt) : prompt.length),
    0,
  );
  const completionTokens = choices.reduce((sum, choice) => sum + choice.tokens.length, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

function finishReason({ isCut }: MadeUpAnswer): string {
  return isCut ? "length" : "stop";
}

function choiceOf(index: number, text: string, reason: string | null): object {
  return { text, index, logprobs: null, finish_reason: reason };
}

function* streamSteps(
  head: object,
  choices: readonly MadeUpAnswer[],
  usage: object | null,
): Generator<StreamStep> {
  const chunk = (choice: object): string =>
    dataEvent({ ...head, choices: [choice], ...(usage === null ? {} : { usage: null }) });
  const longest = Math.max(0, ...choices.map((choice) => choice.tokens.length));
  for (let position = 0; position < longest; position += 1) {
    for (const [index, choice] of choices.entries()) {
      const token = choice.tokens[position];
      if (token === undefined) continue;
      yield { text: chunk(choiceOf(index, token, null)), isToken: true };
      if (position === choice.tokens.length - 1) {
        yield { text: chunk(choiceOf(index, "", finishReason(choice))), isToken: false };
      }
    }
  }
  if (usage !== null) yield { text: dataEvent({ ...head, choices: [], usage }), isToken: false };
  yield { text: "data: [DONE]\n\n", isToken: false };
}
