import { describe, expect, it } from "vitest";
import { matchesModel, parseModelPattern } from "./model-pattern.ts";

describe("a model pattern", () => {
  it.each([
    ["gpt-4o", "gpt-4o", true],
    ["gpt-4o", "gpt-4o-mini", false],
    ["gpt-4*", "gpt-4o-mini", true],
    ["gpt-4*", "gpt-4", true],
    ["gpt-4*", "gpt-3.5", false],
    ["gpt-4*", null, false],
    ["gpt-4o", null, false],
    ["*", "anything", true],
    ["*", null, true],
  ])("%s is for %s: %s", (pattern, model, isFor) => {
    const parsed = parseModelPattern(pattern);
    if (parsed === undefined) throw new Error("the fixture is a pattern");
    expect(matchesModel(parsed, model)).toBe(isFor);
  });

  it.each(["", "*mini", "gpt-*-mini", "**"])("%j is none", (pattern) => {
    expect(parseModelPattern(pattern)).toBeUndefined();
  });
});
