/** Calls in flight on a key that is refused from now on, and calls while nobody can know whether one is. */
import type { ServerResponse } from "node:http";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, onlyEvent, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import type { DataPlane } from "../../test/support/data-plane.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson, type Respond } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

const CHUNK = `data: ${JSON.stringify({ id: "c", model: "gpt-4o-mini", choices: [{ index: 0, delta: { content: "one two" } }] })}\n\n`;

/** A stream that has begun and does not end by itself. */
const endless: Respond = (_req, res) => {
  res.writeHead(200, { "content-type": "text/event-stream" });
  res.write(CHUNK);
};

async function openStream(gateway: DataPlane) {
  const answer = await post(gateway, { ...CHAT, stream: true });
  expect(answer.statusCode).toBe(200);
  const chunks = answer.body[Symbol.asyncIterator]();
  expect(String((await chunks.next()).value)).toBe(CHUNK);
  const rest = chunks.next().then(
    ({ value }) => String(value),
    () => "cut",
  );
  return { rest };
}

describe("a key that is revoked", () => {
  it("ends its streams, cut so that none passes for whole, charged for what was delivered", async () => {
    const { gateway, upstream } = await start(endless);
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(gateway)));
    gateway.changes.key = { revokedAtMs: 1 };
    await gateway.refresh();
    for (const { rest } of streams) expect(await rest).toBe("cut");
    await until("all are settled", () => gateway.events.length === 20);
    expect(new Set(gateway.events.map(({ status }) => status))).toEqual(new Set(["interrupted"]));
    expect(new Set(gateway.reports.ended.map(({ ending }) => ending))).toEqual(
      new Set(["revoked"]),
    );
    expect(gateway.events[0]).toMatchObject({ usageSource: "estimated" });
    await until("the provider is told", async () => (await upstream.connections()) === 0);
    expect(gateway.gateway.inFlightCalls()).toBe(0);
    expect((await post(gateway, CHAT)).statusCode).toBe(401);
  });

  it("ends a call that has no answer yet with the refusal that a new one would get, and no other attempt", async () => {
    const { gateway, upstream } = await start(() => undefined);
    const answer = post(gateway, CHAT);
    await until("the call is sent", () => upstream.seen.length === 1);
    gateway.changes.key = { revokedAtMs: 1 };
    await gateway.refresh();
    const { statusCode, body } = await answer;
    expect(statusCode).toBe(401);
    expect(await body.json()).toMatchObject({ error: { code: "invalid_api_key" } });
    expect(await onlyEvent(gateway)).toMatchObject({ status: "interrupted" });
    expect(upstream.seen).toHaveLength(1);
  });

  it("that was only changed leaves its calls alone", async () => {
    const open: ServerResponse[] = [];
    const { gateway } = await start((req, res, seen) => {
      open.push(res);
      endless(req, res, seen);
    });
    const { rest } = await openStream(gateway);
    gateway.changes.key = { allowedModels: new Set(["other"]) };
    await gateway.refresh();
    await gateway.refresh();
    for (const res of open) res.end("data: [DONE]\n\n");
    expect(await rest).toContain("[DONE]");
  });

  it("ends them when the store went away in between and came back", async () => {
    const { gateway } = await start(endless);
    const { rest } = await openStream(gateway);
    gateway.changes.key = { revokedAtMs: 1 };
    gateway.changes.isLookUpAway = true;
    await gateway.refresh();
    gateway.changes.isLookUpAway = false;
    expect(await rest).toBe("cut");
  });
});

describe("a process that can't see changes", () => {
  it("refuses calls past the bound, and takes them again when it has looked", async () => {
    const clock = { nowMs: 0 };
    const { gateway } = await start(respondJson(ANSWER), {
      maxStalenessMs: 1_000,
      monotonicMs: () => clock.nowMs,
    });
    const send = async () => {
      const { statusCode, body } = await request(`${gateway.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
        body: JSON.stringify(CHAT),
      });
      return { statusCode, text: await body.text() };
    };
    clock.nowMs = 1_000;
    expect((await send()).statusCode).toBe(200);
    clock.nowMs = 1_001;
    gateway.changes.isStoreAway = true;
    await expect(gateway.refresh()).rejects.toThrow("away");
    const refused = await send();
    expect(refused.statusCode).toBe(503);
    expect(refused.text).toContain("maxStalenessMs");
    gateway.changes.isStoreAway = false;
    await gateway.refresh();
    expect((await send()).statusCode).toBe(200);
  });
});
