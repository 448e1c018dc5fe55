/** Pictures, with the official client. */
import { BadRequestError, toFile } from "openai";
import { describe, expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";
import { makeUpImage } from "../content/made-up-image.ts";

const subject = simulatorUnderTest();
const REQUEST = { model: "gpt-image-1", prompt: "a red boat", size: "1024x1536" as const };
const picture = () => toFile(makeUpImage("boat", { width: 64, height: 64 }), "boat.png");

const sizeOf = (base64: string | undefined) => {
  const png = Buffer.from(base64 ?? "", "base64");
  expect(png.toString("latin1", 1, 4)).toBe("PNG");
  return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
};

const fault = (text: string) => ({ headers: { "x-simulator-fault": text } });

describe("a generation", () => {
  test("is a PNG of the size that was asked for, with the published number of tokens", async () => {
    const answer = await subject.client.images.generate({ ...REQUEST, quality: "high" });
    expect(sizeOf(answer.data?.[0]?.b64_json)).toBe("1024x1536");
    expect(answer).toMatchObject({ output_format: "png", quality: "high", size: "1024x1536" });
    expect(answer.usage).toMatchObject({
      input_tokens: 3,
      input_tokens_details: { text_tokens: 3, image_tokens: 0 },
      output_tokens: 6240,
      total_tokens: 6243,
    });
    const again = await subject.client.images.generate({ ...REQUEST, quality: "high" });
    expect(again).toEqual(answer);
  });

  test("of several pictures has as many, each another, and is charged for all", async () => {
    const { data, usage } = await subject.client.images.generate({ ...REQUEST, n: 3 });
    expect(new Set(data?.map((image) => image.b64_json)).size).toBe(3);
    expect(usage?.output_tokens).toBe(3 * 1584);
  });

  test("is streamed as partial pictures and then the whole one", async () => {
    const stream = await subject.client.images.generate({
      ...REQUEST,
      stream: true,
      partial_images: 2,
    });
    const events = await collect(stream);
    expect(events.map(({ type }) => type)).toEqual([
      "image_generation.partial_image",
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
    expect(new Set(events.map((event) => event.b64_json)).size).toBe(3);
    const whole = await subject.client.images.generate(REQUEST);
    const last = events.at(-1);
    if (last?.type !== "image_generation.completed") throw new Error("it is not completed");
    expect(last.b64_json).toBe(whole.data?.[0]?.b64_json);
    expect(last.usage.output_tokens).toBe(1584 + 2 * 100);
  });

  test("of DALL·E is a URL that can be looked at, or base64, and says nothing of usage", async () => {
    const request = { model: "dall-e-3", prompt: "a red boat" };
    const { data, usage } = await subject.client.images.generate(request);
    const [, base64] = data?.[0]?.url?.split("data:image/png;base64,") ?? [];
    expect(sizeOf(base64)).toBe("1024x1024");
    expect(usage).toBeUndefined();
    const other = await subject.client.images.generate({ ...request, response_format: "b64_json" });
    expect(other.data?.[0]?.b64_json).toBe(base64);
  });
});

describe("an edit", () => {
  test("of one picture or several is charged for them, and streamed as edits", async () => {
    const request = { model: "gpt-image-1", prompt: "make it blue" };
    const one = await subject.client.images.edit({ ...request, image: await picture() });
    expect(one.usage).toMatchObject({ input_tokens: 3 + 85, output_tokens: 1056 });
    const image = [await picture(), await picture()];
    const two = await subject.client.images.edit({ ...request, image });
    expect(two.usage?.input_tokens_details.image_tokens).toBe(170);
    const events = await collect(
      await subject.client.images.edit({ ...request, image, stream: true, partial_images: 1 }),
    );
    expect(events.map(({ type }) => type)).toEqual([
      "image_edit.partial_image",
      "image_edit.completed",
    ]);
  });

  test("and a variation need a picture", async () => {
    const variation = await subject.client.images.createVariation({ image: await picture(), n: 2 });
    expect(variation.data).toHaveLength(2);
    const form = new FormData();
    form.set("prompt", "make it blue");
    const answer = await fetch(`${subject.simulator.baseUrl}/images/edits`, {
      method: "POST",
      body: form,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: "image" } });
  });
});

test("what the simulator can't make is refused", async () => {
  for (const wrong of [
    { size: "4096x4096" },
    { size: "big" },
    { n: 11 },
    { output_format: "webp" as const },
    { model: "dall-e-3", stream: true as const },
  ]) {
    const call = subject.client.images.generate({ ...REQUEST, ...wrong });
    await expect(call, JSON.stringify(wrong)).rejects.toBeInstanceOf(BadRequestError);
  }
});

test("faults strike: before the answer, between two pictures, and in the usage", async () => {
  await expect(subject.client.images.generate(REQUEST, fault("429"))).rejects.toMatchObject({
    status: 429,
  });
  const stream = await subject.client.images.generate(
    { ...REQUEST, stream: true, partial_images: 2 },
    fault("insufficient-quota; after-tokens=1"),
  );
  await expect(collect(stream)).rejects.toMatchObject({ code: "insufficient_quota" });
  const wrong = await subject.client.images.generate(REQUEST, fault("wrong-usage; count=missing"));
  expect(wrong.usage).toBeUndefined();
});
