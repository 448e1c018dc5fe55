import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import type { GatewayKeyId } from "../core/ids/ids.ts";
import { hashGatewayKey } from "../core/keys/gateway-key.ts";
import { KEYS_PER_TRANSACTION, revokeMatching } from "./revoke-matching.ts";

describe("a revocation of more keys than fit in one transaction", () => {
  const admin = adminUnderTest();
  const COUNT = 2 * KEYS_PER_TRANSACTION + 1;
  const FILTER = { namePrefix: "bulk-" };
  const ACT = {
    actor: { kind: "system", id: "test", name: "test" },
    address: null,
    requestId: "r",
  };

  async function insertKeys(): Promise<GatewayKeyId> {
    const make = async (name: string) => {
      const { body } = await admin.post("/keys", { environment: "production", name });
      return (body as { id: GatewayKeyId }).id;
    };
    const [one, other] = [await make("bulk-0"), await make("other")];
    const record = await admin.store.gatewayKeys.findById(one);
    if (record === undefined) throw new Error("unreachable");
    await admin.store.transaction(async ({ gatewayKeys }) => {
      for (let n = 1; n < COUNT; n += 1) {
        const hash = hashGatewayKey(`bulk-${n}`);
        await gatewayKeys.insert({ ...record, id: admin.deps.ids.create("key"), hash });
      }
    });
    return other;
  }
  const revoke = (maxMs: number) =>
    admin.deps.store.as(ACT as never, () => revokeMatching(admin.deps, FILTER, maxMs));
  const left = async () =>
    (await admin.store.gatewayKeys.list({ limit: 1000 }, { ...FILTER, isUnrevoked: true })).rows
      .length;

  it("lets another one through before it has come to its end, and leaves none; each is written down once", async () => {
    const other = await insertKeys();
    const bulk = revoke(60_000);
    const single = await admin.post(`/keys/${other}/revoke`);
    expect(single.status).toBe(200);
    expect(await left()).toBeGreaterThan(0);
    expect(await bulk).toMatchObject({ count: COUNT, isComplete: true });
    expect(await left()).toBe(0);
    const { rows } = await admin.store.audit.list({ limit: 1000 }, {});
    const revoked = rows.filter(({ action }) => action === "gatewayKey.revoked");
    expect(new Set(revoked.map(({ target }) => target.id)).size).toBe(COUNT + 1);
    expect(revoked).toHaveLength(COUNT + 1);
  });

  it("says when its time is over that keys are left, and the next one goes on", async () => {
    await insertKeys();
    expect(await revoke(0)).toMatchObject({ count: KEYS_PER_TRANSACTION, isComplete: false });
    expect(await left()).toBe(COUNT - KEYS_PER_TRANSACTION);
    const answer = await admin.post("/keys/revoke", FILTER);
    expect(answer.body).toMatchObject({ count: COUNT - KEYS_PER_TRANSACTION, isComplete: true });
    expect(await left()).toBe(0);
  });
});
