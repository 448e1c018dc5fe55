import { expect, it } from "vitest";
import { estimateTokens } from "./estimate-tokens.ts";

it("counts the body's bytes, and the output that the request allows for each answer", () => {
  const facts = { bodyBytes: 4001, maxOutputTokens: 50, choices: 3 };
  expect(estimateTokens(facts)).toBe(1001 + 150);
  expect(estimateTokens({ ...facts, maxOutputTokens: null, choices: 1 })).toBe(1001 + 1000);
  expect(estimateTokens({ bodyBytes: null, maxOutputTokens: 7, choices: 0 })).toBe(7);
});
