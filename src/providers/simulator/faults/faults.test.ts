/** Each bad day as the official client sees it, and, where the client hides it, as bytes. */
import { APIConnectionError, APIError, APIUserAbortError } from "openai";
import { describe, expect, test } from "vitest";
import { collect, simulatorUnderTest } from "../../../../test/support/simulator-under-test.ts";

const subject = simulatorUnderTest();
const CHAT = {
  model: "gpt-4o-mini",
  messages: [{ role: "user" as const, content: "Say something nice" }],
};

function chat(fault: string) {
  return subject.client.chat.completions.create(CHAT, { headers: { "x-simulator-fault": fault } });
}

async function streamed(fault: string) {
  const stream = await subject.client.chat.completions.create(
    { ...CHAT, stream: true, stream_options: { include_usage: true } },
    { headers: { "x-simulator-fault": fault } },
  );
  const texts: string[] = [];
  let error: unknown;
  try {
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) texts.push(chunk.choices[0].delta.content);
    }
  } catch (err) {
    error = err;
  }
  return { texts, error };
}

function post(path: string, body: object, fault: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${subject.simulator.baseUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-simulator-fault": fault },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe("instead of an answer", () => {
  test("a 429 with retry-after, three times, and then all is well", async () => {
    const fault = "429; retry-after=2; times=3";
    for (let call = 0; call < 3; call += 1) {
      const error = await chat(fault).catch((err: unknown) => err);
      expect(error).toMatchObject({ status: 429, code: "rate_limit_exceeded", type: "requests" });
      expect((error as APIError).headers?.get("retry-after")).toBe("2");
    }
    expect((await chat(fault)).choices).toHaveLength(1);
  });

  test("the official client waits as long as retry-after-ms says, and gets its answer by itself", async () => {
    const client = subject.client.withOptions({ maxRetries: 2 });
    const headers = { "x-simulator-fault": "503; retry-after-ms=1; times=2" };
    expect((await client.chat.completions.create(CHAT, { headers })).choices).toHaveLength(1);
  });

  test.each([
    ["500", 500, "simulated_500", "server_error"],
    ["503", 503, "simulated_503", "server_error"],
    ["401", 401, "invalid_api_key", "invalid_request_error"],
    ["insufficient-quota", 429, "insufficient_quota", "insufficient_quota"],
  ])("%s in OpenAI's words", async (fault, status, code, type) => {
    await expect(chat(fault)).rejects.toMatchObject({ status, code, type });
    await expect(streamed(fault)).rejects.toMatchObject({ status, code, type });
  });

  test("a body that is a web page, or none", async () => {
    const page = await post("/chat/completions", CHAT, "502; body=html");
    expect(page.headers.get("content-type")).toBe("text/html");
    expect(await page.text()).toMatch(/^<html>/);
    const nothing = await post("/chat/completions", CHAT, "504; body=empty");
    expect([nothing.status, await nothing.text()]).toEqual([504, ""]);
  });

  test("a connection that is cut before a byte was said", async () => {
    await expect(chat("cut")).rejects.toBeInstanceOf(APIConnectionError);
  });

  test("a stall, until the client goes", async () => {
    const gone = new AbortController();
    const headers = { "x-simulator-fault": "stall" };
    const call = subject.client.chat.completions.create(CHAT, { headers, signal: gone.signal });
    const outcome = call.catch((err: unknown) => err);
    // Any other call shows that the server is at leisure.
    await subject.client.models.list();
    gone.abort();
    expect(await outcome).toBeInstanceOf(APIUserAbortError);
  });

  test("a stall that ends in the usual answer", async () => {
    expect(await chat("stall; for-ms=20")).toMatchObject({ object: "chat.completion" });
  });

  test("an error even for a request that is wrong itself, as a provider that looks at its limits first", async () => {
    expect((await post("/chat/completions", {}, "429")).status).toBe(429);
    expect((await post("/nowhere", {}, "503")).status).toBe(503);
  });
});

describe("in the middle of a stream", () => {
  test("a cut after so many tokens", async () => {
    const { texts, error } = await streamed("cut; after-tokens=5");
    expect(texts).toHaveLength(5);
    expect(error).toBeDefined();
  });

  test("a stall after so many tokens that ends, and nothing is missing", async () => {
    const { texts, error } = await streamed("stall; after-tokens=5; for-ms=20");
    expect(error).toBeUndefined();
    expect(texts).toEqual((await streamed("ok")).texts);
  });

  test("a stall after so many tokens: they arrive, and then nothing until the client goes", async () => {
    const gone = new AbortController();
    const fault = "stall; after-tokens=2";
    const answer = await post("/chat/completions", { ...CHAT, stream: true }, fault, gone.signal);
    let text = "";
    const reading = (async () => {
      for await (const piece of answer.body ?? []) {
        text += Buffer.from(piece).toString();
        if (text.match(/"content":"[^"]/g)?.length === 2) gone.abort();
      }
    })();
    await expect(reading).rejects.toThrow(/abort/i);
  });

  test.each([
    ["insufficient-quota; after-tokens=3", "insufficient_quota"],
    ["500; after-tokens=3", "simulated_500"],
  ])("%s is an error event in a stream of status 200", async (fault, code) => {
    const { texts, error } = await streamed(fault);
    expect(texts).toHaveLength(3);
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ code });
  });

  test("a response ends in an error event and response.failed, which carries the response", async () => {
    const body = { model: "gpt-5-mini", input: "Hello", stream: true };
    const answer = await post("/responses", body, "insufficient-quota; after-tokens=1");
    expect(answer.status).toBe(200);
    const events = (await answer.text()).trim().split("\n\n");
    const [error, failed] = events.slice(-2).map((one) => {
      const [, data = ""] = one.split("\ndata: ");
      return JSON.parse(data) as Record<string, unknown>;
    });
    expect(error).toMatchObject({
      type: "error",
      code: "insufficient_quota",
      sequence_number: events.length - 2,
    });
    expect(failed).toMatchObject({
      type: "response.failed",
      sequence_number: events.length - 1,
      response: {
        id: expect.stringMatching(/^resp_/) as string,
        status: "failed",
        error: { code: "insufficient_quota" },
      },
    });
  });

  test("malformed JSON in one event", async () => {
    const { texts, error } = await streamed("malformed-json; after-tokens=4");
    expect(texts).toHaveLength(4);
    expect(error).toBeInstanceOf(SyntaxError);
  });

  test("malformed events, and the rest of the stream after them", async () => {
    const answer = await post(
      "/chat/completions",
      { ...CHAT, stream: true },
      "malformed-sse; after-tokens=1",
    );
    const text = await answer.text();
    expect(text).toContain("garbage\n");
    expect(text).toMatch(/\n\ndatdata: \{/);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test("an answer shorter than the fault waits for is left whole", async () => {
    const { texts, error } = await streamed("cut; after-tokens=1000");
    expect(error).toBeUndefined();
    expect(texts).toEqual((await streamed("ok")).texts);
  });
});

describe("in the middle of a body", () => {
  test("a cut after half of what was announced", async () => {
    await expect(chat("cut; after-tokens=0")).rejects.toThrow();
    const answer = await post("/chat/completions", CHAT, "cut; after-tokens=0");
    expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(100);
    await expect(answer.text()).rejects.toThrow();
  });

  test("half a JSON text that calls itself whole", async () => {
    await expect(chat("malformed-json")).rejects.toBeInstanceOf(SyntaxError);
  });

  test("an error under status 200", async () => {
    const answer = await post("/chat/completions", CHAT, "insufficient-quota; after-tokens=0");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  });
});

function withKey(apiKey: string) {
  return subject.client.withOptions({ apiKey });
}

describe("wrong usage", () => {
  const counts = {
    zero: 0,
    huge: Number.MAX_SAFE_INTEGER,
    negative: -4,
    fraction: 3.5,
    text: "3",
  };
  test.each(Object.entries(counts))("%s, whole and streamed", async (count, value) => {
    const fault = `wrong-usage; count=${count}`;
    expect((await chat(fault)).usage?.prompt_tokens).toBe(value);
    const stream = await subject.client.chat.completions.create(
      { ...CHAT, stream: true, stream_options: { include_usage: true } },
      { headers: { "x-simulator-fault": fault } },
    );
    expect((await collect(stream)).at(-1)?.usage?.prompt_tokens).toBe(value);
  });

  test("missing, and all else as it is", async () => {
    const { usage, ...rest } = await chat("ok");
    expect(usage).toBeDefined();
    expect(await chat("wrong-usage; count=missing")).toEqual({
      ...rest,
      id: expect.any(String) as string,
    });
  });

  test("in the last event of a response, and in embeddings", async () => {
    const headers = { "x-simulator-fault": "wrong-usage; count=zero" };
    const events = await collect(
      await subject.client.responses.create(
        { model: "gpt-5", input: "Hello", stream: true },
        { headers },
      ),
    );
    const last = events.at(-1);
    expect(last?.type === "response.completed" && last.response.usage?.output_tokens).toBe(0);
    const request = { model: "text-embedding-3-small", input: "one two" };
    const answer = await subject.client.embeddings.create(request, { headers });
    expect(answer.usage).toEqual({ prompt_tokens: 0, total_tokens: 0 });
    expect(answer.data).toHaveLength(1);
  });
});

describe("chosen by key", () => {
  test("the key's fault strikes every call of its client", async () => {
    const call = withKey("sim:429; retry-after=7").chat.completions.create(CHAT);
    await expect(call).rejects.toMatchObject({ status: 429 });
  });

  test("a header speaks louder than the key", async () => {
    const headers = { "x-simulator-fault": "ok" };
    const answer = await withKey("sim:500").chat.completions.create(CHAT, { headers });
    expect(answer.choices).toHaveLength(1);
  });

  test("any other key says nothing", async () => {
    expect((await withKey("simple").models.list()).data).not.toHaveLength(0);
  });

  test.each([
    ["key", () => withKey("sim:500; retry=3").models.list()],
    ["header x-simulator-fault", () => chat("500; retry=3")],
  ])("a %s that can't be read is refused, with what can be", async (place, call) => {
    await expect(call()).rejects.toMatchObject({
      status: 400,
      code: "invalid_fault",
      message: expect.stringContaining(
        `read the ${place}: 500 takes no "retry"; it takes`,
      ) as string,
    });
  });
});

test("a slow pace: tokens arrive one after another", async () => {
  const answer = await post(
    "/chat/completions",
    { ...CHAT, stream: true, max_tokens: 10 },
    "slow; tokens-per-second=200",
  );
  const pieces: unknown[] = [];
  for await (const piece of answer.body ?? []) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(5);
});
