import { expect, test } from "vitest";
import { simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();

test("text completions: n for each prompt, usage the sum, streamed or not", async () => {
  const request = { model: "davinci-002", prompt: ["one two", "three"], n: 2 };
  const answer = await subject.client.completions.create(request);
  expect(answer.choices).toHaveLength(4);
  expect(answer.usage).toEqual({ prompt_tokens: 3, completion_tokens: 64, total_tokens: 67 });
  const streamed = ["", "", "", ""];
  const stream = await subject.client.completions.create({ ...request, stream: true });
  for await (const { choices } of stream) {
    for (const choice of choices) streamed[choice.index] += choice.text;
  }
  expect(streamed).toEqual(answer.choices.map((choice) => choice.text));
});
