import { toFile } from "openai";
import { describe, expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../test/support/simulator-under-test.ts";
import { countTokens } from "./content/text-tokens.ts";

const subject = simulatorUnderTest();
const CHAT = {
  model: "gpt-4o-mini",
  messages: [{ role: "user" as const, content: "Say something nice" }],
};

test("lists models, and serves one of any name", async () => {
  const ids = (await subject.client.models.list()).data.map((model) => model.id);
  expect(ids).toContain("gpt-4o-mini");
  expect((await subject.client.models.retrieve("my-model")).id).toBe("my-model");
});

describe("uploads", () => {
  test("a file's bytes are counted exactly, whatever is in it", async () => {
    const content = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => i % 251));
    content.write("\r\n--not a boundary\r\n\r\n", 5000);
    const file = await subject.client.files.create({
      file: await toFile(content, "train ü.jsonl"),
      purpose: "fine-tune",
    });
    expect(file).toMatchObject({
      bytes: 1_000_003,
      filename: "train ü.jsonl",
      purpose: "fine-tune",
      status: "processed",
    });
  });

  test("a transcription depends on the sound and the model alone", async () => {
    const text = await transcribe("la", "a.mp3");
    expect(await transcribe("la", "b.mp3")).toBe(text);
    expect(await transcribe("le", "a.mp3")).not.toBe(text);
  });

  test("an upload past the limit is refused with the limit", async () => {
    const file = await toFile(Buffer.alloc(3_100_000), "big.bin");
    await expect(
      subject.client.files.create({ file, purpose: "assistants" }),
    ).rejects.toMatchObject({
      status: 413,
      message: expect.stringContaining("3000000 bytes") as string,
    });
  });
});

describe("errors are in OpenAI's shape", () => {
  test.each([
    ["no model", '{"messages":[{"role":"user","content":"x"}]}', 400, "provide a model"],
    ["no messages", '{"model":"m"}', 400, "Missing required parameter: 'messages'"],
    ["malformed JSON", '{"model":', 400, "could not parse the JSON body"],
    ["a list", "[]", 400, "must be a JSON object"],
    [
      "a wrong limit",
      '{"model":"m","messages":[{"role":"user"}],"max_tokens":0}',
      400,
      "max_tokens",
    ],
    ["a body past the limit", `"${"x".repeat(100_001)}"`, 413, "limit is 100000 bytes"],
  ])("%s", async (_, body, status, message) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({
      error: {
        message: expect.stringContaining(message) as string,
        type: "invalid_request_error",
        param: expect.toSatisfy((v) => v === null || typeof v === "string") as null,
        code: expect.toSatisfy((v) => v === null || typeof v === "string") as null,
      },
    });
  });

  test("an unknown path and a wrong method", async () => {
    expect((await post("{}", "/v1/nothing")).status).toBe(404);
    const answer = await fetch(`${subject.simulator.url}/v1/embeddings`, { method: "DELETE" });
    expect(answer.status).toBe(405);
  });

  test("a header of the simulator's that there is none of, so that no misspelling goes unnoticed", async () => {
    const headers = { "x-simulator-status": "429" };
    await expect(subject.client.chat.completions.create(CHAT, { headers })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("x-simulator-fault") as string,
    });
  });

  test("a pace or a length that is no number in range", async () => {
    for (const name of ["x-simulator-tokens-per-second", "x-simulator-output-tokens"]) {
      const headers = { [name]: "-1" };
      await expect(subject.client.chat.completions.create(CHAT, { headers })).rejects.toMatchObject(
        {
          status: 400,
          message: expect.stringContaining(name) as string,
        },
      );
    }
  });
});

test("another seed gives other answers, the same ones each time", async () => {
  const other = await textWithSeed("other");
  expect(other).not.toBe(await textWithSeed(""));
  expect(await textWithSeed("other")).toBe(other);
});

describe("pace", () => {
  test("tokens arrive one after another, not all at the end", async () => {
    const headers = { "x-simulator-tokens-per-second": "200", "x-simulator-output-tokens": "20" };
    const pieces: string[] = [];
    const answer = await fetch(`${subject.simulator.baseUrl}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({ ...CHAT, stream: true }),
    });
    for await (const piece of answer.body ?? []) pieces.push(Buffer.from(piece).toString());
    expect(pieces.length).toBeGreaterThan(10);
    expect(pieces.join("").match(/"content":"[^"]/g)).toHaveLength(20);
  });

  test("a length that the request asks for is kept to the token", async () => {
    const headers = { "x-simulator-output-tokens": "5000" };
    const answer = await subject.client.chat.completions.create(CHAT, { headers });
    expect(answer.usage?.completion_tokens).toBe(5000);
    expect(countTokens(answer.choices[0]?.message.content ?? "")).toBe(5000);
  });

  test("a stream starts before its first token is due, and the client may leave it", async () => {
    const headers = { "x-simulator-tokens-per-second": "1" };
    const stream = await subject.client.chat.completions.create(
      { ...CHAT, stream: true },
      { headers },
    );
    for await (const chunk of stream) {
      expect(chunk.choices[0]?.delta.role).toBe("assistant");
      break;
    }
  });

  test("close() breaks off the streams in flight", async () => {
    const headers = { "x-simulator-tokens-per-second": "1" };
    const stream = await subject.client.chat.completions.create(
      { ...CHAT, stream: true },
      { headers },
    );
    const outcome = collect(stream).then(
      () => "whole",
      () => "broken",
    );
    await subject.simulator.close();
    expect(await outcome).toBe("broken");
  });
});

async function textWithSeed(seed: string) {
  const headers = { "x-simulator-seed": seed };
  const { choices } = await subject.client.chat.completions.create(CHAT, { headers });
  return choices[0]?.message.content;
}

async function transcribe(sound: string, name: string): Promise<string> {
  const file = await toFile(Buffer.from(sound.repeat(9000)), name);
  const request = { file, model: "gpt-4o-transcribe" };
  return (await subject.client.audio.transcriptions.create(request)).text;
}

function post(body: string, path = "/v1/chat/completions"): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(`${subject.simulator.url}${path}`, { method: "POST", body, headers });
}
