/** Which provider key a call goes to: weights, routing rules, and the wall between environments. */
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT } from "../../test/support/chat.ts";
import type { DataPlane } from "../../test/support/data-plane.ts";
import { respondJson } from "../../test/support/upstream.ts";
import { call, send, way, waysFixture } from "../../test/support/ways.ts";
import type { RoutingRuleId } from "../core/ids/ids.ts";
import { parseModelPattern } from "../core/routing/model-pattern.ts";
import { SeededRandom } from "../providers/simulator/content/seeded-random.ts";
import type { ProviderRoute, RoutingRule } from "./snapshot.ts";

const { provider, gatewayTo } = waysFixture();

function rule(
  model: string,
  routes: readonly ProviderRoute[],
  targetModel: string | null = null,
): RoutingRule {
  const pattern = parseModelPattern(model);
  if (pattern === undefined) throw new Error("the fixture is a pattern");
  return { id: `rul_${model}` as RoutingRuleId, pattern, routes, targetModel };
}
const keysOf = ({ events }: Pick<DataPlane, "events">) =>
  events.map(({ providerKeyId }) => providerKeyId);

function form(model: string): string {
  return ["--x", 'content-disposition: form-data; name="model"', "", model, "--x--", ""].join(
    "\r\n",
  );
}

describe("weights", () => {
  it("share calls out in proportion, and leave a spare alone", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const random = new SeededRandom("weights");
    const { gateway } = await gatewayTo(
      [
        way(upstream, "a", { weight: 6 }),
        way(upstream, "b", { weight: 3 }),
        way(upstream, "c", { weight: 1 }),
        way(upstream, "spare", { weight: 0 }),
      ],
      { random: () => random.next() / 2 ** 32 },
    );
    const total = 2000;
    for (let i = 0; i < total / 50; i += 1) {
      await Promise.all(Array.from({ length: 50 }, () => send(gateway)));
    }
    const share = (key: string) => keysOf(gateway).filter((id) => id === key).length / total;
    // Five standard deviations of 2000 draws are 0.055 at the most.
    expect(share("pky_a")).toBeCloseTo(0.6, 1);
    expect(Math.abs(share("pky_a") - 0.6)).toBeLessThan(0.055);
    expect(Math.abs(share("pky_b") - 0.3)).toBeLessThan(0.055);
    expect(Math.abs(share("pky_c") - 0.1)).toBeLessThan(0.04);
    expect(share("pky_spare")).toBe(0);
  }, 30_000);

  it("leave the spare for when no other is left", async () => {
    const failing = await provider(respondJson({ error: {} }, 500));
    const spare = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([
      way(failing, "a"),
      way(spare, "spare", { weight: 0 }),
      way(failing, "b"),
    ]);
    expect((await send(gateway)).status).toBe(200);
    expect(keysOf(gateway)).toEqual(["pky_a", "pky_b", "pky_spare"]);
  });

  it("do not part calls that name no model: what one made, the next must find", async () => {
    const upstream = await provider(respondJson({ object: "list", data: [] }));
    const { gateway } = await gatewayTo([way(upstream, "a"), way(upstream, "b")], {
      random: Math.random,
    });
    for (let i = 0; i < 20; i += 1) await call(gateway, "/v1/files");
    expect(new Set(keysOf(gateway))).toEqual(new Set(["pky_a"]));
  });
});

describe("a routing rule", () => {
  it("sends a model to its keys, by name and by prefix, the first rule first", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const [a, b, c] = ["a", "b", "c"].map((name) => way(upstream, name)) as [
      ProviderRoute,
      ProviderRoute,
      ProviderRoute,
    ];
    const { gateway } = await gatewayTo([a, b, c], {
      rules: [rule("gpt-4o-mini", [b]), rule("gpt-4*", [c]), rule("gpt-4o", [a])],
    });
    for (const model of ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "o3"]) {
      await send(gateway, { ...CHAT, model });
    }
    expect(keysOf(gateway)).toEqual(["pky_b", "pky_c", "pky_c", "pky_a"]);
  });

  it("keeps a failover within its keys", async () => {
    const failing = await provider(respondJson({ error: {} }, 500));
    const well = await provider(respondJson(ANSWER));
    const a = way(failing, "a");
    const { gateway } = await gatewayTo([a, way(well, "b")], { rules: [rule("gpt-4*", [a])] });
    expect((await send(gateway)).status).toBe(500);
    expect(keysOf(gateway)).toEqual(["pky_a"]);
  });

  it("puts another model in the body, and leaves every other byte as it was", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const a = way(upstream, "a");
    const { gateway } = await gatewayTo([a], { rules: [rule("fast", [a], "gpt-4o-mini")] });
    await send(
      gateway,
      '{ "n" : 1e0,\t"model":"fast" , "messages":[{"model":"fast"}], "x":"é\\u00e9" }',
    );
    await send(gateway, '{"stream":true,"messages":[],"model":"f\\u0061st"}');
    await send(gateway, '{"stream_options":{},"model":"fast","stream":true}');
    const bodies = upstream.seen.map(({ body }) => body.toString());
    expect(bodies).toEqual([
      '{ "n" : 1e0,\t"model":"gpt-4o-mini" , "messages":[{"model":"fast"}], "x":"é\\u00e9" }',
      '{"stream":true,"messages":[],"model":"gpt-4o-mini","stream_options":{"include_usage":true}}',
      '{"stream_options":{"include_usage":true},"model":"gpt-4o-mini","stream":true}',
    ]);
    expect(upstream.seen[0]?.headers["content-length"]).toBe(
      `${Buffer.byteLength(bodies[0] ?? "")}`,
    );
    expect(gateway.events[0]).toMatchObject({
      requestedModel: "fast",
      servedModel: "gpt-4o-mini-2024-07-18",
      pricing: "priced",
    });
  });

  it("prices an answer that names no model by the one that was sent", async () => {
    const upstream = await provider(respondJson({ ...ANSWER, model: undefined }));
    const a = way(upstream, "a");
    const { gateway } = await gatewayTo([a], { rules: [rule("fast", [a], "gpt-4o-mini")] });
    await send(gateway, { ...CHAT, model: "fast" });
    expect(gateway.events[0]).toMatchObject({ requestedModel: "fast", pricing: "priced" });
  });

  it("that allows no key there refuses, and names itself", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(upstream, "a")], { rules: [rule("gpt-4*", [])] });
    const answer = await send(gateway);
    expect(answer.status).toBe(503);
    expect(answer.headers["x-should-retry"]).toBe("false");
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "routing_rule_unusable" } });
    expect(answer.body).toContain("rul_gpt-4*");
    expect(gateway.events).toEqual([]);
  });

  it("does not open a model to a key that may not call it", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const a = way(upstream, "a");
    const rules = [rule("fast", [a], "gpt-4o")];
    const ask = async (...allowed: string[]) => {
      const { gateway } = await gatewayTo([a], {
        rules,
        keyEntry: { allowedModels: new Set(allowed) },
      });
      return send(gateway, { ...CHAT, model: "fast" });
    };
    expect((await ask("gpt-4o")).status).toBe(403);
    const refused = await ask("fast");
    expect(refused.status).toBe(403);
    expect(refused.body).toContain("gpt-4o");
    expect((await ask("fast", "gpt-4o")).status).toBe(200);
    expect(upstream.seen).toHaveLength(1);
  });

  it("does not change a form, and says so", async () => {
    const upstream = await provider(respondJson({ text: "hi" }));
    const a = way(upstream, "a");
    const { gateway } = await gatewayTo([a], { rules: [rule("ears", [a], "whisper-1")] });
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const post = (model: string) =>
      call(gateway, "/v1/audio/transcriptions", { method: "POST", headers, body: form(model) });
    const refused = await post("ears");
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: "routing_rule_unusable" } });
    expect((await post("whisper-1")).status).toBe(200);
  });
});

describe("a provider without the endpoint", () => {
  it("is not chosen, and where none has it the call is refused", async () => {
    const upstream = await provider(respondJson(ANSWER));
    const a = way(upstream, "a");
    const b = way(upstream, "b");
    const chatless = {
      ...a,
      provider: {
        ...a.provider,
        serves: (_method: string, path: string) => !path.includes("chat"),
      },
    };
    const { gateway } = await gatewayTo([chatless, b]);
    await send(gateway);
    await call(gateway, "/v1/models");
    expect(keysOf(gateway)).toEqual(["pky_b", "pky_a"]);
    const { gateway: alone } = await gatewayTo([chatless]);
    const refused = await send(alone);
    expect(refused.status).toBe(404);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: "endpoint_not_served" } });
  });
});
