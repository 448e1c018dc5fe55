import { describe, expect, it } from "vitest";
import { chatCompletions } from "./chat-completions.ts";
import { NO_FACTS } from "./operation.ts";

const chunk = (fields: Record<string, unknown>) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_760_000_000,
  model: "gpt-4o-mini-2024-07-18",
  ...fields,
});
const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

describe("chat completions: facts", () => {
  it("reads who answered, on which tier, and the usage", () => {
    const body = { ...chunk({}), service_tier: "default", choices: [], usage };
    expect(chatCompletions.readResponse(body)).toEqual({
      ...NO_FACTS,
      responseId: "chatcmpl-1",
      servedModel: "gpt-4o-mini-2024-07-18",
      serviceTier: "default",
      quantities: { input: 9, output: 3 },
    });
  });

  it("says nothing that the answer does not say", () => {
    expect(chatCompletions.readResponse({ id: 7, model: "", usage: null })).toEqual({
      ...NO_FACTS,
      responseId: null,
      servedModel: null,
      serviceTier: null,
      quantities: null,
    });
  });

  it("does not take a name of absurd length for a name", () => {
    expect(chatCompletions.readResponse({ model: "m".repeat(257) }).servedModel).toBeNull();
  });

  it("reads the usage of every chunk that has one, so that the last wins (Gemini sends it on each)", () => {
    const first = chunk({ choices: [{ index: 0, delta: { content: "a" } }], usage });
    expect(chatCompletions.readStreamEvent(first).quantities).toEqual({ input: 9, output: 3 });
    const ordinary = chunk({ choices: [{ index: 0, delta: { content: "a" } }], usage: null });
    expect(chatCompletions.readStreamEvent(ordinary).quantities).toBeNull();
  });

  it("reads the usage where Groq's streams carry it", () => {
    const last = chunk({ choices: [{ index: 0, delta: {} }], x_groq: { id: "req_1", usage } });
    expect(chatCompletions.readStreamEvent(last).quantities).toEqual({ input: 9, output: 3 });
  });
});

describe("chat completions: the chunk that only include_usage asks for", () => {
  it("is the one with usage and no choice", () => {
    expect(chatCompletions.isUsageOnlyEvent(chunk({ choices: [], usage }))).toBe(true);
  });

  it.each([
    ["Azure's first chunk", { choices: [], prompt_filter_results: [{ prompt_index: 0 }] }],
    [
      "a chunk with filter results besides the usage",
      { choices: [], usage, prompt_filter_results: [{ prompt_index: 0 }] },
    ],
    ["a chunk with a choice", { choices: [{ index: 0, delta: {} }], usage }],
    ["an ordinary chunk", { choices: [{ index: 0, delta: {} }], usage: null }],
    ["a chunk with a null usage", { choices: [], usage: null }],
    ["a chunk without choices", { usage }],
    ["an error", { choices: [], usage, error: { message: "overloaded" } }],
    ["a chunk with moderation results", { choices: [], usage, moderation: { input: {} } }],
  ])("is not %s", (_, fields) => {
    expect(chatCompletions.isUsageOnlyEvent(chunk(fields))).toBe(false);
  });
});

describe("chat completions: text to count", () => {
  it("takes roles, names, contents, tool calls and definitions of the prompt", () => {
    const tools = [{ type: "function", function: { name: "look_up", parameters: {} } }];
    const { texts, framingTokens } = chatCompletions.promptText({
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          name: "ann",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
            { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "c1", type: "function", function: { name: "look_up", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "c1", content: "a cat" },
      ],
      tools,
      response_format: { type: "json_schema", json_schema: { name: "answer" } },
    });
    expect(texts).toEqual([
      "system",
      "Be brief.",
      "user",
      "ann",
      "What is this?",
      "assistant",
      "look_up",
      "{}",
      "tool",
      "a cat",
      JSON.stringify(tools),
      '{"name":"answer"}',
    ]);
    // Four messages of 3, one name, 3 before the reply.
    expect(framingTokens).toBe(16);
  });

  it.each([
    {},
    { messages: "hello" },
    { messages: [null, 7, { content: { text: 1 } }], tools: [] },
  ])("finds no text in %j and does not throw", (body) => {
    expect(chatCompletions.promptText(body).texts).toEqual([]);
  });

  it("leaves out definitions nested too deeply to be written, and keeps the rest", () => {
    const depth = 200_000;
    const tools: unknown = JSON.parse("[".repeat(depth) + "]".repeat(depth));
    const { texts } = chatCompletions.promptText({ messages: [{ content: "Hello" }], tools });
    expect(texts).toEqual(["Hello"]);
  });

  it("takes content, refusal, reasoning, transcripts and calls of every choice of an answer", () => {
    const body = {
      choices: [
        {
          message: { role: "assistant", content: "yes", reasoning_content: "hm", reasoning: "hm" },
        },
        {
          message: { content: null, refusal: "no", audio: { data: "AAAA", transcript: "spoken" } },
        },
        {
          message: {
            content: [
              { type: "thinking", thinking: [{ type: "text", text: "let me see" }] },
              { type: "text", text: "done" },
            ],
            tool_calls: [{ type: "custom", custom: { name: "sql", input: "select 1" } }],
          },
        },
      ],
    };
    expect(chatCompletions.answerText(body)).toEqual({
      texts: ["yes", "hm", "no", "spoken", "let me see", "done", "sql", "select 1"],
      framingTokens: 0,
    });
  });

  it("takes what a stream's chunk delivers, of every choice", () => {
    const data = chunk({
      choices: [
        { index: 0, delta: { content: "a" } },
        { index: 1, delta: { reasoning: "b" } },
        {
          index: 2,
          delta: { tool_calls: [{ index: 0, function: { name: "f", arguments: "{" } }] },
        },
        { index: 3, delta: { content: "" } },
        { index: 4, delta: { function_call: { name: "g" } } },
      ],
    });
    expect(chatCompletions.deliveredText(data)).toEqual(["a", "b", "f", "{", "g"]);
    expect(chatCompletions.deliveredText(chunk({ choices: [], usage }))).toEqual([]);
  });
});
