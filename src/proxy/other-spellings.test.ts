/** What is meant for one thing and written as another: paths, names of models, members of a body. */
import { describe, expect, it } from "vitest";
import {
  ANSWER,
  CHAT,
  chunk,
  DONE,
  onlyEvent,
  post,
  USAGE_CHUNK,
} from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { routeTo } from "../../test/support/data-plane.ts";
import { respondEvents, respondJson } from "../../test/support/upstream.ts";
import { call } from "../../test/support/ways.ts";
import type { RoutingRuleId } from "../core/ids/ids.ts";
import { parseModelPattern, type ModelPattern } from "../core/routing/model-pattern.ts";
import { azureProvider } from "../providers/azure/azure-provider.ts";

const { start } = dataPlaneFixture();

describe("a call does not escape the meter", () => {
  it.each([
    "/v1/%63hat/completions",
    "/v1/chat/completions/",
    "/v1/Chat/COMPLETIONS",
    "/v1/chat/completions;v=1",
    "/v1/chat;v=1/completions",
    "/v1/chat/completions%3Bv=1",
    "/v1/chat/completions%20",
  ])("by the spelling %s", async (path) => {
    const { gateway } = await start(respondEvents([chunk({ content: "hi" }), USAGE_CHUNK, DONE]));
    const answer = await call(gateway, path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...CHAT, stream: true }),
    });
    expect(answer.body).not.toContain('"usage"');
    expect(await onlyEvent(gateway)).toMatchObject({
      operation: "chat.completions",
      costPicos: 967_500_000n,
    });
  });
});

describe("a response that is read again", () => {
  const RESPONSE = {
    id: "resp_aB1",
    object: "response",
    status: "completed",
    background: true,
    model: "gpt-4o-mini",
    usage: { input_tokens: 100, output_tokens: 100, total_tokens: 200 },
  };

  it.each(["resp_aB1", "resp%5FaB1", "%72esp_aB1", "RESP_AB1", "resp_aB1/", "resp_aB1;a=b"])(
    "is not charged again as %s",
    async (id) => {
      const { gateway } = await start(respondJson(RESPONSE));
      await call(gateway, `/v1/responses/${id}`);
      expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "none", costPicos: 0n });
    },
  );

  it("is charged where it is another than the path names", async () => {
    const { gateway } = await start(respondJson(RESPONSE));
    await call(gateway, "/v1/responses/resp_other");
    expect(await onlyEvent(gateway)).toMatchObject({ usageSource: "reported" });
  });
});

const LIMITED = { keyEntry: { allowedModels: new Set(["gpt-4o-mini", "gpt-4o"]) } };

describe("a key that is limited to models", () => {
  it.each([
    ["beside its model", '{"model":"gpt-4o-mini","models":["gpt-5-pro"]}', 403],
    ["in an object", '{"model":"gpt-4o-mini","fallbacks":[{"model":"gpt-5-pro"}]}', 403],
    ["in no list", '{"model":"gpt-4o-mini","models":"gpt-5-pro"}', 403],
    [
      "in a form nobody knows",
      '{"model":"gpt-4o-mini","fallbacks":[{"gpt-4o":["gpt-5-pro"]}]}',
      403,
    ],
    ["that it may call", '{"model":"gpt-4o-mini","models":["gpt-4o"],"fallbacks":null}', 200],
    ["none at all", '{"model":"gpt-4o-mini","models":[]}', 200],
  ])("reaches no other by a list of fallbacks: %s", async (_what, body, status) => {
    const { gateway, upstream } = await start(respondJson(ANSWER), LIMITED);
    expect((await post(gateway, body)).statusCode).toBe(status);
    expect(upstream.seen).toHaveLength(status === 200 ? 1 : 0);
  });
});

describe("a model that is no name", () => {
  const padded = JSON.stringify(`${" ".repeat(300 * 1024)}gpt-4o`);
  it.each([
    ["a list", '["gpt-4o"]'],
    ["an object", '{"x":"gpt-4o"}'],
    ["a number", "5"],
    ["longer than is read", padded],
  ])("is not sent on: %s", async (_what, model) => {
    const { gateway, upstream } = await start(respondJson(ANSWER));
    const answer = await post(gateway, `{"model":${model},"messages":[]}`);
    expect(answer.statusCode).toBe(400);
    expect(await answer.body.json()).toMatchObject({ error: { param: "model" } });
    expect(upstream.seen).toEqual([]);
  });

  it("is counted without the spaces around it, however many", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    await post(gateway, { ...CHAT, model: `${" ".repeat(300)}gpt-4o ` });
    expect(await onlyEvent(gateway)).toMatchObject({ requestedModel: "gpt-4o" });
  });
});

describe("an environment that refuses what has no price", () => {
  it("looks at every model that a call may fall back to", async () => {
    const { gateway, upstream } = await start((_req, res) => res.end());
    upstream.respond = respondJson(ANSWER);
    const refusing = await start(respondJson(ANSWER), {
      routing: { routes: [routeTo(upstream.url)], rules: [], unpricedPolicy: "refuse" },
    });
    const asked = { ...CHAT, models: ["no-model-of-anyone"] };
    expect((await post(refusing.gateway, asked)).statusCode).toBe(403);
    expect((await post(refusing.gateway, { ...CHAT, models: ["gpt-4o"] })).statusCode).toBe(200);
    expect((await post(gateway, asked)).statusCode).toBe(200);
  });
});

describe("a routing rule that sends another model", () => {
  it("chooses the deployment of Azure's dated API, too", async () => {
    const { upstream } = await start(respondJson(ANSWER));
    const route = routeTo(upstream.url, {
      provider: azureProvider,
      apiVersion: "2024-10-21",
      basePath: "",
    });
    const rule = {
      id: "rul_1" as RoutingRuleId,
      pattern: parseModelPattern("gpt-4o") as ModelPattern,
      targetModel: "gpt-4o-mini",
      routes: [route],
    };
    const { gateway } = await start(respondJson(ANSWER), {
      routing: { routes: [route], rules: [rule], unpricedPolicy: "allow_and_alert" },
    });
    await post(gateway, { ...CHAT, model: "gpt-4o" });
    await call(gateway, "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", {
      method: "POST",
      body: JSON.stringify(CHAT),
    });
    for (const { url, body } of upstream.seen) {
      expect(url).toBe("/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21");
      expect(JSON.parse(body.toString())).toMatchObject({ model: "gpt-4o-mini" });
    }
    expect(upstream.seen).toHaveLength(2);
  });
});
