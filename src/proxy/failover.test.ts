/** One call and several provider keys, through the real data plane and real connections. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, chunk, DONE, post, USAGE_CHUNK } from "../../test/support/chat.ts";
import { until } from "../../test/support/poll.ts";
import { respondEvents, respondJson, type Respond } from "../../test/support/upstream.ts";
import { attemptsOf, call, closedPort, send, way, waysFixture } from "../../test/support/ways.ts";

const { provider, gatewayTo } = waysFixture();

const RATE_ERROR = {
  error: { message: "slow down", type: "requests", code: "rate_limit_exceeded" },
};
const SERVER_ERROR = { error: { message: "oops", type: "server_error", code: null } };
const cut: Respond = (req) => req.socket.destroy();

describe("a failed attempt", () => {
  it.each([429, 500, 502, 503, 529, 401, 402, 403])(
    "of status %i is followed by one with the next key, and the call is charged once",
    async (status) => {
      const first = await provider(respondJson(SERVER_ERROR, status));
      const second = await provider(respondJson(ANSWER));
      const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
      const answer = await send(gateway);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toEqual(ANSWER);
      expect(attemptsOf(gateway)).toEqual([`1 pky_a failed ${status}`, "2 pky_b succeeded 200"]);
      expect(new Set(gateway.events.map(({ requestId }) => requestId)).size).toBe(1);
      expect(gateway.intents.map(({ id }) => id)).toEqual(gateway.events.map(({ id }) => id));
      expect(gateway.events.map(({ costPicos }) => costPicos === 0n)).toEqual([true, false]);
      expect(answer.headers["x-keyward-cost-usd"]).toBeDefined();
      expect(second.seen[0]?.body).toEqual(first.seen[0]?.body);
      expect(second.seen[0]?.headers.authorization).toBe("Bearer b");
    },
  );

  it("whose connection was refused is followed by one with the next key", async () => {
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(await closedPort(), "a"), way(second, "b")]);
    expect((await send(gateway)).status).toBe(200);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed -", "2 pky_b succeeded 200"]);
    expect(gateway.events[0]).toMatchObject({ usageSource: "none", costPicos: 0n });
  });

  it.each([400, 404, 409, 422])("of status %i is the client's own affair", async (status) => {
    const first = await provider(respondJson(SERVER_ERROR, status));
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    expect((await send(gateway)).status).toBe(status);
    expect(attemptsOf(gateway)).toEqual([`1 pky_a failed ${status}`]);
    expect(second.seen).toHaveLength(0);
  });

  it("that was sent and broke off is not repeated: it may have been carried out", async () => {
    const first = await provider(cut);
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await send(gateway);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "upstream_failed" } });
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed -"]);
    expect(gateway.events[0]).toMatchObject({ usageSource: "unknown", costPicos: null });
    expect(second.seen).toHaveLength(0);
  });

  it("that was sent and not answered in time is repeated only where the settings say so", async () => {
    const first = await provider(() => undefined);
    const second = await provider(respondJson(ANSWER));
    const ways = [way(first, "a"), way(second, "b")];
    const { gateway } = await gatewayTo(ways, { headersTimeoutMs: 50 });
    expect((await send(gateway)).status).toBe(504);
    expect(second.seen).toHaveLength(0);
    const { gateway: daring } = await gatewayTo(ways, {
      headersTimeoutMs: 50,
      failover: { isUnansweredRetried: true },
    });
    expect((await send(daring)).status).toBe(200);
    expect(attemptsOf(daring)).toEqual(["1 pky_a failed -", "2 pky_b succeeded 200"]);
    expect(daring.events[0]).toMatchObject({ usageSource: "unknown", costPicos: null });
  });

  it("that only reads is repeated also when it broke off", async () => {
    const first = await provider(cut);
    const second = await provider(respondJson({ object: "list", data: [] }));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    expect((await call(gateway, "/v1/models")).status).toBe(200);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed -", "2 pky_b succeeded 200"]);
  });

  it("is not repeated once the client has gone", async () => {
    let answer: (() => void) | undefined;
    const first = await provider((req, res, seen) => {
      answer = () => respondJson(SERVER_ERROR, 500)(req, res, seen);
    });
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answered = post(gateway, CHAT).catch(() => undefined);
    await until("the call is under way", () => answer !== undefined);
    gateway.hangUpOnAll();
    answer?.();
    await answered;
    await until("the call is settled", () => gateway.events.length === 1);
    await until("nothing is under way", () => gateway.gateway.inFlightCalls() === 0);
    expect(gateway.events[0]?.status).toBe("interrupted");
    expect(second.seen).toHaveLength(0);
  });

  it.each([
    ["and the next that is left answers", 1, 200],
    ["and nobody else is left: the client gets what was answered", 0, 500],
  ])("is not repeated with a key that was revoked meanwhile, %s", async (_name, left, status) => {
    const well = await provider(respondJson(ANSWER));
    const first = await provider((req, res, seen) => {
      routes = [routes[0]!, ...routes.slice(2, 2 + left)];
      void gateway.refresh().then(() => respondJson(SERVER_ERROR, 500)(req, res, seen));
    });
    let routes = [way(first, "a"), way(well, "revoked"), way(well, "b")];
    const { gateway } = await gatewayTo(() => routes);
    const answer = await send(gateway);
    expect(answer.status).toBe(status);
    if (status === 500) expect(answer.body).toBe(JSON.stringify(SERVER_ERROR));
    expect(gateway.events.map(({ providerKeyId }) => providerKeyId)).not.toContain("pky_revoked");
  });

  it("is repeated at most so many times, and not after so long", async () => {
    const upstreams = await Promise.all(
      ["a", "b", "c", "d"].map(() => provider(respondJson(SERVER_ERROR, 500))),
    );
    const ways = upstreams.map((upstream, index) => way(upstream, `${index}`));
    const { gateway } = await gatewayTo(ways);
    expect((await send(gateway)).status).toBe(500);
    expect(attemptsOf(gateway)).toHaveLength(3);
    const { gateway: patient, clock } = await gatewayTo(ways, { failover: { maxMs: 1000 } });
    upstreams[0]!.respond = (req, res, seen) => {
      clock.nowMs += 1000;
      respondJson(SERVER_ERROR, 500)(req, res, seen);
    };
    expect((await send(patient)).status).toBe(500);
    expect(attemptsOf(patient)).toHaveLength(1);
  });

  it("whose error is long, or never ends, does not hold up the next", async () => {
    const endless = await provider((_req, res) => {
      res.writeHead(500, { "content-type": "text/html" });
      res.write("x".repeat(100));
    });
    const long = await provider((_req, res) => {
      res.writeHead(503, { "content-type": "text/html" });
      res.end("x".repeat(1024 * 1024));
    });
    const last = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(endless, "a"), way(long, "b"), way(last, "c")]);
    expect((await send(gateway)).status).toBe(200);
    expect(attemptsOf(gateway)).toEqual([
      "1 pky_a failed 500",
      "2 pky_b failed 503",
      "3 pky_c succeeded 200",
    ]);
  });
});

describe("when every attempt fails", () => {
  it("the client gets the last provider's answer as it came", async () => {
    const first = await provider(respondJson(SERVER_ERROR, 500));
    const second = await provider(
      respondJson(RATE_ERROR, 429, { "retry-after": "7", "x-should-retry": "true" }),
    );
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await send(gateway);
    expect(answer.status).toBe(429);
    expect(answer.body).toBe(JSON.stringify(RATE_ERROR));
    expect(answer.headers).toMatchObject({ "retry-after": "7", "x-should-retry": "true" });
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed 500", "2 pky_b failed 429"]);
  });

  it("and the last had no connection, it gets the answer before", async () => {
    const first = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "7" }));
    const { gateway } = await gatewayTo([way(first, "a"), way(await closedPort(), "b")]);
    const answer = await send(gateway);
    expect(answer.status).toBe(429);
    expect(answer.body).toBe(JSON.stringify(RATE_ERROR));
    expect(answer.headers["retry-after"]).toBe("7");
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed 429", "2 pky_b failed -"]);
  });

  it("and none had a connection, it gets 502 and may try again", async () => {
    const ports = [await closedPort(), await closedPort()];
    const { gateway } = await gatewayTo(ports.map((port, index) => way(port, `${index}`)));
    const answer = await send(gateway);
    expect(answer.status).toBe(502);
    expect(answer.headers["x-should-retry"]).toBe("true");
    expect(attemptsOf(gateway)).toHaveLength(2);
  });

  it("and the second could not be journalled, it was not sent: the first one's answer stands", async () => {
    const second = await provider(respondJson(ANSWER));
    const first = await provider((req, res, seen) => {
      gateway.isJournalBroken = true;
      respondJson(SERVER_ERROR, 500)(req, res, seen);
    });
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await send(gateway);
    expect([answer.status, answer.body]).toEqual([500, JSON.stringify(SERVER_ERROR)]);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed 500"]);
    expect(second.seen).toHaveLength(0);
  });
});

describe("a stream", () => {
  it("comes from the next key when it failed before its first byte", async () => {
    const first = await provider(respondJson(SERVER_ERROR, 503));
    const second = await provider(respondEvents([chunk({ content: "hi" }), USAGE_CHUNK, DONE]));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await send(gateway, { ...CHAT, stream: true });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe(chunk({ content: "hi" }) + DONE);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed 503", "2 pky_b succeeded 200"]);
    expect(gateway.events[1]).toMatchObject({ usageSource: "reported" });
  });

  it("that began is never begun again elsewhere", async () => {
    const first = await provider((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(chunk({ content: "one two" }), () => res.destroy());
    });
    const second = await provider(respondEvents([DONE]));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const res = await post(gateway, { ...CHAT, stream: true });
    await expect(res.body.text()).rejects.toThrow();
    await until("the call is settled", () => gateway.events.length === 1);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a interrupted 200"]);
    expect(second.seen).toHaveLength(0);
  });
});

describe("an upload that is streamed through", () => {
  const upload = {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
  } as const;
  const bytes = Buffer.alloc(3 * 1024 * 1024, 7);

  it("goes to the next key while not a byte of it was taken", async () => {
    const second = await provider(respondJson({ id: "file-1" }));
    const { gateway } = await gatewayTo([way(await closedPort(), "a"), way(second, "b")]);
    const answer = await call(gateway, "/v1/uploads/up_1/parts", { ...upload, body: bytes });
    expect(answer.status).toBe(200);
    expect(second.seen[0]?.body.equals(bytes)).toBe(true);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed -", "2 pky_b succeeded 200"]);
  });

  it("is not repeated once it was read, and the client is told so", async () => {
    const first = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "1" }));
    const second = await provider(respondJson({ id: "file-1" }));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const answer = await call(gateway, "/v1/uploads/up_1/parts", { ...upload, body: bytes });
    expect([answer.status, answer.body]).toEqual([429, JSON.stringify(RATE_ERROR)]);
    expect(second.seen).toHaveLength(0);
  });

  it("is not repeated either when the provider refuses it in the middle", async () => {
    const first = await provider(() => undefined);
    first.onHead = (req) => req.once("data", () => req.socket.destroy());
    const second = await provider(respondJson({ id: "file-1" }));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    const body = Readable.from([bytes, bytes]);
    const res = request(`${gateway.url}/v1/uploads/up_1/parts`, {
      ...upload,
      headers: { ...upload.headers, authorization: `Bearer ${gateway.key}` },
      body,
    });
    const answer = await res.then(
      async (answered) => [answered.statusCode, await answered.body.text()],
      () => [502],
    );
    if (!body.destroyed) await once(body, "close");
    expect(answer[0]).toBe(502);
    await until("the call is settled", () => gateway.events.length === 1);
    expect(second.seen).toHaveLength(0);
  });
});
