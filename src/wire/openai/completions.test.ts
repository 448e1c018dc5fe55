import { describe, expect, it } from "vitest";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { NO_FACTS } from "./operation.ts";

describe("completions", () => {
  it("reads the usage of an answer and of a stream's last chunk", () => {
    const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };
    const body = { id: "cmpl-1", model: "gpt-3.5-turbo-instruct", choices: [], usage };
    expect(completions.readResponse(body).quantities).toEqual({ input: 5, output: 7 });
    expect(completions.readStreamEvent(body).quantities).toEqual({ input: 5, output: 7 });
    expect(completions.isUsageOnlyEvent(body)).toBe(true);
    expect(completions.isUsageOnlyEvent({ ...body, choices: [{ text: "a" }] })).toBe(false);
  });

  it.each([
    ["a text", "Once", ["Once"], 0],
    ["a list of texts", ["Once", "Twice", ""], ["Once", "Twice"], 0],
    ["token ids", [1, 2, 3], [], 3],
    ["lists of token ids", [[1, 2], [3]], [], 3],
    ["nothing", undefined, [], 0],
  ])("counts a prompt that is %s", (_, prompt, texts, framingTokens) => {
    expect(completions.promptText({ prompt })).toEqual({ texts, framingTokens });
  });

  it("counts the suffix with the prompt", () => {
    expect(completions.promptText({ prompt: "Once", suffix: "the end" }).texts).toEqual([
      "Once",
      "the end",
    ]);
  });

  it("takes the text of every choice, of an answer and of a chunk", () => {
    const body = { choices: [{ text: "a" }, { text: "b" }, { text: "" }, null] };
    expect(completions.answerText(body).texts).toEqual(["a", "b"]);
    expect(completions.deliveredText(body)).toEqual(["a", "b"]);
  });
});

describe("embeddings", () => {
  it("reads the usage, which has no output", () => {
    const body = {
      object: "list",
      model: "text-embedding-3-small",
      data: [],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    };
    expect(embeddings.readResponse(body)).toEqual({
      ...NO_FACTS,
      responseId: null,
      servedModel: "text-embedding-3-small",
      serviceTier: null,
      quantities: { input: 8 },
    });
  });

  it("counts the input, and no answer", () => {
    expect(embeddings.promptText({ input: ["a", [1, 2]] })).toEqual({
      texts: ["a"],
      framingTokens: 2,
    });
    expect(embeddings.answerText({ data: [{ embedding: "AAAA" }] }).texts).toEqual([]);
  });
});
