import { describe, expect, it } from "vitest";
import { QUANTITY_CLASSES, type Quantities } from "../core/usage/quantities.ts";
import { formatClass, formatInput, formatOutput, formatTools } from "./format-quantities.ts";

function consumed(quantities: Quantities, tokens: { input?: number; output?: number } = {}) {
  return { inputTokens: tokens.input ?? 0, outputTokens: tokens.output ?? 0, quantities };
}

describe("what a call consumed, in a table", () => {
  it("is tokens, wherever there are any", () => {
    const call = consumed({ input: 1200, output: 3400, images: 1 }, { input: 1200, output: 3400 });
    expect([formatInput(call), formatOutput(call)]).toEqual(["1,200", "3,400"]);
  });

  it("is recorded time, characters and pictures where the provider charges those, and not 0", () => {
    expect(formatInput(consumed({ audioInputMs: 7000 }))).toBe("7 s");
    expect(formatInput(consumed({ audioInputMs: 61_250 }))).toBe("61.25 s");
    expect(formatInput(consumed({ inputCharacters: 4096 }))).toBe("4,096 chars");
    expect(formatOutput(consumed({ images: 1 }))).toBe("1 image");
    expect(formatOutput(consumed({ images: 3 }))).toBe("3 images");
  });

  it("is 0 where nothing was consumed", () => {
    expect([formatInput(consumed({})), formatOutput(consumed({}))]).toEqual(["0", "0"]);
    expect(formatTools(consumed({ input: 5 }))).toBe("–");
  });

  it("names the calls of the provider's tools", () => {
    const call = consumed({ webSearches: 2, codeSessions: 1 });
    expect(formatTools(call)).toBe("2 web searches, 1 code session");
  });
});

it("has plain words for every class", () => {
  expect(QUANTITY_CLASSES.map(formatClass)).toEqual([
    "input",
    "cached input",
    "cache write input",
    "cache write 1h input",
    "audio input",
    "cached audio input",
    "image input",
    "cached image input",
    "output",
    "reasoning output",
    "audio output",
    "image output",
    "ms of audio",
    "characters",
    "images",
    "web searches",
    "file searches",
    "code sessions",
  ]);
});
