import { expect, test } from "vitest";
import {
  QUANTITY_CLASSES,
  TOKEN_CLASSES,
  UNIT_CLASSES,
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
  usedClasses,
} from "./quantities.ts";

test("a token of any class is in exactly one of the two totals, and no other unit is in either", () => {
  for (const name of TOKEN_CLASSES) {
    const isInput = name.endsWith("Input") || name === "input";
    expect([totalInputTokens({ [name]: 7 }), totalOutputTokens({ [name]: 7 })]).toEqual(
      isInput ? [7, 0] : [0, 7],
    );
    const isCached = name.startsWith("cached");
    expect(totalCachedInputTokens({ [name]: 7 })).toBe(isCached ? 7 : 0);
  }
  for (const name of UNIT_CLASSES) {
    expect(totalInputTokens({ [name]: 7 }) + totalOutputTokens({ [name]: 7 })).toBe(0);
  }
});

test("the totals are of all their classes together", () => {
  const one = Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, 1]));
  const total = totalInputTokens(one) + totalOutputTokens(one);
  expect(total).toBe(TOKEN_CLASSES.length);
});

test("a class of which there is nothing is not used", () => {
  expect(usedClasses({ output: 2, input: 0, webSearches: 1 })).toEqual(["output", "webSearches"]);
  expect(usedClasses({})).toEqual([]);
});
