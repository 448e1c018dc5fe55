import { expect, test } from "vitest";
import {
  collect,
  NOW_MS,
  simulatorUnderTest,
} from "../../../../test/support/simulator-under-test.ts";
import { countTokens } from "../content/text-tokens.ts";
import { startSimulator } from "../start-simulator.ts";

const subject = simulatorUnderTest();
const CHAT = {
  model: "gpt-4o-mini",
  messages: [{ role: "user" as const, content: "Say something nice" }],
};

test("usage is exactly the tokens of prompt and answer", async () => {
  const answer = await subject.client.chat.completions.create(CHAT);
  const text = answer.choices[0]?.message.content ?? "";
  expect(answer.usage).toMatchObject({
    prompt_tokens: 3,
    completion_tokens: countTokens(text),
    total_tokens: 3 + countTokens(text),
  });
  expect(answer.choices[0]?.finish_reason).toBe("stop");
  expect(answer.created).toBe(NOW_MS / 1000);
  expect(answer["_request_id"]).toMatch(/^req_[0-9a-f]{32}$/);
});

test("a stream carries one token a chunk and, joined, the same text as the whole answer", async () => {
  const whole = await subject.client.chat.completions.create(CHAT);
  const tokens: string[] = [];
  let finish: string | null = null;
  for await (const chunk of await subject.client.chat.completions.create({
    ...CHAT,
    stream: true,
  })) {
    expect(chunk).not.toHaveProperty("usage");
    const [choice] = chunk.choices;
    if (choice?.delta.content) tokens.push(choice.delta.content);
    finish = choice?.finish_reason ?? finish;
  }
  expect(tokens.join("")).toBe(whole.choices[0]?.message.content);
  expect(tokens).toHaveLength(whole.usage?.completion_tokens ?? -1);
  expect(finish).toBe("stop");
});

test("include_usage puts usage in a last chunk without choices, and null in all others", async () => {
  const stream = await subject.client.chat.completions.create({
    ...CHAT,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await collect(stream);
  const last = chunks.pop();
  expect(last?.choices).toEqual([]);
  expect(last?.usage?.completion_tokens).toBeGreaterThan(0);
  expect(chunks.every((chunk) => chunk.usage === null)).toBe(true);
});

test.each(["max_tokens", "max_completion_tokens"])(
  "%s shortens the answer and says so",
  async (limit) => {
    const whole = await subject.client.chat.completions.create(CHAT);
    const short = await subject.client.chat.completions.create({ ...CHAT, [limit]: 4 });
    expect(short.choices[0]).toMatchObject({ finish_reason: "length" });
    expect(short.usage?.completion_tokens).toBe(4);
    const text = short.choices[0]?.message.content ?? "?";
    expect(whole.choices[0]?.message.content?.startsWith(text)).toBe(true);
  },
);

test("every one of n choices is its own, and usage is their sum", async () => {
  const answer = await subject.client.chat.completions.create({ ...CHAT, n: 3 });
  const texts = answer.choices.map((choice) => choice.message.content ?? "");
  expect(new Set(texts).size).toBe(3);
  const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
  expect(answer.usage?.completion_tokens).toBe(tokens);

  const streamed = ["", "", ""];
  const stream = await subject.client.chat.completions.create({ ...CHAT, n: 3, stream: true });
  for await (const { choices } of stream) {
    for (const { index, delta } of choices) streamed[index] += delta.content ?? "";
  }
  expect(streamed).toEqual(texts);
});

test("a demanded function is called with arguments that fit its schema, streamed or not", async () => {
  const request = {
    ...CHAT,
    tool_choice: "required" as const,
    tools: [
      {
        type: "function" as const,
        function: {
          name: "book",
          parameters: {
            type: "object",
            properties: {
              seats: { type: "integer", minimum: 2 },
              class: { type: "string", enum: ["first", "second"] },
            },
            required: ["seats", "class"],
          },
        },
      },
    ],
  };
  const whole = await subject.client.chat.completions.create(request);
  expect(whole.choices[0]?.finish_reason).toBe("tool_calls");
  const call = whole.choices[0]?.message.tool_calls?.[0];
  const text = call?.type === "function" ? call.function.arguments : "";
  expect(JSON.parse(text)).toEqual({
    seats: 2,
    class: expect.stringMatching(/^(first|second)$/) as string,
  });
  expect(whole.usage?.completion_tokens).toBe(countTokens(text));

  const runner = subject.client.chat.completions.stream(request);
  const [streamed] = (await runner.finalMessage()).tool_calls ?? [];
  expect(streamed?.type === "function" && streamed.function).toMatchObject({
    name: "book",
    arguments: text,
  });
});

test("a response format with a schema is answered with JSON that fits it", async () => {
  const answer = await subject.client.chat.completions.create({
    ...CHAT,
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "list",
        schema: {
          type: "object",
          properties: { items: { type: "array", minItems: 2, items: { type: "boolean" } } },
        },
      },
    },
  });
  expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({
    items: [expect.any(Boolean), expect.any(Boolean)],
  });
});

test("the same request gets the same answer; only ids tell two calls apart", async () => {
  const [first, second] = [
    await subject.client.chat.completions.create(CHAT),
    await subject.client.chat.completions.create(CHAT),
  ];
  expect(second.id).not.toBe(first.id);
  expect({ ...second, id: "" }).toEqual({ ...first, id: "" });
  const other = await subject.client.chat.completions.create({ ...CHAT, model: "gpt-4o" });
  expect(other.choices[0]?.message.content).not.toBe(first.choices[0]?.message.content);
});

test("the same calls to a fresh simulator get the same bytes, ids included", async () => {
  const first = await subject.client.chat.completions.create(CHAT);
  const fresh = await startSimulator({ host: "127.0.0.1", port: 0, nowMs: () => NOW_MS });
  try {
    const again = await subject.client
      .withOptions({ baseURL: fresh.baseUrl })
      .chat.completions.create(CHAT);
    expect(again).toEqual(first);
    expect(again["_request_id"]).toBe(first["_request_id"]);
  } finally {
    await fresh.close();
  }
});
