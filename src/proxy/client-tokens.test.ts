/** Calls with client tokens, by the data plane alone: real sockets, and a book of tokens as a process has it. */
import { createHmac, randomBytes } from "node:crypto";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import type { DataPlane, DataPlaneOptions } from "../../test/support/data-plane.ts";
import { MemoryLimitUses } from "../../test/support/memory-limit-uses.ts";
import { until } from "../../test/support/poll.ts";
import { beginSlowCall } from "../../test/support/slow-call.ts";
import { respondJson, type Respond } from "../../test/support/upstream.ts";
import { IdFactory } from "../core/ids/ids.ts";
import { type ClientTokenClaims, createClientToken } from "../core/keys/client-token.ts";
import { createIpRanges } from "../core/network/ip-ranges.ts";
import { compileCallPolicy } from "../core/policy/call-policy.ts";
import { createEndpointSet } from "../core/policy/endpoint-pattern.ts";
import { resolvePolicy } from "../core/policy/environment-policy.ts";
import { SharedLimits } from "../ledger/limits/shared-limits.ts";
import { ClientTokenBook } from "./client-token-book.ts";

const fixture = dataPlaneFixture();
const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const NOW_MS = Date.UTC(2026, 0, 31, 9);
const KEY_ID = ids.create("key");
const ENVIRONMENT_ID = ids.create("env");
const signer = (key: string) => (text: string) =>
  createHmac("sha256", key).update(text).digest("hex");
const sign = signer("signing key");
const monotonicMs = () => performance.now();
const BROWSER = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
const policy = compileCallPolicy(resolvePolicy("production", {}));

function tokenOf(changes: Partial<ClientTokenClaims> = {}, by = sign): string {
  return createClientToken(
    "development",
    {
      id: ids.create("ctk"),
      keyId: KEY_ID,
      environmentId: ENVIRONMENT_ID,
      signingKey: 0,
      madeAfter: 10,
      customer: "acme",
      feature: null,
      models: ["gpt-4o-mini"],
      endpoints: ["chat/completions"],
      limits: { requestsPerMinute: null, tokensPerMinute: null, concurrency: null },
      expiresAtMs: NOW_MS + 600_000,
      ...changes,
    },
    by,
  );
}

async function start(options: Partial<DataPlaneOptions> = {}, respond?: Respond) {
  const book = new ClientTokenBook();
  const know = (number = 0, revokedCustomers: readonly (readonly [string, number])[] = []) =>
    book.replace({
      signingKeys: new Map([[ENVIRONMENT_ID, { number, sign: number === 0 ? sign : signer("2") }]]),
      revokedCustomers: new Map(revokedCustomers),
    });
  know();
  const { keyEntry, ...others } = options;
  const started = await fixture.start(respond ?? respondJson(ANSWER), {
    clientTokens: book,
    policy,
    nowMs: () => NOW_MS,
    keyEntry: { id: KEY_ID, environmentId: ENVIRONMENT_ID, ...keyEntry },
    ...others,
  });
  return { ...started, know };
}

const send = (
  { url }: DataPlane,
  token: string,
  { path = "/v1/chat/completions", method = "POST", headers = {}, body = CHAT } = {},
) =>
  request(`${url}${path}`, {
    method: method as "POST",
    headers: { authorization: `Bearer ${token}`, ...BROWSER, ...headers },
    ...(method === "POST" ? { body: JSON.stringify(body) } : {}),
  });

async function outcomeOf(answer: ReturnType<typeof send>) {
  const { statusCode, body } = await answer;
  const { error } = (await body.json().catch(() => ({}))) as { error?: { code: string } };
  return error?.code ?? statusCode;
}

describe("a client token", () => {
  it("calls from a browser as its customer's, whatever the call says, and counts for its gateway key", async () => {
    const { gateway, upstream } = await start();
    const id = ids.create("ctk");
    const token = tokenOf({ id, feature: "chat" });
    const headers = { "x-keyward-customer": "other", "x-keyward-feature": "mine" };
    expect(await outcomeOf(send(gateway, token, { headers }))).toBe(200);
    expect(gateway.events).toMatchObject([
      { customer: "acme", feature: "chat", gatewayKeyId: KEY_ID, clientTokenId: id },
    ]);
    expect(await outcomeOf(send(gateway, tokenOf(), { headers }))).toBe(200);
    expect(gateway.events[1]).toMatchObject({ customer: "acme", feature: null });
    expect(JSON.stringify(upstream.seen)).not.toContain("kwc_");
  });

  it("is refused in the very millisecond in which it expires, and told so", async () => {
    const { gateway } = await start();
    expect(await outcomeOf(send(gateway, tokenOf({ expiresAtMs: NOW_MS + 1 })))).toBe(200);
    expect(await outcomeOf(send(gateway, tokenOf({ expiresAtMs: NOW_MS })))).toBe(
      "client_token_expired",
    );
  });

  it("that is forged, altered or of another signing key gets the answer of every unknown key", async () => {
    const { gateway } = await start();
    const good = tokenOf();
    const bad = [
      tokenOf({}, signer("guessed")),
      tokenOf({ signingKey: 1 }),
      tokenOf({ environmentId: ids.create("env") }),
      tokenOf({ keyId: ids.create("key") }),
      `${good}x`,
      good.replace("kwc_dev_", "kwc_live_"),
      "kwc_dev_",
      "kwc_dev_.",
    ];
    const answers = new Set<string>();
    for (const token of bad) {
      const { statusCode, body } = await send(gateway, token);
      answers.add(`${statusCode} ${await body.text()}`);
    }
    expect([...answers]).toEqual([expect.stringMatching(/^401 .*invalid_api_key/)]);
    expect(gateway.events).toEqual([]);
  });

  it("makes calls, and lists, reads and deletes nothing; models only where that was chosen", async () => {
    const { gateway } = await start();
    const endpoints = ["chat/completions", "responses"] as const;
    const token = tokenOf({ endpoints });
    const refused = [
      ["GET", "/v1/chat/completions"],
      ["GET", "/v1/chat/completions/chatcmpl-1"],
      ["POST", "/v1/chat/completions/chatcmpl-1"],
      ["DELETE", "/v1/responses/resp_1"],
      ["GET", "/v1/responses/resp_1"],
      ["POST", "/v1/embeddings"],
      ["GET", "/v1/files"],
      ["POST", "/v1/batches"],
      ["GET", "/v1/models"],
      ["GET", "/v1/never/heard/of"],
      ["POST", "/v1/CHAT/completions/../files"],
    ] as const;
    for (const [method, path] of refused) {
      const code = await outcomeOf(send(gateway, token, { method, path }));
      expect([
        method,
        path,
        ["endpoint_not_allowed", "unknown_url"].includes(String(code)),
      ]).toEqual([method, path, true]);
    }
    expect(gateway.events).toEqual([]);
    const lister = tokenOf({ endpoints: ["models"] });
    expect(await outcomeOf(send(gateway, lister, { method: "GET", path: "/v1/models" }))).toBe(200);
    expect(await outcomeOf(send(gateway, lister))).toBe("endpoint_not_allowed");
  });

  it("calls its own models as far as its gateway key may, too; the key's networks are not its own", async () => {
    const { gateway } = await start({
      keyEntry: {
        allowedModels: new Set(["gpt-4o-mini", "gpt-4o"]),
        restrictions: {
          allowedIps: createIpRanges(["192.0.2.0/24"]),
          allowedEndpoints: createEndpointSet(["chat/completions"]),
        },
      },
    });
    const ask = (token: string, model: string) =>
      outcomeOf(send(gateway, token, { body: { ...CHAT, model } }));
    const token = tokenOf({
      models: ["gpt-4o-mini", "o3"],
      endpoints: ["chat/completions", "responses"],
    });
    expect(await ask(token, "gpt-4o-mini")).toBe(200);
    expect(await ask(token, "gpt-4o")).toBe("model_not_allowed");
    expect(await ask(token, "o3")).toBe("model_not_allowed");
    const beyond = send(gateway, token, { path: "/v1/responses" });
    expect(await outcomeOf(beyond)).toBe("endpoint_not_allowed");
  });

  it("ends when its customer's are revoked, with those that were made before, and new ones work at once", async () => {
    const { gateway, know } = await start();
    const [token, other, later] = [
      tokenOf(),
      tokenOf({ customer: "globex" }),
      tokenOf({ madeAfter: 11 }),
    ];
    for (const one of [token, other]) expect(await outcomeOf(send(gateway, one))).toBe(200);
    know(0, [["acme", 11]]);
    expect(await outcomeOf(send(gateway, token))).toBe("invalid_api_key");
    for (const one of [other, later]) expect(await outcomeOf(send(gateway, one))).toBe(200);
  });

  it("ends when its environment's are revoked: another key signs from then on", async () => {
    const { gateway, know } = await start();
    const token = tokenOf();
    expect(await outcomeOf(send(gateway, token))).toBe(200);
    know(5);
    expect(await outcomeOf(send(gateway, token))).toBe("invalid_api_key");
    const next = tokenOf({ signingKey: 5 }, signer("2"));
    expect(await outcomeOf(send(gateway, next))).toBe(200);
  });

  it("ends with its gateway key: revoked, expired, or bound to another customer", async () => {
    const { gateway } = await start();
    const token = tokenOf();
    expect(await outcomeOf(send(gateway, token))).toBe(200);
    for (const key of [{ revokedAtMs: 1 }, { expiresAtMs: NOW_MS }, { customer: "globex" }]) {
      gateway.changes.key = key;
      await gateway.refresh();
      expect(await outcomeOf(send(gateway, token))).toBe("invalid_api_key");
    }
    gateway.changes.key = {};
    await gateway.refresh();
    expect(await outcomeOf(send(gateway, token))).toBe(200);
  });

  it.each([
    ["its customer's were revoked", 0, [["acme", 11]]],
    ["its environment's were revoked", 5, []],
  ] as const)("is refused when %s while the call's body came slowly", async (_, key, customers) => {
    const { gateway, upstream, know } = await start();
    const [mine, others] = [
      await beginSlowCall(gateway, tokenOf()),
      await beginSlowCall(gateway, tokenOf({ customer: "globex" })),
    ];
    know(key, customers);
    await gateway.refresh();
    expect(await mine.finish()).toBe("invalid_api_key");
    expect(await others.finish()).toBe(key === 0 ? undefined : "invalid_api_key");
    expect(upstream.seen).toHaveLength(key === 0 ? 1 : 0);
  });

  it("is cut off in the midst of a stream when it is revoked", async () => {
    const { gateway, know } = await start({}, (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: {}\n\n");
    });
    const calls = [tokenOf(), tokenOf({ customer: "globex" })].map(async (token) => {
      const body = { ...CHAT, stream: true };
      return (await send(gateway, token, { body })).body;
    });
    const [mine, others] = await Promise.all(calls);
    if (mine === undefined || others === undefined) throw new Error("two calls were made");
    const ended = mine.text().then(
      () => "whole",
      () => "cut",
    );
    others.on("error", () => undefined);
    await until("both are under way", () => gateway.gateway.inFlightCalls() === 2);
    know(0, [["acme", 99]]);
    await gateway.refresh();
    expect(await ended).toBe("cut");
    expect(gateway.gateway.inFlightCalls()).toBe(1);
    others.destroy();
  });

  it("needs no look-up once its gateway key is known: a new one is good while the store is away", async () => {
    const { gateway } = await start();
    expect(await outcomeOf(send(gateway, tokenOf()))).toBe(200);
    gateway.changes.isLookUpAway = true;
    for (let i = 0; i < 3; i += 1) expect(await outcomeOf(send(gateway, tokenOf()))).toBe(200);
  });

  it("has its own limit over all processes, beside those of its customer", async () => {
    const uses = new MemoryLimitUses(Date.now);
    const log = { info: () => undefined, warn: () => undefined };
    const gateways: DataPlane[] = [];
    for (const processId of ["one", "two"]) {
      const limits = new SharedLimits({ uses, processId, monotonicMs, log });
      fixture.closeAfter(() => limits.close());
      gateways.push((await start({ limits })).gateway);
    }
    const limits = { requestsPerMinute: 5, tokensPerMinute: null, concurrency: null };
    const [token, other] = [tokenOf({ limits }), tokenOf({ limits })];
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => {
        const gateway = gateways[i % 2];
        if (gateway === undefined) throw new Error("there are two");
        return outcomeOf(send(gateway, token));
      }),
    );
    expect(outcomes.filter((outcome) => outcome === 200)).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === "rate_limit_exceeded")).toHaveLength(7);
    for (const gateway of gateways) expect(await outcomeOf(send(gateway, other))).toBe(200);
  });

  it("is not taken in a URL", async () => {
    const { gateway } = await start();
    const path = `/v1/chat/completions?key=${tokenOf()}`;
    expect(await outcomeOf(send(gateway, tokenOf(), { path }))).toBe("key_in_url");
  });
});
