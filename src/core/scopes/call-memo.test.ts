import { describe, expect, it } from "vitest";
import type { Id } from "../ids/ids.ts";
import { CallMemo } from "./call-memo.ts";
import type { ScopedCall } from "./scope.ts";

const CALL: ScopedCall = {
  projectId: "prj_1" as Id<"prj">,
  environmentId: "env_1" as Id<"env">,
  gatewayKeyId: "key_1" as Id<"key">,
  customer: "acme",
  feature: null,
  providerAccountId: "acc_1" as Id<"acc">,
};

describe("CallMemo", () => {
  it("finds what was found for a call that is the same in everything, and for no other one", () => {
    const memo = new CallMemo<string>();
    memo.set(CALL, "gpt-4o", "found");
    expect(memo.get({ ...CALL }, "gpt-4o")).toBe("found");
    expect(memo.get(CALL, null)).toBeUndefined();
    for (const field of Object.keys(CALL) as (keyof ScopedCall)[]) {
      const other = { ...CALL, [field]: "another" };
      expect(memo.get(other, "gpt-4o"), field).toBeUndefined();
      memo.set(other, "gpt-4o", field);
      expect(memo.get(other, "gpt-4o")).toBe(field);
      expect(memo.get(CALL, "gpt-4o")).toBe("found");
    }
  });

  it("has the last thing that was found", () => {
    const memo = new CallMemo<string>();
    memo.set(CALL, null, "before");
    memo.set(CALL, null, "after");
    expect(memo.get(CALL, null)).toBe("after");
  });

  it("forgets, and does not grow without end, when callers make up names", () => {
    const memo = new CallMemo<number>();
    const remembered = (calls: readonly [ScopedCall, string][]): number =>
      calls.filter(([call, model]) => memo.get(call, model) !== undefined).length;
    const models = Array.from({ length: 100 }, (_, i): [ScopedCall, string] => [CALL, `m${i}`]);
    for (const [index, [call, model]] of models.entries()) memo.set(call, model, index);
    expect(memo.get(CALL, "m99")).toBe(99);
    expect(remembered(models)).toBeLessThanOrEqual(16);
    const customers = Array.from({ length: 25_000 }, (_, i): [ScopedCall, string] => [
      { ...CALL, customer: `c${i}` },
      "m",
    ]);
    for (const [index, [call, model]] of customers.entries()) memo.set(call, model, index);
    expect(memo.get({ ...CALL, customer: "c24999" }, "m")).toBe(24_999);
    expect(remembered(customers)).toBeLessThanOrEqual(10_000);
  });
});
