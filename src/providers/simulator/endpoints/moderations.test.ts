import { expect, test } from "vitest";
import { simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();
const moderate = async (input: string | string[]) =>
  (await subject.client.moderations.create({ input })).results;

test("flags a text for the category that it names in brackets, and no other text", async () => {
  const [flagged, plain] = await moderate(["so much [violence/graphic]", "a quiet day"]);
  expect(flagged?.flagged).toBe(true);
  const categories = Object.entries(flagged?.categories ?? {});
  expect(categories.filter(([, is]) => is).map(([name]) => name)).toEqual(["violence/graphic"]);
  expect(flagged?.category_scores["violence/graphic"]).toBeGreaterThan(0.9);
  expect(plain?.flagged).toBe(false);
  expect(Math.max(...Object.values(plain?.category_scores ?? {}))).toBeLessThan(0.01);
});

test("says the same of the same text, and one result of a message with a picture", async () => {
  expect(await moderate("a quiet day")).toEqual(await moderate("a quiet day"));
  const { model, results } = await subject.client.moderations.create({
    model: "omni-moderation-latest",
    input: [
      { type: "text", text: "look: [violence]" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ],
  });
  expect(model).toBe("omni-moderation-latest");
  expect(results).toHaveLength(1);
  expect(results[0]?.category_applied_input_types.violence).toEqual(["text", "image"]);
  expect(results[0]?.category_applied_input_types.harassment).toEqual(["text"]);
});

test("an empty list and a fault are refused", async () => {
  await expect(moderate([])).rejects.toMatchObject({ status: 400, param: "input" });
  const headers = { "x-simulator-fault": "503" };
  await expect(
    subject.client.moderations.create({ input: "x" }, { headers }),
  ).rejects.toMatchObject({ status: 503 });
});
