import { expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";
import { countTokens } from "../content/text-tokens.ts";

const subject = simulatorUnderTest();
const REQUEST = { model: "gpt-5-mini", instructions: "Be brief", input: "Hello there friend" };

test("usage is exactly the tokens of input, instructions and output", async () => {
  const response = await subject.client.responses.create(REQUEST);
  expect(response.status).toBe("completed");
  expect(response.usage).toMatchObject({
    input_tokens: 5,
    output_tokens: countTokens(response.output_text),
    total_tokens: 5 + countTokens(response.output_text),
  });
});

test("a stream has OpenAI's events in order, numbered from 0, one delta a token", async () => {
  const events = await collect(await subject.client.responses.create({ ...REQUEST, stream: true }));
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  expect(events.map((event) => event.type)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    ...deltas.map(() => "response.output_text.delta"),
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  const last = events.at(-1);
  const response = last?.type === "response.completed" ? last.response : undefined;
  expect(response?.usage?.output_tokens).toBe(deltas.length);
  const whole = await subject.client.responses.create(REQUEST);
  expect(deltas.map((event) => event.delta).join("")).toBe(whole.output_text);
});

test("max_output_tokens makes the response incomplete, streamed or not", async () => {
  const request = { ...REQUEST, max_output_tokens: 3 };
  const response = await subject.client.responses.create(request);
  expect(response).toMatchObject({
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    usage: { output_tokens: 3 },
  });
  const events = await collect(await subject.client.responses.create({ ...request, stream: true }));
  expect(events.at(-1)).toMatchObject({ type: "response.incomplete" });
});

test("a demanded function is called, and the client's own accumulator agrees", async () => {
  const stream = subject.client.responses.stream({
    ...REQUEST,
    tool_choice: { type: "function", name: "look_up" },
    tools: [
      {
        type: "function",
        name: "look_up",
        strict: true,
        parameters: { type: "object", properties: { id: { type: "string", format: "uuid" } } },
      },
    ],
  });
  const [item] = (await stream.finalResponse()).output;
  expect(item).toMatchObject({ type: "function_call", name: "look_up", status: "completed" });
  expect(item?.type === "function_call" && JSON.parse(item.arguments)).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
});
