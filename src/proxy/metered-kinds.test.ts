import { request } from "undici";
import { describe, expect, it } from "vitest";
import {
  ANSWER,
  CHAT,
  DONE,
  USAGE_CHUNK,
  chunk,
  onlyEvent,
  post,
} from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import type { DataPlane } from "../../test/support/data-plane.ts";
import { respondEvents, respondJson } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

const QUOTA = {
  message: "You exceeded your quota",
  type: "insufficient_quota",
  code: "insufficient_quota",
};
const RESPONSE = {
  id: "resp_1",
  object: "response",
  status: "completed",
  model: "gpt-4o-mini-2024-07-18",
  error: null,
  output: [],
  usage: { input_tokens: 500, output_tokens: 1500, total_tokens: 2000 },
};

async function call(
  gateway: DataPlane,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: unknown,
) {
  const res = await request(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { res, text: await res.body.text() };
}

function event(data: unknown, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

describe("an error with a status of success", () => {
  it("in a chat stream before any text is a failure that costs nothing", async () => {
    const { gateway } = await start(
      respondEvents([chunk({ role: "assistant" }), event({ error: QUOTA }), DONE]),
    );
    const res = await post(gateway, { ...CHAT, stream: true });
    expect(await res.body.text()).toContain("insufficient_quota");
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      httpStatus: 200,
      usageSource: "none",
      pricing: "priced",
      costPicos: 0n,
    });
  });

  it("in a chat stream after some text is a failure, and what was delivered is metered", async () => {
    const events = [chunk({ content: "one two" }), event({ error: QUOTA }, "error"), DONE];
    const { gateway } = await start(respondEvents(events));
    await (await post(gateway, { ...CHAT, stream: true })).body.text();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      usageSource: "estimated",
      quantities: { output: 2 },
      pricing: "priced",
    });
  });

  it("in a chat stream that reports its usage after it is a failure at the reported usage", async () => {
    const broken = chunk({ content: "" }, { error: { code: 429, message: "out" } });
    const { gateway } = await start(respondEvents([broken, USAGE_CHUNK, DONE]));
    await (await post(gateway, { ...CHAT, stream: true })).body.text();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      usageSource: "reported",
      quantities: { input: 400, cachedInput: 100, output: 1500 },
    });
  });

  it.each([
    [
      "an error event",
      [event({ type: "error", code: "insufficient_quota", message: "", param: null }, "error")],
    ],
    [
      "a failed response",
      [
        event({
          type: "response.created",
          response: { ...RESPONSE, status: "in_progress", usage: null },
        }),
        event({
          type: "response.failed",
          response: {
            ...RESPONSE,
            status: "failed",
            error: { code: "insufficient_quota" },
            usage: null,
          },
        }),
      ],
    ],
  ])("in a responses stream is a failure: %s", async (_name, events) => {
    const { gateway } = await start(respondEvents(events));
    await call(gateway, "POST", "/v1/responses", {
      model: "gpt-4o-mini",
      input: "a b",
      stream: true,
    });
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      costPicos: 0n,
      pricing: "priced",
    });
  });

  it.each([
    ["/v1/chat/completions", CHAT, { error: QUOTA }],
    [
      "/v1/responses",
      { model: "gpt-4o-mini", input: "a" },
      { ...RESPONSE, status: "failed", error: QUOTA, usage: null },
    ],
  ])("as the body of %s is a failure that costs nothing", async (path, body, answer) => {
    const { gateway } = await start(respondJson(answer));
    const { text } = await call(gateway, "POST", path, body);
    expect(JSON.parse(text)).toEqual(answer);
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "failed",
      costPicos: 0n,
      pricing: "priced",
    });
  });

  it("is not seen in a text that speaks of one, nor in the null of a response that succeeded", async () => {
    const said = '{"error":{"code":"insufficient_quota"}}';
    const { gateway } = await start(respondEvents([chunk({ content: said }), USAGE_CHUNK, DONE]));
    await (await post(gateway, { ...CHAT, stream: true })).body.text();
    expect(await onlyEvent(gateway)).toMatchObject({
      status: "succeeded",
      usageSource: "reported",
    });
  });
});

describe("what repeats the usage of an earlier call", () => {
  it.each([
    ["GET", "/v1/responses/resp_1?include=x", RESPONSE, "responses.retrieve"],
    ["POST", "/v1/responses/resp_1/cancel", RESPONSE, "responses.cancel"],
    ["GET", "/v1/chat/completions/chatcmpl-1", ANSWER, "chat.completions.retrieve"],
    ["POST", "/v1/chat/completions/chatcmpl-1", ANSWER, "chat.completions.update"],
    ["DELETE", "/v1/responses/resp_1", RESPONSE, "responses.delete"],
  ] as const)("is not charged again: %s %s", async (method, path, answer, operation) => {
    const { gateway } = await start(respondJson(answer));
    const { res, text } = await call(gateway, method, path);
    expect(JSON.parse(text)).toEqual(answer);
    expect(res.headers["x-keyward-cost-usd"]).toBeUndefined();
    expect(await onlyEvent(gateway)).toMatchObject({
      operation,
      status: "succeeded",
      usageSource: "none",
      quantities: {},
      pricing: "priced",
      costPicos: 0n,
    });
  });

  it("is not charged again when a stream is resumed", async () => {
    const completed = event({ type: "response.completed", response: RESPONSE });
    const { gateway } = await start(respondEvents([completed]));
    const { text } = await call(
      gateway,
      "GET",
      "/v1/responses/resp_1?stream=true&starting_after=7",
    );
    expect(text).toBe(completed);
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "responses.retrieve",
      providerResponseId: "resp_1",
      usageSource: "none",
      costPicos: 0n,
    });
  });

  it("is charged where the answer has another id than the path: the server took it for another call", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    await call(gateway, "POST", "/v1/chat/completions/x", CHAT);
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "chat.completions.update",
      usageSource: "reported",
      pricing: "priced",
      // 400 x 0.15 + 100 x 0.075 + 1500 x 0.60 = 60 + 7.5 + 900
      costPicos: 967_500_000n,
    });
  });

  it("may be read with a key that is limited to models", async () => {
    const keyEntry = { allowedModels: new Set(["gpt-4o"]) };
    const { gateway } = await start(respondJson(RESPONSE), { keyEntry });
    expect((await call(gateway, "GET", "/v1/responses/resp_1")).res.statusCode).toBe(200);
    expect((await call(gateway, "POST", "/v1/responses/resp_1/cancel")).res.statusCode).toBe(200);
    expect((await call(gateway, "GET", "/v1/files/file_1")).res.statusCode).toBe(403);
    const withBody = await call(gateway, "POST", "/v1/chat/completions/chatcmpl-1", CHAT);
    expect(withBody.res.statusCode).toBe(403);
  });
});

describe("an endpoint that runs a model besides", () => {
  const usage = { input_tokens: 500, output_tokens: 1500, total_tokens: 2000 };

  it.each([
    ["/v1/responses/compact", "responses.compact", { id: "resp_1", output: [], usage }],
    ["/v1/decisions", "decisions", { model: "gpt-4o-mini", answers: [], usage }],
  ])("%s is metered by its usage, and its model is checked", async (path, operation, answer) => {
    const keyEntry = { allowedModels: new Set(["gpt-4o-mini"]) };
    const { gateway } = await start(respondJson(answer), { keyEntry });
    const refused = await call(gateway, "POST", path, { model: "gpt-4o", input: "a" });
    expect(refused.res.statusCode).toBe(403);
    await call(gateway, "POST", path, { model: "gpt-4o-mini", input: "a" });
    expect(await onlyEvent(gateway)).toMatchObject({
      operation,
      usageSource: "reported",
      costPicos: 975_000_000n,
    });
  });
});

describe("an endpoint that nobody has described", () => {
  it.each([
    [{ input_tokens: 500, output_tokens: 1500, total_tokens: 2000 }],
    [{ prompt_tokens: 500, completion_tokens: 1500, total_tokens: 2000 }],
  ])("is metered by the usage in its answer: %o", async (usage) => {
    const { gateway } = await start(respondJson({ id: "new_1", model: "gpt-4o-mini", usage }));
    await call(gateway, "POST", "/v1/something/new", { a: 1 });
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "other",
      providerResponseId: "new_1",
      usageSource: "reported",
      quantities: { input: 500, output: 1500 },
      pricing: "priced",
      // 500 × $0.15 and 1500 × $0.60 a million.
      costPicos: 975_000_000n,
    });
  });

  it("is metered by the usage in its stream", async () => {
    const { gateway } = await start(
      respondEvents([event({ type: "new.done", response: RESPONSE })]),
    );
    await call(gateway, "POST", "/v1/something/new", {});
    expect(await onlyEvent(gateway)).toMatchObject({
      usageSource: "reported",
      costPicos: 975_000_000n,
    });
  });

  it("stays unmetered where its answer says nothing of usage", async () => {
    const { gateway } = await start(respondJson({ id: "file-1", object: "file" }));
    await call(gateway, "POST", "/v1/files", {});
    expect(await onlyEvent(gateway)).toMatchObject({ pricing: "unmetered", costPicos: null });
  });
});
