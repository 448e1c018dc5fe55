import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { respondJson } from "../../test/support/upstream.ts";

const { start } = dataPlaneFixture();

async function errorOf(res: Awaited<ReturnType<typeof post>>) {
  const body = (await res.body.json()) as { error: { code: string; message: string } };
  return { status: res.statusCode, ...body.error };
}

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
