import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, onlyEvent, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { routeTo } from "../../test/support/data-plane.ts";
import { respondJson, startUpstream } from "../../test/support/upstream.ts";
import { openaiProvider } from "../providers/openai/openai-provider.ts";
import type { ProviderRoute } from "./snapshot.ts";

const { start, closeAfter } = dataPlaneFixture();
const UNPRICED = { ...CHAT, model: "house-model-7" };

async function startRefusing(change: Partial<ProviderRoute> = {}) {
  const upstream = await startUpstream(respondJson({ ...ANSWER, model: UNPRICED.model }));
  closeAfter(() => upstream.close());
  const { gateway } = await start(respondJson(ANSWER), {
    routing: {
      routes: [routeTo(upstream.url, change)],
      rules: [],
      unpricedPolicy: "refuse",
    },
  });
  return { gateway, upstream };
}

describe("an environment that refuses calls without a price", () => {
  it("sends none of a model that has no price, says what to do, and counts the refusal", async () => {
    const { gateway, upstream } = await startRefusing();
    const res = await post(gateway, UNPRICED);
    const { error } = (await res.body.json()) as { error: Record<string, string> };
    expect(res.statusCode).toBe(403);
    expect(res.headers["x-should-retry"]).toBe("false");
    expect(error).toMatchObject({ code: "model_unpriced", param: "model" });
    expect(error["message"]).toContain('"house-model-7" has none');
    expect(error["message"]).toContain("keyward prices override");
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.intents).toHaveLength(0);
    expect(gateway.refusals).toMatchObject([{ code: "model_unpriced" }]);
  });

  it("refuses a call that names no model, whose price nobody can know", async () => {
    const { gateway, upstream } = await startRefusing();
    const res = await post(gateway, { messages: [] });
    expect(res.statusCode).toBe(403);
    expect(await res.body.text()).toContain("names no model");
    expect(upstream.seen).toHaveLength(0);
  });

  it("sends those of a model that has one", async () => {
    const { gateway } = await startRefusing();
    const res = await post(gateway, CHAT);
    expect(res.statusCode).toBe(200);
    await res.body.dump();
    // The served model is the provider's business: it may have no price all the same.
    expect(await onlyEvent(gateway)).toMatchObject({ pricing: "unpriced" });
  });

  it("lets a free provider be, and what charges nothing", async () => {
    const free = await startRefusing({ provider: { ...openaiProvider, isFree: true } });
    const answered = await post(free.gateway, UNPRICED);
    expect(answered.statusCode).toBe(200);
    await answered.body.dump();
    expect(await onlyEvent(free.gateway)).toMatchObject({ pricing: "priced", costPicos: 0n });

    const { gateway } = await startRefusing();
    const models = await request(`${gateway.url}/v1/models`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
    expect(models.statusCode).toBe(200);
    await models.body.dump();
  });

  it("goes only the ways on which the model has a price", async () => {
    const unpriced = await startUpstream(respondJson(ANSWER));
    closeAfter(() => unpriced.close());
    const priced = await startUpstream(respondJson(ANSWER));
    closeAfter(() => priced.close());
    const { gateway } = await start(respondJson(ANSWER), {
      routing: {
        routes: [
          routeTo(unpriced.url, { pricedAs: "openai-compatible", weight: 1000 }),
          routeTo(priced.url),
        ],
        rules: [],
        unpricedPolicy: "refuse",
      },
    });
    for (let i = 0; i < 5; i += 1) await (await post(gateway, CHAT)).body.dump();
    expect([unpriced.seen.length, priced.seen.length]).toEqual([0, 5]);
  });
});

describe("an environment that allows them", () => {
  it("sends the call, logs why it has no price, and keeps it as unpriced", async () => {
    const { gateway } = await start(respondJson({ ...ANSWER, model: UNPRICED.model }));
    await (await post(gateway, UNPRICED)).body.dump();
    expect(await onlyEvent(gateway)).toMatchObject({ pricing: "unpriced", costPicos: null });
    expect(JSON.stringify(gateway.logged)).toContain("a call could not be priced");
    expect(JSON.stringify(gateway.logged)).toContain("house-model-7");
  });
});
