import * as fc from "fast-check";
import { expect, test } from "vitest";
import { countTokens, splitTokens } from "./text-tokens.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.constantFrom("a", "bc", " ", "\n", "\t ", "é", "𝒳", "\u00a0")).map((p) => p.join("")),
);

test("the tokens of a text, joined, are the text, and there are as many as are counted", () => {
  fc.assert(
    fc.property(text, (value) => {
      const tokens = splitTokens(value);
      expect(tokens.join("")).toBe(value);
      expect(countTokens(value)).toBe(tokens.length);
    }),
  );
});

test("a token is a word with the white space before it", () => {
  expect(splitTokens("  one two\nthree. ")).toEqual(["  one", " two", "\nthree.", " "]);
  expect(splitTokens("")).toEqual([]);
});
