import Anthropic, { BadRequestError, RateLimitError } from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";
import { countTokens } from "../content/text-tokens.ts";

const subject = simulatorUnderTest();
const client = (apiKey = "any") =>
  new Anthropic({ baseURL: subject.simulator.url, apiKey, maxRetries: 0 });
const REQUEST = {
  model: "claude-sonnet-4-6",
  max_tokens: 1000,
  system: "Be brief",
  messages: [{ role: "user" as const, content: "Hello there friend" }],
};
const SCHEMA = {
  type: "object" as const,
  properties: { id: { type: "string", format: "uuid" } },
  required: ["id"],
  additionalProperties: false,
};
const TOOL = { name: "look_up", input_schema: SCHEMA };
const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

test("usage is exactly the tokens of system, messages and answer, and the same request has the same answer", async () => {
  const message = await client().messages.create(REQUEST);
  const text = textOf(message);
  expect(message).toMatchObject({ role: "assistant", stop_reason: "end_turn" });
  expect(message.usage).toMatchObject({ input_tokens: 5, output_tokens: countTokens(text) });
  expect(textOf(await client().messages.create(REQUEST))).toBe(text);
});

test("a stream has Anthropic's events in order, one delta a token, and adds up to the whole message", async () => {
  const events = await collect(await client().messages.create({ ...REQUEST, stream: true }));
  const deltas = events.filter((event) => event.type === "content_block_delta");
  expect(events.map((event) => event.type)).toEqual([
    "message_start",
    "content_block_start",
    ...deltas.map(() => "content_block_delta"),
    "content_block_stop",
    "message_delta",
    "message_stop",
  ]);
  const whole = await client().messages.create(REQUEST);
  const accumulated = await client().messages.stream(REQUEST).finalMessage();
  expect(accumulated).toMatchObject({ content: whole.content, stop_reason: "end_turn" });
  expect(accumulated.usage).toMatchObject({ input_tokens: 5, output_tokens: deltas.length });
});

test("max_tokens ends an answer, streamed or not", async () => {
  const request = { ...REQUEST, max_tokens: 3 };
  for (const message of [
    await client().messages.create(request),
    await client().messages.stream(request).finalMessage(),
  ]) {
    expect(message).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 3 } });
  }
});

test("a demanded tool is used with input that fits its schema, streamed or not", async () => {
  for (const choice of [{ type: "any" as const }, { type: "tool" as const, name: "look_up" }]) {
    const request = { ...REQUEST, tools: [TOOL], tool_choice: choice };
    for (const message of [
      await client().messages.create(request),
      await client().messages.stream(request).finalMessage(),
    ]) {
      expect(message.stop_reason).toBe("tool_use");
      expect(message.content).toMatchObject([
        { type: "tool_use", name: "look_up", input: { id: UUID } },
      ]);
    }
  }
});

test("structured output fits its schema", async () => {
  const message = await client().messages.create({
    ...REQUEST,
    output_config: { format: { type: "json_schema", schema: SCHEMA } },
  });
  expect(JSON.parse(textOf(message))).toEqual({ id: UUID });
});

test("counting tokens tells the input that the call is then charged", async () => {
  const { model, messages, system } = REQUEST;
  expect(await client().messages.countTokens({ model, messages, system })).toEqual({
    input_tokens: 5,
  });
});

test("models are listed in the shape of whoever asks", async () => {
  const ids = (await client().models.list()).data.map(({ id }) => id);
  expect(ids).toContain("claude-sonnet-4-6");
  expect((await client().models.retrieve("my-model")).type).toBe("model");
});

describe("errors are Anthropic's", () => {
  test("a wrong request", async () => {
    const call = client().messages.create({ ...REQUEST, max_tokens: 0 });
    await expect(call).rejects.toBeInstanceOf(BadRequestError);
    await expect(call).rejects.toMatchObject({
      error: { type: "error", error: { type: "invalid_request_error" } },
    });
  });

  test("a path that Anthropic's API alone does not have", async () => {
    await expect(client().post("/v1/embeddings", { body: {} })).rejects.toMatchObject({
      status: 404,
      error: { type: "error", error: { type: "not_found_error" } },
    });
  });

  test("a fault, by header and by key", async () => {
    const headers = { "x-simulator-fault": "429; retry-after=7" };
    const call = client().messages.create(REQUEST, { headers });
    await expect(call).rejects.toBeInstanceOf(RateLimitError);
    await expect(call).rejects.toMatchObject({
      error: { type: "error", error: { type: "rate_limit_error" } },
    });
    await expect(client("sim:529").messages.create(REQUEST)).rejects.toMatchObject({
      status: 529,
      error: { error: { type: "overloaded_error" } },
    });
  });

  test("a fault in the middle of a stream", async () => {
    const headers = { "x-simulator-fault": "529; after-tokens=2" };
    const stream = await client().messages.create({ ...REQUEST, stream: true }, { headers });
    await expect(collect(stream)).rejects.toMatchObject({
      error: { type: "error", error: { type: "overloaded_error" } },
    });
  });

  test("wrong usage, whole and streamed", async () => {
    const headers = { "x-simulator-fault": "wrong-usage; count=zero" };
    const message = await client().messages.create(REQUEST, { headers });
    expect(message.usage.output_tokens).toBe(0);
    const events = await collect(
      await client().messages.create({ ...REQUEST, stream: true }, { headers }),
    );
    const [start] = events;
    const delta = events.at(-2);
    expect(start?.type === "message_start" && start.message.usage.input_tokens).toBe(0);
    expect(delta?.type === "message_delta" && delta.usage.output_tokens).toBe(0);
  });
});

function textOf(message: Anthropic.Message): string {
  const [block] = message.content;
  return block?.type === "text" ? block.text : "";
}
