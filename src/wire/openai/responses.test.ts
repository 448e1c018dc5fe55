import { describe, expect, it } from "vitest";
import { NO_FACTS } from "./operation.ts";
import { responses } from "./responses.ts";

const usage = {
  input_tokens: 36,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 87,
  output_tokens_details: { reasoning_tokens: 7 },
  total_tokens: 123,
};
const response = { id: "resp_1", model: "gpt-5-2025-08-07", service_tier: "default" };

describe("responses: facts", () => {
  it("reads who answered, on which tier, and the usage", () => {
    expect(responses.readResponse({ ...response, usage })).toEqual({
      ...NO_FACTS,
      responseId: "resp_1",
      servedModel: "gpt-5-2025-08-07",
      serviceTier: "default",
      quantities: { input: 36, output: 80, reasoningOutput: 7 },
    });
  });

  it("knows id and model from a stream's first event, before there is any usage", () => {
    const data = { type: "response.created", response: { ...response, usage: null } };
    expect(responses.readStreamEvent(data)).toEqual({
      ...NO_FACTS,
      responseId: "resp_1",
      servedModel: "gpt-5-2025-08-07",
      serviceTier: "default",
      quantities: null,
    });
  });

  it.each(["response.completed", "response.incomplete", "response.failed"])(
    "reads the usage of %s",
    (type) => {
      const facts = responses.readStreamEvent({ type, response: { ...response, usage } });
      expect(facts.quantities).toEqual({ input: 36, output: 80, reasoningOutput: 7 });
    },
  );

  it("has no event that is only there for the usage", () => {
    const data = { type: "response.completed", response: { ...response, usage } };
    expect(responses.isUsageOnlyEvent(data)).toBe(false);
    expect(responses.needsIncludeUsage).toBe(false);
  });

  it("says nothing of events that carry no response", () => {
    expect(responses.readStreamEvent({ type: "response.output_text.delta", delta: "a" })).toEqual({
      ...NO_FACTS,
      responseId: null,
      servedModel: null,
      serviceTier: null,
      quantities: null,
    });
  });
});

describe("responses: text to count", () => {
  it("takes instructions and a plain input", () => {
    expect(responses.promptText({ instructions: "Be brief.", input: "Hello" })).toEqual({
      texts: ["Be brief.", "Hello"],
      framingTokens: 9,
    });
  });

  it("takes messages, calls, their outputs, reasoning, tools and the answer's schema", () => {
    const { texts } = responses.promptText({
      input: [
        {
          role: "user",
          content: [{ type: "input_text", text: "What is this?" }, { type: "input_image" }],
        },
        { type: "function_call", call_id: "c1", name: "look_up", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "a cat" },
        { type: "function_call_output", output: [{ type: "input_text", text: "two cats" }] },
        { type: "reasoning", summary: [{ type: "summary_text", text: "thought" }] },
        { type: "item_reference", id: "msg_1" },
      ],
      tools: [{ type: "web_search" }],
      text: { format: { type: "json_schema", schema: { type: "object" } } },
    });
    expect(texts).toEqual([
      "user",
      "What is this?",
      "look_up",
      "{}",
      "a cat",
      "two cats",
      "thought",
      '[{"type":"web_search"}]',
      '{"type":"object"}',
    ]);
  });

  it("takes messages, refusals, reasoning and calls of an answer, and no image data", () => {
    const body = {
      output: [
        { type: "reasoning", summary: [{ text: "thought" }] },
        {
          type: "message",
          content: [
            { type: "output_text", text: "yes" },
            { type: "refusal", refusal: "no" },
          ],
        },
        { type: "custom_tool_call", name: "sql", input: "select 1" },
        { type: "code_interpreter_call", code: "print(1)" },
        { type: "image_generation_call", result: "AAAA" },
      ],
    };
    expect(responses.answerText(body).texts).toEqual([
      "thought",
      "yes",
      "no",
      "sql",
      "select 1",
      "print(1)",
    ]);
  });

  it("takes the deltas of a stream and the names of its calls, but no audio", () => {
    const events = [
      { type: "response.output_item.added", item: { type: "function_call", name: "f" } },
      { type: "response.function_call_arguments.delta", delta: "{}" },
      { type: "response.output_text.delta", delta: "a" },
      { type: "response.reasoning_summary_text.delta", delta: "b" },
      { type: "response.refusal.delta", delta: "c" },
      { type: "response.audio.delta", delta: "AAAA" },
      { type: "response.audio.transcript.delta", delta: "d" },
      { type: "response.output_text.done", text: "a" },
      { type: "response.completed", response: { ...response, usage } },
      { delta: "no type" },
    ];
    expect(events.flatMap((event) => responses.deliveredText(event))).toEqual([
      "f",
      "{}",
      "a",
      "b",
      "c",
      "d",
    ]);
  });
});
