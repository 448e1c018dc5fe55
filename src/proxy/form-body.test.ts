import { Readable } from "node:stream";
import { FormData, request } from "undici";
import { describe, expect, it } from "vitest";
import { onlyEvent } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import type { DataPlane, DataPlaneOptions } from "../../test/support/data-plane.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

const MEGABYTE = 1024 * 1024;
const ANSWER = { text: "hello", usage: { type: "duration", seconds: 9 } };
const LIMITED: Partial<DataPlaneOptions> = {
  keyEntry: { allowedModels: new Set(["whisper-1"]) },
  maxJsonBodyBytes: 2 * MEGABYTE,
};

function part(disposition: string, content: string): string {
  return `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
}
const model = (name: string): string => part('name="model"', name);
const file = (bytes: number): string => part('name="file"; filename="a.wav"', "R".repeat(bytes));

function send(
  gateway: DataPlane,
  body: string | AsyncIterable<string>,
  headers: Readonly<Record<string, string>> = {},
) {
  return request(`${gateway.url}/v1/audio/transcriptions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.key}`,
      "content-type": "multipart/form-data; boundary=b",
      ...headers,
    },
    body: typeof body === "string" ? body : Readable.from(body),
  });
}

describe("a form on its way to the provider", () => {
  it.each([
    ["small, with the model before the file", model("whisper-1") + file(1000)],
    ["small, with the model behind the file", file(1000) + model("whisper-1")],
    ["large, with the model before the file", model("whisper-1") + file(5 * MEGABYTE)],
    ["large, with the model behind the file", file(5 * MEGABYTE) + model("whisper-1")],
    ["large, without a model", file(5 * MEGABYTE)],
  ])("arrives byte for byte, and its model is known: %s", async (_name, parts) => {
    const { upstream, gateway } = await start(respondJson(ANSWER), {
      maxJsonBodyBytes: 8 * MEGABYTE,
    });
    const body = `${parts}${part('name="user"', "ada")}--b--\r\n`;
    const res = await send(gateway, body);
    expect(await res.body.json()).toEqual(ANSWER);
    expect(upstream.seen[0]?.body.equals(Buffer.from(body))).toBe(true);
    expect(upstream.seen[0]?.headers["content-length"]).toBe(String(body.length));
    expect(await onlyEvent(gateway)).toMatchObject({
      requestedModel: parts.includes("whisper-1") ? "whisper-1" : null,
      quantities: { audioInputMs: 9000 },
    });
  });

  it("that is longer than what may be held is streamed, and its model is known when it has passed", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER), { maxJsonBodyBytes: MEGABYTE });
    const body = `${file(5 * MEGABYTE)}${model("whisper-1")}--b--\r\n`;
    await (await send(gateway, body)).body.dump();
    expect(upstream.seen[0]?.body.length).toBe(body.length);
    expect(gateway.intents[0]?.requestedModel).toBeNull();
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: "whisper-1" });
  });

  it("reaches the provider while the client still sends it", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const arrived = Promise.withResolvers<void>();
    upstream.onHead = (req) => req.once("data", () => arrived.resolve());
    async function* pieces(): AsyncGenerator<string> {
      yield `${model("whisper-1")}--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF`;
      await arrived.promise;
      yield "RIFF\r\n--b--\r\n";
    }
    expect(await (await send(gateway, pieces())).body.json()).toEqual(ANSWER);
    expect(upstream.seen[0]?.body.toString()).toContain("RIFFRIFF");
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: "whisper-1" });
  });

  it("names the customer where it is known before the call is sent", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    const body = `${part('name="user"', "ada")}${model("whisper-1")}${file(10)}--b--\r\n`;
    await (await send(gateway, body)).body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({ customer: "ada" });
  });

  it("leaves a call that its client breaks off without an answer, and open to nobody", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    // An intent is not enough: a call that was not sent yet has cost nothing for certain.
    const sent = Promise.withResolvers<void>();
    upstream.onHead = () => sent.resolve();
    async function* pieces(): AsyncGenerator<string> {
      yield `${model("whisper-1")}--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nRIFF`;
      await sent.promise;
      throw new Error("the client gives up");
    }
    await expect(send(gateway, pieces())).rejects.toThrow();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "interrupted",
      usageSource: "unknown",
    });
    await until("nothing is in flight", () => gateway.gateway.inFlightCalls() === 0);
    await until(
      "the provider's connection is gone",
      async () => (await upstream.connections()) === 0,
    );
  });

  it("that is no form is passed on, and its model is unknown", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    await (await send(gateway, "RIFF", { "content-type": "audio/wav" })).body.dump();
    expect(upstream.seen[0]?.body.toString()).toBe("RIFF");
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: null, pricing: "unpriced" });
  });
});

describe("a form is refused when it", () => {
  it.each([
    ["names the model twice", model("whisper-1") + model("gpt-4o-transcribe")],
    ["names it twice, around a file", model("a") + file(MEGABYTE / 2) + model("b")],
  ])("%s", async (_name, parts) => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const res = await send(gateway, `${parts}--b--\r\n`);
    expect(res.statusCode).toBe(400);
    expect(await res.body.json()).toMatchObject({
      error: { code: "invalid_form", param: "model" },
    });
    expect(upstream.seen).toEqual([]);
    expect(gateway.intents).toEqual([]);
  });

  it("is compressed", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const res = await send(gateway, `${model("whisper-1")}--b--`, { "content-encoding": "gzip" });
    expect(res.statusCode).toBe(415);
    await res.body.dump();
    expect(upstream.seen).toEqual([]);
  });

  it.each([
    ["asks for another model", `${file(10)}${model("gpt-4o-transcribe")}--b--\r\n`],
    [
      "asks for another model behind an allowed one",
      `${model("whisper-1")}${file(MEGABYTE)}${model("x")}--b--\r\n`,
    ],
    ["asks for none", `${file(10)}--b--\r\n`],
    ["is too long to know", `${model("whisper-1")}${file(3 * MEGABYTE)}--b--\r\n`],
    ["has no end", model("whisper-1")],
    ["could be read in another way", `${model("whisper-1")}--b\n\r\n\r\n--b--\r\n`],
  ])("%s and the key is limited to models", async (_name, body) => {
    const { upstream, gateway } = await start(respondJson(ANSWER), LIMITED);
    const res = await send(gateway, body);
    expect([400, 403]).toContain(res.statusCode);
    await res.body.dump();
    expect(upstream.seen).toEqual([]);
    expect(gateway.intents).toEqual([]);
  });

  it("and not when its model is allowed, although that stands behind the file", async () => {
    const { gateway } = await start(respondJson(ANSWER), LIMITED);
    const data = new FormData();
    data.set("file", new Blob([Buffer.alloc(1000)]), "a.wav");
    data.set("model", "whisper-1");
    const res = await request(`${gateway.url}/v1/audio/transcriptions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}` },
      body: data,
    });
    expect(await res.body.json()).toEqual(ANSWER);
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: "whisper-1" });
  });
});
