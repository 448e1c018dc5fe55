/** How keys rest, fail and come back, through the real data plane with a clock of the test's. */
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT } from "../../test/support/chat.ts";
import { respondJson, type Respond } from "../../test/support/upstream.ts";
import { attemptsOf, call, closedPort, send, way, waysFixture } from "../../test/support/ways.ts";
import type { ProviderAccountId } from "../core/ids/ids.ts";

const { provider, gatewayTo } = waysFixture();

const RATE_ERROR = {
  error: { message: "slow down", type: "requests", code: "rate_limit_exceeded" },
};
const QUOTA_ERROR = { error: { message: "no money", type: "insufficient_quota", code: null } };
const SERVER_ERROR = { error: { message: "oops", type: "server_error", code: null } };
const OTHER_MODEL = { ...CHAT, model: "gpt-4o" };

describe("an account that answers 429", () => {
  it("rests as long as it asks, for that model alone, and is called again afterwards", async () => {
    const first = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "7" }));
    const second = await provider(respondJson(ANSWER));
    const { gateway, clock } = await gatewayTo([way(first, "a"), way(second, "b")]);
    await send(gateway);
    first.respond = respondJson(ANSWER);
    await send(gateway);
    await send(gateway, OTHER_MODEL);
    clock.nowMs += 6_999;
    await send(gateway);
    clock.nowMs += 1;
    await send(gateway);
    expect(attemptsOf(gateway)).toEqual([
      "1 pky_a failed 429",
      "2 pky_b succeeded 200",
      "1 pky_b succeeded 200",
      "1 pky_a succeeded 200",
      "1 pky_b succeeded 200",
      "1 pky_a succeeded 200",
    ]);
  });

  it("takes its other keys with it: a limit is the account's", async () => {
    const first = await provider(respondJson(RATE_ERROR, 429, { "retry-after-ms": "500" }));
    const second = await provider(respondJson(ANSWER));
    const sister = { accountId: "acc_a" as ProviderAccountId };
    const { gateway } = await gatewayTo([
      way(first, "a"),
      way(first, "a2", sister),
      way(second, "b"),
    ]);
    expect((await send(gateway)).status).toBe(200);
    expect(first.seen).toHaveLength(1);
    expect(attemptsOf(gateway)).toEqual(["1 pky_a failed 429", "2 pky_b succeeded 200"]);
  });

  it("is not called before its time where there is no other: the client is told how long", async () => {
    const only = await provider(respondJson(RATE_ERROR, 429, { "retry-after-ms": "1500" }));
    const { gateway, clock } = await gatewayTo([way(only, "a")]);
    expect((await send(gateway)).body).toBe(JSON.stringify(RATE_ERROR));
    only.respond = respondJson(ANSWER);
    clock.nowMs += 500;
    const refused = await send(gateway);
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({
      "retry-after": "1",
      "retry-after-ms": "1000",
      "x-should-retry": "true",
    });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: "provider_rate_limited" } });
    expect(gateway.refusals.map(({ code }) => code)).toEqual(["provider_rate_limited"]);
    clock.nowMs += 1000;
    expect((await send(gateway)).status).toBe(200);
    expect(only.seen).toHaveLength(2);
  });

  it("and names no time is called all the same where there is no other: the time is a guess", async () => {
    const only = await provider(respondJson(RATE_ERROR, 429));
    const { gateway } = await gatewayTo([way(only, "a")]);
    await send(gateway);
    only.respond = respondJson(ANSWER);
    expect((await send(gateway)).status).toBe(200);
  });

  it("keeps the time that it named when a later answer names none", async () => {
    const held: ((respond: Respond) => void)[] = [];
    const only = await provider((req, res, seen) => {
      held.push((respond) => respond(req, res, seen));
    });
    const { gateway, clock } = await gatewayTo([way(only, "a")]);
    const calls = [send(gateway), send(gateway)];
    await expect.poll(() => held.length).toBe(2);
    held[0]?.(respondJson(RATE_ERROR, 429, { "retry-after": "60" }));
    await Promise.race(calls);
    held[1]?.(respondJson(RATE_ERROR, 429));
    await Promise.all(calls);
    clock.nowMs += 59_999;
    const refused = await send(gateway);
    expect(refused.headers["retry-after-ms"]).toBe("1");
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: "provider_rate_limited" } });
  });

  it("is not believed a time beyond ten minutes", async () => {
    const only = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "86400" }));
    const { gateway, clock } = await gatewayTo([way(only, "a")]);
    await send(gateway);
    only.respond = respondJson(ANSWER);
    clock.nowMs += 600_000;
    expect((await send(gateway)).status).toBe(200);
  });
});

it("a 503 with a time in it is honoured as a 429 is", async () => {
  const first = await provider(respondJson(SERVER_ERROR, 503, { "retry-after": "20" }));
  const second = await provider(respondJson(ANSWER));
  const { gateway, clock } = await gatewayTo([way(first, "a"), way(second, "b")]);
  await send(gateway);
  clock.nowMs += 19_999;
  await send(gateway);
  clock.nowMs += 1;
  await send(gateway);
  expect(first.seen).toHaveLength(2);
});

describe("an account that is out of money", () => {
  it("rests for every model, longer than for a rate limit", async () => {
    const first = await provider(respondJson(QUOTA_ERROR, 429));
    const second = await provider(respondJson(ANSWER));
    const { gateway, clock } = await gatewayTo([way(first, "a"), way(second, "b")]);
    await send(gateway);
    clock.nowMs += 60_000;
    await send(gateway, OTHER_MODEL);
    expect(first.seen).toHaveLength(1);
    clock.nowMs += 240_000;
    await send(gateway, OTHER_MODEL);
    expect(first.seen).toHaveLength(2);
  });

  it("still answers where there is no other, so that new money is noticed at once", async () => {
    const only = await provider(respondJson(QUOTA_ERROR, 429));
    const { gateway } = await gatewayTo([way(only, "a")]);
    expect((await send(gateway)).body).toBe(JSON.stringify(QUOTA_ERROR));
    only.respond = respondJson(ANSWER);
    expect((await send(gateway)).status).toBe(200);
  });
});

describe("a key that its provider refuses", () => {
  it("with 401 rests for every model, and its account's other key does not", async () => {
    const first = await provider((req, res, seen) =>
      req.headers.authorization === "Bearer a"
        ? respondJson(SERVER_ERROR, 401)(req, res, seen)
        : respondJson(ANSWER)(req, res, seen),
    );
    const sister = { accountId: "acc_a" as ProviderAccountId };
    const { gateway } = await gatewayTo([way(first, "a"), way(first, "a2", sister)]);
    expect((await send(gateway)).status).toBe(200);
    expect((await send(gateway, OTHER_MODEL)).status).toBe(200);
    expect(attemptsOf(gateway)).toEqual([
      "1 pky_a failed 401",
      "2 pky_a2 succeeded 200",
      "1 pky_a2 succeeded 200",
    ]);
    expect(JSON.stringify(gateway.logged)).toContain("key_refused");
  });

  it("with 403 rests for that model alone: no client can take it from the others", async () => {
    const first = await provider(respondJson(SERVER_ERROR, 403));
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
    await send(gateway, OTHER_MODEL);
    first.respond = respondJson(ANSWER);
    await send(gateway);
    await send(gateway, OTHER_MODEL);
    expect(attemptsOf(gateway).slice(2)).toEqual([
      "1 pky_a succeeded 200",
      "1 pky_b succeeded 200",
    ]);
  });
});

it("a rest of an endpoint whose model is not read keeps nothing else from the account", async () => {
  const first = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "60" }));
  const second = await provider(respondJson(ANSWER));
  const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")]);
  await call(gateway, "/v1/models");
  first.respond = respondJson(ANSWER);
  await send(gateway);
  await call(gateway, "/v1/models");
  expect(attemptsOf(gateway).slice(2)).toEqual(["1 pky_a succeeded 200", "1 pky_b succeeded 200"]);
});

describe("a key that keeps failing", () => {
  it("is not tried any more, until exactly one of 50 calls at once tries it", async () => {
    const first = await provider(respondJson(SERVER_ERROR, 500));
    const second = await provider(respondJson(ANSWER));
    const { gateway, clock } = await gatewayTo([way(first, "a"), way(second, "b")]);
    for (let i = 0; i < 8; i += 1) expect((await send(gateway)).status).toBe(200);
    expect(first.seen).toHaveLength(5);

    clock.nowMs += 1_000;
    const held: (() => void)[] = [];
    first.respond = (req, res, seen) => held.push(() => respondJson(ANSWER)(req, res, seen));
    const calls = Array.from({ length: 50 }, () => send(gateway));
    await Promise.race(calls);
    await expect.poll(() => gateway.events.length).toBeGreaterThanOrEqual(13 + 49);
    expect(first.seen).toHaveLength(6);
    expect(held).toHaveLength(1);
    for (const answer of held) answer();
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));

    first.respond = respondJson(ANSWER);
    await send(gateway);
    expect(attemptsOf(gateway).at(-1)).toBe("1 pky_a succeeded 200");
  });

  it("and is the only one is left alone too: one of 50 calls is sent, the others are told when to try again", async () => {
    const only = await provider(respondJson(SERVER_ERROR, 500));
    const { gateway, clock } = await gatewayTo([way(only, "a")]);
    for (let i = 0; i < 5; i += 1) expect((await send(gateway)).status).toBe(500);
    const refused = await send(gateway);
    expect(refused.status).toBe(503);
    expect(refused.headers).toMatchObject({ "retry-after": "1", "x-should-retry": "true" });
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: "no_healthy_provider" } });

    clock.nowMs += 1_000;
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(gateway)));
    expect(only.seen).toHaveLength(6);
    expect(answers.filter(({ status }) => status === 500)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(49);
  });

  it("and is sooner back than an account that named a time says how long itself", async () => {
    const failing = await provider(respondJson(SERVER_ERROR, 500));
    const resting = await provider(respondJson(RATE_ERROR, 429, { "retry-after": "60" }));
    const { gateway } = await gatewayTo([way(failing, "a"), way(resting, "b")]);
    for (let i = 0; i < 5; i += 1) await send(gateway);
    const refused = await send(gateway);
    expect(refused.status).toBe(503);
    expect(refused.headers["retry-after-ms"]).toBe("1000");
  });

  it("is left alone as well when no connection to it can be made", async () => {
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(await closedPort(), "a"), way(second, "b")]);
    for (let i = 0; i < 7; i += 1) expect((await send(gateway)).status).toBe(200);
    expect(gateway.events).toHaveLength(12);
  });

  it("does not count a client's own mistakes", async () => {
    const only = await provider(respondJson(SERVER_ERROR, 400));
    const { gateway } = await gatewayTo([way(only, "a")]);
    for (let i = 0; i < 10; i += 1) expect((await send(gateway)).status).toBe(400);
    expect(only.seen).toHaveLength(10);
  });

  it("is tried on and on where the settings say so", async () => {
    const only = await provider(respondJson(SERVER_ERROR, 500));
    const { gateway } = await gatewayTo([way(only, "a")], { circuit: { consecutiveFailures: 0 } });
    for (let i = 0; i < 30; i += 1) expect((await send(gateway)).status).toBe(500);
  });
});
