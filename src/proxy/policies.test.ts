import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { type DataPlane, type DataPlaneOptions, routeTo } from "../../test/support/data-plane.ts";
import { beginSlowCall } from "../../test/support/slow-call.ts";
import { respondJson } from "../../test/support/upstream.ts";
import { createIpRanges } from "../core/network/ip-ranges.ts";
import { type CallPolicy, compileCallPolicy } from "../core/policy/call-policy.ts";
import { createEndpointSet } from "../core/policy/endpoint-pattern.ts";
import {
  type PolicyRule,
  type PolicySettings,
  resolvePolicy,
  type RuleMode,
} from "../core/policy/environment-policy.ts";
import { openaiProvider } from "../providers/openai/openai-provider.ts";
import type { ProviderRoute } from "./snapshot.ts";

const { start } = dataPlaneFixture();

/** A policy in which this one rule holds. */
function policyOf(rule: PolicyRule, mode: RuleMode, bounds: PolicySettings = {}) {
  const off = { no_browser_calls: "off" } as const;
  return compileCallPolicy(
    resolvePolicy("production", { ...bounds, modes: { ...off, [rule]: mode } }),
  );
}

async function errorOf(res: Awaited<ReturnType<typeof post>>) {
  const body = (await res.body.json()) as { error?: { code: string; message: string } };
  return { status: res.statusCode, ...body.error };
}

const call = (gateway: DataPlane, path: string, method: "GET" | "POST" = "POST") =>
  request(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.key}` },
    ...(method === "POST" ? { body: JSON.stringify(CHAT) } : {}),
  });

const restricted = (restrictions: { ips?: string[]; endpoints?: string[] }) => ({
  restrictions: {
    allowedIps: createIpRanges(restrictions.ips ?? null),
    allowedEndpoints: createEndpointSet(restrictions.endpoints ?? null),
  },
});

interface Case {
  readonly rule: PolicyRule;
  readonly bounds: PolicySettings;
  readonly code: string;
  /** Breaks the rule. */
  readonly send: (gateway: DataPlane) => ReturnType<typeof post>;
  /** Keeps to it. */
  readonly sendGood: (gateway: DataPlane) => ReturnType<typeof post>;
}

const CASES: readonly Case[] = [
  {
    rule: "allowed_ips",
    bounds: { allowedIps: ["192.0.2.0/24"] },
    code: "ip_not_allowed",
    send: (gateway) => post(gateway, CHAT),
    sendGood: (gateway) => post(gateway, CHAT, { "x-forwarded-for": "192.0.2.9" }),
  },
  {
    rule: "allowed_endpoints",
    bounds: { allowedEndpoints: ["chat/completions"] },
    code: "endpoint_not_allowed",
    send: (gateway) => call(gateway, "/v1/completions"),
    sendGood: (gateway) => post(gateway, CHAT),
  },
  {
    rule: "allowed_models",
    bounds: { allowedModels: ["gpt-4o-mini*"] },
    code: "model_not_allowed",
    send: (gateway) => post(gateway, { ...CHAT, model: "gpt-4o" }),
    sendGood: (gateway) => post(gateway, { ...CHAT, model: "gpt-4o-mini-2024-07-18" }),
  },
  {
    rule: "max_output_tokens",
    bounds: { maxOutputTokens: 100 },
    code: "output_limit_exceeded",
    send: (gateway) => post(gateway, { ...CHAT, max_tokens: 101 }),
    sendGood: (gateway) => post(gateway, { ...CHAT, max_tokens: 100 }),
  },
  {
    rule: "no_browser_calls",
    bounds: {},
    code: "browser_call_refused",
    send: (gateway) => post(gateway, CHAT, { origin: "https://app.example" }),
    // As Node's own fetch sends it.
    sendGood: (gateway) => post(gateway, CHAT, { "sec-fetch-mode": "cors" }),
  },
];

describe.each(CASES)("the rule $rule", ({ rule, bounds, code, send, sendGood }) => {
  const trusting: Partial<DataPlaneOptions> = { trustedProxies: ["127.0.0.1", "::1"] };

  it("refuses, when it is enforced, what breaks it and nothing else", async () => {
    const policy = policyOf(rule, "enforce", bounds);
    const { gateway, upstream } = await start(respondJson(ANSWER), { ...trusting, policy });
    expect(await errorOf(await send(gateway))).toMatchObject({ status: 403, code });
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.refusals).toMatchObject([{ code }]);
    expect((await sendGood(gateway)).statusCode).toBe(200);
    expect(gateway.refusals).toHaveLength(1);
  });

  it("lets it pass when it warns, counts each time and logs once", async () => {
    const policy = policyOf(rule, "warn", bounds);
    const { gateway } = await start(respondJson(ANSWER), { ...trusting, policy });
    for (let i = 0; i < 3; i += 1) expect((await send(gateway)).statusCode).toBe(200);
    await sendGood(gateway);
    const warned = `${code}.warned`;
    expect(gateway.refusals.map((one) => one.code)).toEqual([warned, warned, warned]);
    expect(JSON.stringify(gateway.logged).match(/broke a rule/g)).toHaveLength(1);
  });

  it("is nothing when it is off", async () => {
    const policy = policyOf(rule, "off", bounds);
    expect(policy).toBeNull();
    const { gateway } = await start(respondJson(ANSWER), { ...trusting, policy });
    expect((await send(gateway)).statusCode).toBe(200);
    expect(gateway.refusals).toEqual([]);
  });
});

describe("a policy that is changed while a call's body comes slowly", () => {
  it.each([
    ["allowed_models", { allowedModels: ["other"] }, "model_not_allowed"],
    ["allowed_ips", { allowedIps: ["192.0.2.0/24"] }, "ip_not_allowed"],
    ["allowed_endpoints", { allowedEndpoints: ["embeddings"] }, "endpoint_not_allowed"],
  ] as const)("holds for it: %s", async (rule, bounds, code) => {
    const clock = { monotonicMs: 0 };
    let policy: CallPolicy | null = null;
    const routes: ProviderRoute[] = [];
    const { gateway, upstream } = await start(respondJson(ANSWER), {
      monotonicMs: () => clock.monotonicMs,
      routing: () => ({ routes, rules: [], unpricedPolicy: "allow_and_alert", policy }),
    });
    routes.push(routeTo(upstream.url));
    const slow = await beginSlowCall(gateway);
    policy = policyOf(rule, "enforce", bounds);
    await gateway.refresh();
    clock.monotonicMs = 1000;
    expect(await slow.finish()).toBe(code);
    expect(upstream.seen).toEqual([]);
    policy = null;
    await gateway.refresh();
    expect(await (await beginSlowCall(gateway)).finish()).toBeUndefined();
  });
});

describe("models that are limited", () => {
  const policy = policyOf("allowed_models", "enforce", { allowedModels: ["gpt-4o-mini*"] });
  const allowedModels = new Set(["gpt-4o-mini"]);

  it.each([
    ["by the environment", { policy }],
    ["by the key", { keyEntry: { allowedModels } }],
  ])("%s are so wherever a server may read another one's name", async (_, options) => {
    const { gateway, upstream } = await start(respondJson(ANSWER), options);
    const image = { type: "image_generation", model: "gpt-image-1" };
    for (const other of [
      { fallback_models: ["gpt-4o"] },
      { context_window_fallbacks: [{ "gpt-4o-mini": ["gpt-4o"] }] },
      { content_policy_fallbacks: [{ "gpt-4o-mini": ["gpt-4o"] }] },
      { extra_body: { model: "gpt-4o" } },
      { tools: [{ type: "web_search", model: "gpt-4o-mini" }, image] },
      { tools: { model: "gpt-4o" } },
    ]) {
      const refused = await errorOf(await post(gateway, { ...CHAT, ...other }));
      expect(refused).toMatchObject({ status: 403, code: "model_not_allowed" });
    }
    expect(upstream.seen).toEqual([]);
    const parameters = { properties: { model: { type: "string", default: "gpt-4o" } } };
    const tools = [{ type: "function", function: { name: "pick", parameters } }];
    const good = { fallback_models: ["gpt-4o-mini"], extra_body: null, tools };
    for (const fields of [good, { tools: [] }, { tools: null }]) {
      expect((await post(gateway, { ...CHAT, ...fields })).statusCode).toBe(200);
    }
  });
});

describe("an environment's output limit", () => {
  const policy = policyOf("max_output_tokens", "enforce", { maxOutputTokens: 100 });

  it("is sent with a call that has none, and said in a header", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER), { policy });
    for (const body of [CHAT, { ...CHAT, max_tokens: null }, { ...CHAT, max_tokens: "many" }]) {
      const res = await post(gateway, body);
      expect(res.statusCode).toBe(200);
      expect(res.headers["x-keyward-output-limit"]).toBe("100");
    }
    const sent = upstream.seen.map(({ body }) => JSON.parse(String(body)) as object);
    expect(sent).toMatchObject([
      { max_completion_tokens: 100 },
      { max_tokens: 100 },
      { max_tokens: 100 },
    ]);
  });

  it("takes the place of what is no whole number above zero, which some servers take for no limit", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER), { policy });
    const messages = JSON.stringify(CHAT.messages);
    for (const text of ["-1", "0", "-0", "1e-400", "0.5", "1e400", "[5000]", "true", "{}"]) {
      const body = `{"model":"${CHAT.model}","messages":${messages},"max_tokens":${text}}`;
      expect((await post(gateway, body)).statusCode).toBe(200);
      const sent = JSON.parse(String(upstream.seen.at(-1)?.body)) as object;
      expect(sent).toEqual({ ...CHAT, max_tokens: 100 });
    }
    const both = { ...CHAT, max_tokens: 50, max_completion_tokens: -1 };
    expect((await post(gateway, both)).statusCode).toBe(200);
    expect(JSON.parse(String(upstream.seen.at(-1)?.body))).toEqual({
      ...both,
      max_completion_tokens: 50,
    });
  });

  it("is sent in a field that the provider heeds, where the call has its own in another", async () => {
    const provider = { ...openaiProvider, ignoredOutputLimits: ["max_completion_tokens"] };
    const { gateway, upstream } = await start(respondJson(ANSWER), { policy, provider });
    const body = { ...CHAT, max_completion_tokens: 50 };
    expect((await post(gateway, body)).statusCode).toBe(200);
    expect(JSON.parse(String(upstream.seen[0]?.body))).toEqual({ ...body, max_tokens: 50 });
  });

  it("leaves a call alone that is below it, and looks at every field that a provider may go by", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER), { policy });
    const body = { ...CHAT, max_tokens: 5 };
    expect((await post(gateway, body)).statusCode).toBe(200);
    expect(JSON.parse(String(upstream.seen[0]?.body))).toEqual(body);
    const both = await errorOf(await post(gateway, { ...body, max_completion_tokens: 1e9 }));
    expect(both).toMatchObject({ code: "output_limit_exceeded" });
  });
});

describe("a gateway key", () => {
  it("is refused from other addresses than its own, whatever a client says that nobody vouches for", async () => {
    const keyEntry = restricted({ ips: ["192.0.2.0/24"] });
    const { gateway, upstream } = await start(respondJson(ANSWER), { keyEntry });
    for (const headers of [
      {},
      { "x-forwarded-for": "192.0.2.9" },
      { forwarded: "for=192.0.2.9" },
    ]) {
      const refused = await errorOf(await post(gateway, CHAT, headers));
      expect(refused).toMatchObject({ status: 403, code: "ip_not_allowed" });
      expect(refused.message).toContain("127.0.0.1");
    }
    expect(upstream.seen).toHaveLength(0);
  });

  it("is used from where a trusted proxy says, in the one header that it writes", async () => {
    const { gateway } = await start(respondJson(ANSWER), {
      keyEntry: restricted({ ips: ["192.0.2.0/24"] }),
      trustedProxies: ["127.0.0.0/8"],
      clientAddressHeader: "forwarded",
    });
    const ours = { forwarded: "for=192.0.2.9" };
    expect((await post(gateway, CHAT, ours)).statusCode).toBe(200);
    const spoofed = { forwarded: "for=192.0.2.9, for=198.51.100.1" };
    expect((await post(gateway, CHAT, spoofed)).statusCode).toBe(403);
    expect((await post(gateway, CHAT, { "x-forwarded-for": "192.0.2.9" })).statusCode).toBe(403);
  });

  it("calls its own endpoints, however they are spelled, and no others", async () => {
    const keyEntry = restricted({ endpoints: ["chat/completions", "vector_stores"] });
    const { gateway, upstream } = await start(respondJson(ANSWER), { keyEntry });
    const good = ["/v1/chat/completions", "/v1/Chat/Completions/", "/v1/vector_stores/x/search"];
    for (const path of good) expect((await call(gateway, path)).statusCode).toBe(200);
    const bad = ["/v1/embeddings", "/v1/chat", "/v1/chat/completionsx", "/v1/files"];
    for (const path of bad) {
      expect(await errorOf(await call(gateway, path))).toMatchObject({
        status: 403,
        code: "endpoint_not_allowed",
      });
    }
    expect((await call(gateway, "/v1/models", "GET")).statusCode).toBe(403);
    expect(upstream.seen).toHaveLength(good.length);
  });
});

it("a call says so when the policy refuses every provider key that there is", async () => {
  const routing = {
    routes: [],
    rules: [],
    unpricedPolicy: "allow_and_alert",
    barredKeys: 2,
  } as const;
  const { gateway } = await start(respondJson(ANSWER), { routing });
  const refused = await errorOf(await post(gateway, CHAT));
  expect(refused).toMatchObject({ status: 503, code: "provider_key_not_allowed" });
  expect(refused.message).toContain("keyward environments policy development");
});

describe("a browser", () => {
  const policy = policyOf("no_browser_calls", "enforce");
  const origin = { origin: "https://app.example" };

  it.each([{ "sec-fetch-site": "cross-site" }, { "sec-fetch-dest": "empty" }, { origin: "null" }])(
    "is known by %j",
    async (headers) => {
      const { gateway } = await start(respondJson(ANSWER), { policy });
      const refused = await errorOf(await post(gateway, CHAT, headers));
      expect(refused).toMatchObject({ status: 403, code: "browser_call_refused" });
      expect(refused.message).toContain("Revoke it");
    },
  );

  it("may ask beforehand, and may read why it is refused", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER), { policy });
    const asked = await request(`${gateway.url}/v1/chat/completions`, {
      method: "OPTIONS",
      headers: {
        ...origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
      },
    });
    expect(asked.statusCode).toBe(204);
    expect(asked.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "authorization,content-type,x-stainless-os",
    });
    const refused = await post(gateway, CHAT, origin);
    expect(refused.headers["access-control-allow-origin"]).toBe("*");
    expect(await errorOf(refused)).toMatchObject({ code: "browser_call_refused" });
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.refusals).toHaveLength(1);
  });

  it("may send a key that is made for it, and gets one answer to whether it may read", async () => {
    const { gateway, upstream } = await start(
      respondJson(ANSWER, 200, { "access-control-allow-origin": "https://elsewhere.example" }),
      { policy, keyEntry: { isForBrowsers: true } },
    );
    const res = await post(gateway, CHAT, origin);
    expect(res.statusCode).toBe(200);
    expect(res.headers["access-control-allow-origin"]).toBe("*");
    expect(upstream.seen[0]?.headers).not.toHaveProperty("origin");
    await res.body.dump();
  });

  it("that asks with no question gets the answer of any call without a key", async () => {
    const { gateway } = await start(respondJson(ANSWER), { policy });
    const asked = await request(`${gateway.url}/v1/models`, { method: "OPTIONS", headers: origin });
    expect(asked.statusCode).toBe(401);
    await asked.body.dump();
  });
});
