import { expect, it } from "vitest";
import { counted } from "./counted.ts";

it("gives a number the noun that fits it", () => {
  expect([0, 1, 2, 12_345].map((count) => counted(count, "call"))).toEqual([
    "0 calls",
    "1 call",
    "2 calls",
    "12,345 calls",
  ]);
  expect(counted(2, "entry", "entries")).toBe("2 entries");
});
