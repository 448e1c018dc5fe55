import { describe, expect, it } from "vitest";
import { NameMemo } from "./name-memo.ts";

describe("NameMemo", () => {
  it("finds what was found for the same name at the same provider", () => {
    const memo = new NameMemo<number>(10);
    memo.set("openai", "gpt-4o", 1);
    memo.set("azure", "gpt-4o", 2);
    memo.set("openai", "gpt-4o", 3);
    expect([memo.get("openai", "gpt-4o"), memo.get("azure", "gpt-4o")]).toEqual([3, 2]);
    expect([memo.get("openai", "o1"), memo.get("groq", "gpt-4o")]).toEqual([undefined, undefined]);
    memo.clear();
    expect(memo.get("openai", "gpt-4o")).toBeUndefined();
  });

  it("keeps a name that is asked for again and again, however many others come between", () => {
    const memo = new NameMemo<number>(10);
    memo.set("openai", "gpt-4o", 1);
    for (let i = 0; i < 1000; i += 1) {
      memo.set(`provider ${i % 3}`, `made up ${i}`, i);
      expect(memo.get("openai", "gpt-4o")).toBe(1);
    }
  });

  it("forgets names that nobody asks for", () => {
    const memo = new NameMemo<number>(10);
    const names = Array.from({ length: 1000 }, (_, i) => `made up ${i}`);
    for (const [index, name] of names.entries()) memo.set("openai", name, index);
    const kept = names.filter((name) => memo.get("openai", name) !== undefined);
    expect(kept.length).toBeLessThanOrEqual(20);
    expect(kept).toContain("made up 999");
  });
});
