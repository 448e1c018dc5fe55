import { assert, nat, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { type Picos, picos } from "../money/picos.ts";
import { grantOf } from "./grant.ts";

function grant(
  [limit, spent, leased]: readonly [number, number, number],
  [least, need, extra]: readonly [number, number, number],
): number {
  const granted = grantOf(
    { limitPicos: toPicos(limit), spentPicos: toPicos(spent), leasedPicos: toPicos(leased) },
    { leastPicos: toPicos(least), needPicos: toPicos(need), extraPicos: toPicos(extra) },
  );
  return Number(granted);
}

function toPicos(amount: number): Picos {
  return picos(BigInt(amount));
}

describe("grantOf", () => {
  it("gives what is needed, and on top as much as is asked for while there is plenty", () => {
    expect(grant([10_000, 0, 0], [10, 100, 50])).toBe(150);
    expect(grant([10_000, 0, 0], [10, 100, 5000])).toBe(100 + 618);
  });

  it("gives nothing on top when that would be less than a call", () => {
    expect(grant([1000, 500, 260], [100, 200, 5000])).toBe(200);
  });

  it("gives the rest when that is less than is needed, and nothing when it serves no call", () => {
    expect(grant([1000, 500, 260], [100, 300, 0])).toBe(240);
    expect(grant([1000, 500, 401], [100, 300, 0])).toBe(0);
    expect(grant([1000, 1200, 0], [1, 300, 0])).toBe(0);
    expect(grant([1000, 1000, 0], [0, 0, 10])).toBe(0);
  });

  it("never gives more than is free", () => {
    const amount = nat(100_000);
    assert(
      property(tuple(amount, amount, amount), tuple(amount, amount, amount), (of, by) => {
        const given = grant(of, by);
        expect(given).toBeGreaterThanOrEqual(0);
        expect(given).toBeLessThanOrEqual(Math.max(0, of[0] - of[1] - of[2]));
        // What a process gets and cannot use, another one lacks.
        if (given > 0) expect(given).toBeGreaterThanOrEqual(Math.min(by[0], by[1]));
      }),
    );
  });
});
