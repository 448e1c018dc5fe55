import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { PROVIDER_SECRET, startDataPlane, type DataPlane } from "../../test/support/data-plane.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson, type Upstream } from "../../test/support/upstream.ts";
import type { RoutingRule } from "./snapshot.ts";

const { start, closeAfter } = dataPlaneFixture();

async function refusalOf(
  gateway: DataPlane,
  upstream: Upstream,
  res: Awaited<ReturnType<typeof post>>,
) {
  const body = (await res.body.json()) as { error: { code: string; message: string } };
  expect(upstream.seen).toHaveLength(0);
  expect(gateway.events).toHaveLength(0);
  return { status: res.statusCode, retry: res.headers["x-should-retry"], ...body.error };
}

it("answers when something fails in Keyward, also after the body was read to its end", async () => {
  const rule = { pattern: undefined } as unknown as RoutingRule;
  const { upstream, gateway } = await start(respondJson(ANSWER), {
    routing: { routes: [], rules: [rule], unpricedPolicy: "refuse" },
  });
  const res = await post(gateway, CHAT);
  expect(await refusalOf(gateway, upstream, res)).toMatchObject({
    status: 500,
    code: "internal_error",
  });
});

describe("a refused call", () => {
  it("gets one answer for every kind of wrong key, and is counted", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const wrongKeys = [
      "",
      "Bearer",
      "Bearer sk-something",
      `Basic ${gateway.key}`,
      `Bearer ${gateway.key.slice(0, -1)}${gateway.key.endsWith("x") ? "y" : "x"}`,
      `Bearer ${gateway.key}${"x".repeat(5000)}`,
    ];
    const answers = new Set<string>();
    for (const authorization of wrongKeys) {
      const res = await post(gateway, CHAT, { authorization });
      answers.add(JSON.stringify(await refusalOf(gateway, upstream, res)));
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain('"status":401,"retry":"false"');
    expect(gateway.refusals).toHaveLength(wrongKeys.length);
  });

  it.each([
    ["revoked", { revokedAtMs: 1 }],
    ["expired", { expiresAtMs: 1 }],
  ])("has a key that is %s", async (_name, keyEntry) => {
    const { upstream, gateway } = await start(respondJson(ANSWER), { keyEntry });
    const refusal = await refusalOf(gateway, upstream, await post(gateway, CHAT));
    expect(refusal).toMatchObject({ status: 401, code: "invalid_api_key" });
  });

  it("names the limit when the body is too large, whether or not its length was declared", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER), { maxJsonBodyBytes: 1000 });
    const large = JSON.stringify({ ...CHAT, padding: "x".repeat(2000) });
    const declared = await refusalOf(gateway, upstream, await post(gateway, large));
    const chunked = await request(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}` },
      body: Readable.from([large.slice(0, 500), large.slice(500)]),
    });
    const streamed = await refusalOf(gateway, upstream, chunked);
    for (const refusal of [declared, streamed]) {
      expect(refusal).toMatchObject({ status: 413, code: "request_too_large", retry: "false" });
      expect(refusal.message).toContain("1000 bytes");
    }
  });

  it.each([
    ["not JSON", "nonsense"],
    ["a list", "[]"],
    ["ambiguous", '{"model":"a","model":"b"}'],
  ])("has a body that is %s", async (_name, body) => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const refusal = await refusalOf(gateway, upstream, await post(gateway, body));
    expect(refusal).toMatchObject({ status: 400, code: "invalid_json" });
  });

  it("has a compressed body where the body must be read", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const res = await post(gateway, CHAT, { "content-encoding": "gzip" });
    expect(await refusalOf(gateway, upstream, res)).toMatchObject({ status: 415 });
  });

  it("asks for a model that the key may not call, or for an endpoint where that can't be checked", async () => {
    const keyEntry = { allowedModels: new Set(["gpt-4o"]) };
    const { upstream, gateway } = await start(respondJson(ANSWER), { keyEntry });
    const model = await refusalOf(gateway, upstream, await post(gateway, CHAT));
    expect(model).toMatchObject({ status: 403, code: "model_not_allowed" });
    const res = await request(`${gateway.url}/v1/audio/speech`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}` },
      body: "{}",
    });
    expect(await refusalOf(gateway, upstream, res)).toMatchObject({ status: 403 });
  });

  it("names the command that adds a key when the environment has none", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER), { hasRoute: false });
    const refusal = await refusalOf(gateway, upstream, await post(gateway, CHAT));
    expect(refusal).toMatchObject({ status: 503, code: "no_provider_key", retry: "false" });
    expect(refusal.message).toContain("keyward provider-keys add");
  });

  it("was not sent when it could not be journalled", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    gateway.isJournalBroken = true;
    const refusal = await refusalOf(gateway, upstream, await post(gateway, CHAT));
    expect(refusal).toMatchObject({ status: 503, code: "journal_unavailable", retry: "true" });
  });

  it("has a path that a provider may read as another one", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const paths = [
      "/v1/../admin",
      "/v1/%2e%2e/admin",
      "/v1/%252e%252e/admin",
      "/v1/a/..%2fb",
      "/v1/x/..",
      "/v1/chat/completions#x",
      "/v1/chat\\completions",
      "/v1/chat%5ccompletions",
      "/v1//chat/completions",
      `/v1/${"/".repeat(300)}chat/completions`,
    ];
    for (const path of paths) {
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.key}\r\nconnection: close\r\n\r\n`;
      const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
      socket.end(head);
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
      socket.destroy();
    }
    expect(upstream.seen).toHaveLength(0);
  });

  it("has a method that would have the provider echo its key", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    for (const method of ["TRACE", "PROPFIND"]) {
      const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1");
      socket.end(
        `${method} /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.key}\r\nconnection: close\r\n\r\n`,
      );
      const [answer] = (await once(socket, "data")) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 405 /);
      socket.destroy();
    }
    expect(upstream.seen).toHaveLength(0);
  });

  it("has a Keyward key in its URL, and never brings one to the provider in any header", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    const inUrl = await request(`${gateway.url}/v1/models?api-key=${gateway.key}`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
    expect(await refusalOf(gateway, upstream, inUrl)).toMatchObject({ code: "key_in_url" });
    await (await post(gateway, CHAT, { "x-my-header": `key ${gateway.key}` })).body.dump();
    expect(upstream.seen).toHaveLength(1);
    expect(JSON.stringify(upstream.seen[0]?.headers)).not.toContain(gateway.key);
  });

  it("whose client hangs up while its key is looked up is over at once", async () => {
    const gate = Promise.withResolvers<void>();
    const { upstream, gateway } = await start(respondJson(ANSWER), { keyGate: gate.promise });
    const call = post(gateway, CHAT).catch(() => undefined);
    await until("the call is in flight", () => gateway.gateway.inFlightCalls() === 1);
    gateway.hangUpOnAll();
    await call;
    gate.resolve();
    await until("no call is in flight", () => gateway.gateway.inFlightCalls() === 0);
    await gateway.gateway.idle();
    expect(upstream.seen).toHaveLength(0);
    expect(gateway.intents).toHaveLength(0);
  });

  it("comes while the process stops, or when it carries as many calls as it may", async () => {
    const { upstream, gateway } = await start(() => undefined, { maxInFlightCalls: 1 });
    const first = post(gateway, CHAT).catch(() => undefined);
    await until("the first is at the provider", () => upstream.seen.length === 1);
    const second = await post(gateway, CHAT);
    expect(second.statusCode).toBe(503);
    expect(await second.body.json()).toMatchObject({ error: { code: "overloaded" } });
    gateway.gateway.stopAccepting();
    const third = await post(gateway, CHAT);
    expect(await third.body.json()).toMatchObject({ error: { code: "shutting_down" } });
    expect(third.headers["connection"]).toBe("close");
    await upstream.close();
    await first;
  });
});

describe("attribution", () => {
  it("takes the customer from the key first, then the header, then the body", async () => {
    const { upstream, gateway } = await start(respondJson(ANSWER));
    await (
      await post(gateway, { ...CHAT, user: "u1" }, { "x-keyward-customer": "acme" })
    ).body.dump();
    await (await post(gateway, { ...CHAT, user: "u1" })).body.dump();
    await (await post(gateway, { ...CHAT, user: "u1", safety_identifier: "s1" })).body.dump();
    expect(gateway.events.map((event) => event.customer)).toEqual(["acme", "u1", "s1"]);

    const bound = await startDataPlane({
      upstreamUrl: upstream.url,
      keyEntry: { customer: "bound" },
    });
    closeAfter(() => bound.close());
    await (
      await post(bound, { ...CHAT, user: "u1" }, { "x-keyward-customer": "acme" })
    ).body.dump();
    expect(bound.events[0]?.customer).toBe("bound");
  });

  it("reads names in UTF-8 and in Latin-1, refuses control characters, and hashes an end user that is no name", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    const utf8 = Buffer.from("Café", "utf8").toString("latin1");
    await (await post(gateway, CHAT, { "x-keyward-customer": utf8 })).body.dump();
    for (const name of ["Müller", "Möller"]) {
      await (await post(gateway, CHAT, { "x-keyward-customer": name })).body.dump();
    }
    await (await post(gateway, { ...CHAT, user: "x".repeat(300) })).body.dump();
    expect(gateway.events[0]?.customer).toBe("Café");
    expect(gateway.events[1]?.customer).toBe("Müller");
    expect(gateway.events[2]?.customer).toBe("Möller");
    expect(gateway.events[3]?.customer).toMatch(/^sha256:[0-9a-f]{32}$/);
    const tooLong = await post(gateway, CHAT, { "x-keyward-feature": "f".repeat(129) });
    expect(tooLong.statusCode).toBe(400);
    expect(await tooLong.body.json()).toMatchObject({ error: { param: "x-keyward-feature" } });
  });
});

describe("the log", () => {
  it("never holds a key or what was said", async () => {
    const { gateway } = await start((req) => req.socket.destroy());
    await (await post(gateway, CHAT)).body.dump();
    await (await post(gateway, CHAT, { authorization: "Bearer wrong" })).body.dump();
    const logged = JSON.stringify(gateway.logged);
    expect(gateway.logged.length).toBeGreaterThan(0);
    for (const secret of [gateway.key, PROVIDER_SECRET, "one two three"]) {
      expect(logged).not.toContain(secret);
    }
  });
});
