import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { beginSlowCall } from "../../test/support/slow-call.ts";
import { respondJson } from "../../test/support/upstream.ts";
import { createIpRanges } from "../core/network/ip-ranges.ts";

const { start } = dataPlaneFixture();

async function errorOf(res: Awaited<ReturnType<typeof post>>) {
  const body = (await res.body.json()) as { error: { code: string; message: string } };
  return { status: res.statusCode, ...body.error };
}

const OVER = { supersededAtMs: 999, validUntilMs: 999, reason: "replaced" } as const;

describe("a gateway key", () => {
  it("is accepted until the very millisecond at which it expires", async () => {
    const clock = { nowMs: 999 };
    const { gateway } = await start(respondJson(ANSWER), {
      keyEntry: { expiresAtMs: 1000 },
      nowMs: () => clock.nowMs,
    });
    expect((await post(gateway, CHAT)).statusCode).toBe(200);
    clock.nowMs = 1000;
    expect(await errorOf(await post(gateway, CHAT))).toMatchObject({
      status: 401,
      code: "invalid_api_key",
    });
  });

  it.each([
    ["expired", { expiresAtMs: 1000 }, "invalid_api_key"],
    [
      "limited to other addresses",
      { restrictions: { allowedIps: createIpRanges(["192.0.2.0/24"]), allowedEndpoints: null } },
      "ip_not_allowed",
    ],
    ["limited to other models", { allowedModels: new Set(["other"]) }, "model_not_allowed"],
    ["revoked", { revokedAtMs: 999 }, "invalid_api_key"],
    ["rotated without an overlap", { superseded: OVER }, "api_key_rotated"],
  ])("that was %s while the call's body came slowly is refused", async (_, change, code) => {
    const clock = { nowMs: 999, monotonicMs: 0 };
    const { gateway, upstream } = await start(respondJson(ANSWER), {
      nowMs: () => clock.nowMs,
      monotonicMs: () => clock.monotonicMs,
    });
    const call = await beginSlowCall(gateway);
    gateway.changes.key = change;
    await gateway.refresh();
    clock.nowMs = 1000;
    clock.monotonicMs = 1000;
    expect(await call.finish()).toBe(code);
    expect(upstream.seen).toEqual([]);
  });

  it("is accepted with its old secret until the overlap ends, and then told that it was rotated", async () => {
    const clock = { nowMs: Date.UTC(2026, 0, 31, 9) };
    const validUntilMs = clock.nowMs + 60_000;
    const superseded = { supersededAtMs: clock.nowMs, validUntilMs, reason: "replaced" } as const;
    const { gateway, upstream } = await start(respondJson(ANSWER), {
      keyEntry: { superseded },
      nowMs: () => clock.nowMs,
    });
    expect((await post(gateway, CHAT)).statusCode).toBe(200);
    expect(gateway.events).toMatchObject([{ gatewayKeyId: "key_test" }]);
    clock.nowMs = validUntilMs;
    const refused = await errorOf(await post(gateway, CHAT));
    expect(refused).toMatchObject({ status: 401, code: "api_key_rotated" });
    expect(refused.message).toContain("rotated at 2026-01-31T09:00Z");
    expect(refused.message).toContain("accepted until 2026-01-31T09:01Z");
    expect(upstream.seen).toHaveLength(1);
  });

  it("is told that its rotation was taken back", async () => {
    const superseded = { supersededAtMs: 0, validUntilMs: 0, reason: "withdrawn" } as const;
    const { gateway } = await start(respondJson(ANSWER), { keyEntry: { superseded } });
    const refused = await errorOf(await post(gateway, CHAT));
    expect(refused).toMatchObject({ status: 401, code: "api_key_rotated" });
    expect(refused.message).toContain("taken back");
  });

  it("that was rotated and then revoked gets the answer of every unknown key", async () => {
    const superseded = { supersededAtMs: 0, validUntilMs: 0, reason: "replaced" } as const;
    const keyEntry = { superseded, revokedAtMs: 1 };
    const { gateway } = await start(respondJson(ANSWER), { keyEntry });
    expect(await errorOf(await post(gateway, CHAT))).toMatchObject({ code: "invalid_api_key" });
  });
});
