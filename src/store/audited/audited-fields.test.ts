import { expect, it } from "vitest";
import { auditedDifference, auditedText } from "./audited-fields.ts";

it("writes amounts as USD, instants as ISO 8601, and no bytes", () => {
  const record = {
    id: "bud_1",
    limitPicos: 1_500_000_000_000n,
    ceilingPicos: null,
    createdAtMs: Date.UTC(2026, 0, 31),
    revokedAtMs: null,
    sealed: { nonce: new Uint8Array(3), dataKeyId: "dek_1" },
    increases: [{ amountPicos: 1n, untilMs: Date.UTC(2026, 1, 1) }],
    models: ["a", "b"],
    weight: 1,
  };
  expect(JSON.parse(auditedText(record))).toEqual({
    id: "bud_1",
    limitUsd: "1.5",
    ceilingUsd: null,
    createdAt: "2026-01-31T00:00:00.000Z",
    revokedAt: null,
    sealed: { dataKeyId: "dek_1" },
    increases: [{ amountUsd: "0.000000000001", until: "2026-02-01T00:00:00.000Z" }],
    models: ["a", "b"],
    weight: 1,
  });
});

it("tells what differs, and nothing else", () => {
  const before = { id: "k", name: "a", revokedAtMs: null };
  expect(auditedDifference(before, { ...before, revokedAtMs: 0 })).toEqual({
    before: `{"revokedAt":null}`,
    after: `{"revokedAt":"1970-01-01T00:00:00.000Z"}`,
  });
  expect(auditedDifference(before, { ...before })).toBeUndefined();
});
