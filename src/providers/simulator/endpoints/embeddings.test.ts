import { expect, test } from "vitest";
import { simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();

test("are unit vectors of the model's size, the same for the same text", async () => {
  const answer = await subject.client.embeddings.create({
    model: "text-embedding-3-large",
    input: ["alpha beta", "gamma", "alpha beta"],
  });
  const [first, second, third] = answer.data.map((item) => item.embedding);
  expect(first).toHaveLength(3072);
  expect(third).toEqual(first);
  expect(second).not.toEqual(first);
  expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 5);
  expect(answer.usage).toEqual({ prompt_tokens: 5, total_tokens: 5 });
});

test("base64 and float are the same numbers", async () => {
  const request = { model: "text-embedding-3-small", input: "one", dimensions: 8 };
  // The client asks for base64 unless told otherwise, and decodes it.
  const decoded = await subject.client.embeddings.create(request);
  const floats = await subject.client.embeddings.create({ ...request, encoding_format: "float" });
  expect(decoded.data[0]?.embedding).toEqual(floats.data[0]?.embedding);
  expect(decoded.data[0]?.embedding).toHaveLength(8);
});
