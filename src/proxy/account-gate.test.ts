/** A provider account's own limits as clients meet them: through the real data plane, with a real provider behind it. */
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT } from "../../test/support/chat.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson, type Respond } from "../../test/support/upstream.ts";
import { attemptsOf, send, way, waysFixture } from "../../test/support/ways.ts";
import { AccountGate, type AccountGateOptions } from "./account-gate.ts";

const { provider, gatewayTo } = waysFixture();
/** The gate goes by time that passes. */
const monotonicMs = (): number => performance.now();

function gated(change: Partial<AccountGateOptions> = {}) {
  const log = { warn: () => undefined };
  const options = { maxWaitMs: 5_000, maxCalls: 100, monotonicMs, nowMs: Date.now, log, ...change };
  return { monotonicMs, accountGate: new AccountGate(options) };
}

/** A provider that counts in windows and refuses what is too much, as many do. */
function windowed(limit: number, windowMs: number) {
  let endsAtMs = 0;
  let used = 0;
  const state = { refused: 0, most: 0 };
  const respond: Respond = (req, res, seen) => {
    const nowMs = performance.now();
    if (nowMs >= endsAtMs) {
      endsAtMs = nowMs + windowMs;
      used = 0;
    }
    const isRefused = used >= limit;
    if (isRefused) state.refused += 1;
    else used += 1;
    state.most = Math.max(state.most, used);
    const headers = {
      "x-ratelimit-limit-requests": String(limit),
      "x-ratelimit-remaining-requests": String(limit - used),
      "x-ratelimit-reset-requests": `${Math.ceil(endsAtMs - nowMs)}ms`,
    };
    if (isRefused) respondJson({ error: { message: "slow down" } }, 429, headers)(req, res, seen);
    else setTimeout(() => respondJson(ANSWER, 200, headers)(req, res, seen), 5);
  };
  return { respond, state };
}

const told = (remaining: number, reset: string) => ({
  "x-ratelimit-limit-requests": "100",
  "x-ratelimit-remaining-requests": String(remaining),
  "x-ratelimit-reset-requests": reset,
});

describe("calls to an account near its limit", () => {
  it("are held back before the provider would refuse them, and go on after the reset", async () => {
    const { respond, state } = windowed(20, 700);
    const upstream = await provider(respond);
    const options = gated();
    const { gateway } = await gatewayTo([way(upstream, "a")], options);
    const burst = Array.from({ length: 50 }, () => send(gateway));
    const statuses = (await Promise.all(burst)).map(({ status }) => status);
    expect(statuses).toEqual(statuses.map(() => 200));
    expect(state).toEqual({ refused: 0, most: 16 });
    expect(gateway.events).toHaveLength(50);
  });

  it("are refused at once, and not sent, where the reset is further away than a call may wait", async () => {
    const upstream = await provider(respondJson(ANSWER, 200, told(10, "50s")));
    const options = gated();
    const { gateway } = await gatewayTo([way(upstream, "a")], options);
    expect((await send(gateway)).status).toBe(200);
    const { status, headers, body } = await send(gateway);
    expect([status, JSON.parse(body)]).toMatchObject([
      429,
      { error: { code: "provider_rate_limited" } },
    ]);
    expect(Number(headers["retry-after-ms"])).toBeGreaterThan(48_000);
    expect(headers["x-should-retry"]).toBe("true");
    expect([upstream.seen.length, gateway.intents.length]).toEqual([1, 1]);
    // Another model has limits of its own.
    expect((await send(gateway, { ...CHAT, model: "gpt-4o" })).status).toBe(200);
  });

  it("of production have what the others leave", async () => {
    const upstream = await provider(respondJson(ANSWER, 200, told(1, "50s")));
    const keyEntry = { environmentKind: "production" } as const;
    const options = { ...gated(), keyEntry };
    const { gateway } = await gatewayTo([way(upstream, "a")], options);
    expect((await send(gateway)).status).toBe(200);
    expect((await send(gateway)).status).toBe(200);
    upstream.respond = respondJson(ANSWER, 200, told(0, "50s"));
    expect((await send(gateway)).status).toBe(200);
    expect((await send(gateway)).status).toBe(429);
  });

  it("go to another account at once where that one has room", async () => {
    const first = await provider(respondJson(ANSWER, 200, told(0, "4s")));
    const second = await provider(respondJson(ANSWER));
    const options = gated();
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")], options);
    for (let i = 0; i < 3; i += 1) expect((await send(gateway)).status).toBe(200);
    expect(attemptsOf(gateway)).toEqual([
      "1 pky_a succeeded 200",
      "1 pky_b succeeded 200",
      "1 pky_b succeeded 200",
    ]);
  });

  it("give their place up when their client leaves", async () => {
    const upstream = await provider(respondJson(ANSWER, 200, told(0, "1500ms")));
    const options = gated({ maxCalls: 1 });
    const { gateway } = await gatewayTo([way(upstream, "a")], options);
    expect((await send(gateway)).status).toBe(200);
    const left = new AbortController();
    const leaving = request(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
      body: JSON.stringify(CHAT),
      signal: left.signal,
    });
    leaving.catch(() => undefined);
    await until("it waits", () => gateway.gateway.inFlightCalls() === 1);
    const crowded = await send(gateway);
    expect([crowded.status, crowded.body]).toEqual([429, expect.stringMatching(/too many calls/)]);
    left.abort();
    await until("it has left", () => gateway.gateway.inFlightCalls() === 0);
    const next = await send(gateway);
    expect(next.status).toBe(200);
    expect(upstream.seen).toHaveLength(2);
    expect(gateway.events).toHaveLength(2);
  });

  it("wait for an account that has asked for a little time", async () => {
    const upstream = await provider(
      respondJson({ error: { message: "slow down" } }, 429, { "retry-after-ms": "400" }),
    );
    const options = gated();
    const { gateway } = await gatewayTo([way(upstream, "a")], options);
    expect((await send(gateway)).status).toBe(429);
    upstream.respond = respondJson(ANSWER);
    const startedAtMs = performance.now();
    expect((await send(gateway)).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeGreaterThan(300);
  });

  it("are not sent with a key that was revoked while they waited", async () => {
    const upstream = await provider(respondJson(ANSWER, 200, told(0, "600ms")));
    let ways = [way(upstream, "a")];
    const options = gated();
    const { gateway } = await gatewayTo(() => ways, options);
    expect((await send(gateway)).status).toBe(200);
    const waiting = send(gateway);
    await until("it waits", () => gateway.gateway.inFlightCalls() === 1);
    ways = [way(upstream, "b")];
    await gateway.refresh();
    const { status, body } = await waiting;
    expect([status, body]).toEqual([429, expect.stringMatching(/revoked meanwhile/)]);
    expect(upstream.seen).toHaveLength(1);
  });
});

describe("a development burst on an account that production shares", () => {
  it("costs production no refusal, and a customer with one call little beside one with many", async ({
    annotate,
  }) => {
    const { respond, state } = windowed(40, 1_000);
    const upstream = await provider(respond);
    const shared = gated({ maxCalls: 1_000, maxWaitMs: 60_000 });
    const { gateway: development } = await gatewayTo([way(upstream, "dev")], shared);
    const { gateway: production } = await gatewayTo(
      [way(upstream, "live", { accountId: way(upstream, "dev").accountId })],
      { ...shared, keyEntry: { environmentKind: "production" } },
    );
    const ends: string[] = [];
    const call = async (user: string) => {
      const { status } = await send(development, { ...CHAT, user });
      ends.push(`${user} ${status}`);
    };
    const burst = Array.from({ length: 100 }, () => call("burst"));
    await until("the burst waits", () => upstream.seen.length >= 20);
    const small = [call("small"), call("small")];
    const waits: number[] = [];
    const live: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      const startedAtMs = performance.now();
      live.push((await send(production)).status);
      waits.push(performance.now() - startedAtMs);
    }
    await Promise.all([...burst, ...small]);
    expect(live).toEqual(live.map(() => 200));
    expect(state.refused).toBe(0);
    expect(new Set(ends)).toEqual(new Set(["burst 200", "small 200"]));
    // It came behind some 60 of the burst's, and left before nearly all of them.
    expect(ends.lastIndexOf("small 200")).toBeLessThan(70);
    const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0;
    await annotate(`production: p99 ${p99.toFixed(1)} ms of ${waits.length} calls`);
  });
});
