import { z } from "zod";
import { makeUpAnswer, type MadeUpAnswer } from "../content/made-up-answer.ts";
import { countPromptTokens } from "../content/prompt-tokens.ts";
import {
  namedEvent,
  readRequest,
  seedOf,
  type Call,
  type JsonEndpoint,
  type StreamStep,
} from "../endpoint.ts";

const jsonSchema = z.record(z.string(), z.unknown());
const promptSchema = z.looseObject({
  model: z.string().min(1),
  messages: z
    .array(
      z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(z.unknown())]) }),
    )
    .min(1),
  system: z.union([z.string(), z.array(z.unknown())]).nullish(),
  tools: z
    .array(z.looseObject({ name: z.string().optional(), input_schema: jsonSchema.nullish() }))
    .nullish(),
  tool_choice: z.looseObject({ type: z.string(), name: z.string().optional() }).nullish(),
  output_config: z
    .looseObject({ format: z.looseObject({ type: z.string(), schema: jsonSchema }).nullish() })
    .nullish(),
});
const requestSchema = promptSchema.extend({
  max_tokens: z.int().min(1),
  stream: z.boolean().nullish(),
});
type Prompt = z.infer<typeof promptSchema>;
type MessagesRequest = z.infer<typeof requestSchema>;

/**
 * Anthropic's `POST /v1/messages`: one text, or the use of one tool where `tool_choice` demands it; a JSON text that fits
 * `output_config.format`. Sources: `Message` and `RawMessageStreamEvent` of Anthropic's published API types.
 */
const messages: JsonEndpoint = {
  takes: "json",
  method: "POST",
  dialect: "anthropic",
  path: "/v1/messages",
  answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const message = new SimulatedMessage(read.request, call);
    return read.request.stream === true
      ? { kind: "stream", steps: message.steps() }
      : { kind: "json", body: message.whole(), outputTokens: message.outputTokens };
  },
};

/** `POST /v1/messages/count_tokens`: what the same prompt is charged as input. */
const countTokens: JsonEndpoint = {
  takes: "json",
  method: "POST",
  dialect: "anthropic",
  path: "/v1/messages/count_tokens",
  answer(body) {
    const read = readRequest(promptSchema, body);
    if ("refusal" in read) return read.refusal;
    return { kind: "json", body: { input_tokens: inputTokensOf(read.request) }, outputTokens: 0 };
  },
};

export const messageEndpoints: readonly JsonEndpoint[] = [messages, countTokens];

class SimulatedMessage {
  readonly #model: string;
  readonly #id: string;
  readonly #inputTokens: number;
  readonly #answer: MadeUpAnswer;
  /** The tool that is used; its input is then the answer. */
  readonly #toolUse: { readonly id: string; readonly name: string } | undefined;

  constructor(request: MessagesRequest, call: Call) {
    const tool = demandedTool(request);
    this.#model = request.model;
    this.#id = call.createId("msg_");
    this.#inputTokens = inputTokensOf(request);
    this.#toolUse =
      tool === undefined ? undefined : { id: call.createId("toolu_"), name: tool.name ?? "" };
    this.#answer = makeUpAnswer({
      seed: seedOf(call, request),
      // The input of a tool is an object in the answer, which half of one can't be.
      maxTokens: tool === undefined || request.stream === true ? request.max_tokens : null,
      wantedTokens: call.outputTokens,
      schema:
        tool === undefined
          ? (request.output_config?.format?.schema ?? null)
          : (tool.input_schema ?? {}),
    });
  }

  get outputTokens(): number {
    return this.#answer.tokens.length;
  }

  whole(): object {
    const text = this.#answer.tokens.join("");
    const block =
      this.#toolUse === undefined
        ? textBlock(text)
        : this.#toolUseBlock(JSON.parse(text) as object);
    return {
      ...this.#head(this.outputTokens),
      content: [block],
      stop_reason: this.#stopReason(),
    };
  }

  *steps(): Generator<StreamStep> {
    const index = 0;
    const isText = this.#toolUse === undefined;
    yield step("message_start", { message: this.#head(0) });
    const block = isText ? textBlock("") : this.#toolUseBlock({});
    yield step("content_block_start", { index, content_block: block });
    yield step("ping", {});
    for (const token of this.#answer.tokens) {
      const delta = isText
        ? { type: "text_delta", text: token }
        : { type: "input_json_delta", partial_json: token };
      yield step("content_block_delta", { index, delta }, true);
    }
    yield step("content_block_stop", { index });
    yield step("message_delta", {
      delta: { container: null, stop_reason: this.#stopReason(), stop_sequence: null },
      usage: {
        input_tokens: this.#inputTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: this.outputTokens,
        server_tool_use: null,
      },
    });
    yield step("message_stop", {});
  }

  #stopReason(): string {
    if (this.#answer.isCut) return "max_tokens";
    return this.#toolUse === undefined ? "end_turn" : "tool_use";
  }

  #toolUseBlock(input: object): object {
    return { type: "tool_use", ...this.#toolUse, input, caller: { type: "direct" } };
  }

  /** The message as it is before its content. */
  #head(outputTokens: number): object {
    return {
      id: this.#id,
      type: "message",
      role: "assistant",
      model: this.#model,
      content: [],
      container: null,
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: this.#inputTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens: outputTokens,
        server_tool_use: null,
        service_tier: "standard",
      },
    };
  }
}

function textBlock(text: string): object {
  return { type: "text", text, citations: null };
}

function inputTokensOf({ system, messages: turns }: Prompt): number {
  return countPromptTokens([system, turns]);
}

/** The tool that `tool_choice` makes the model use: the named one, or with `any` the first. */
function demandedTool({ tools, tool_choice: choice }: MessagesRequest) {
  if (choice?.type === "any") return tools?.[0];
  if (choice?.type !== "tool") return undefined;
  return tools?.find((tool) => tool.name !== undefined && tool.name === choice.name);
}

function step(type: string, fields: object, isToken = false): StreamStep {
  return { text: namedEvent(type, fields), isToken };
}
