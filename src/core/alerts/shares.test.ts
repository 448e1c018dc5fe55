import { describe, expect, it } from "vitest";
import { percentOf, reachesShare } from "./shares.ts";

describe("shares", () => {
  it("are reached from the whole percent on, with calls enough", () => {
    const rule = { percent: 20, minimum: 20 };
    expect(reachesShare({ count: 4, total: 20 }, rule)).toBe(true);
    expect(reachesShare({ count: 3, total: 19 }, rule)).toBe(false);
    expect(reachesShare({ count: 4, total: 21 }, rule)).toBe(false);
    expect(reachesShare({ count: 0, total: 100 }, { percent: 0, minimum: 0 })).toBe(false);
    expect(percentOf(2, 3)).toBe(66);
    expect(percentOf(0, 0)).toBe(0);
  });
});
