import { describe, expect, it } from "vitest";
import { mayThinkUnseen } from "./unseen-thinking.ts";

describe("mayThinkUnseen", () => {
  it.each([
    "o1",
    "o3-mini",
    "openai/o4-mini-2025-04-16",
    "gpt-5",
    "GPT-5-mini",
    "gpt-5.1",
    "codex-mini-latest",
    "gemini-2.5-flash",
    "google/gemini-3-pro",
    "grok-4",
    "ft:o4-mini-2025-04-16:acme::x",
  ])("says so of %s", (model) => {
    expect(mayThinkUnseen(model, {})).toBe(true);
  });
  it.each([
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4.1",
    "gpt-5-chat-latest",
    "gpt-5.1-chat-latest",
    "gpt-3.5-turbo",
    "o-model",
    "gemini-2.0-flash",
    "claude-sonnet-4-6",
    null,
  ])("says of %s that it shows what it does", (model) => {
    expect(mayThinkUnseen(model, {})).toBe(false);
  });
  it("believes a request that asks for thought", () => {
    expect(mayThinkUnseen("local", { reasoning_effort: "low" })).toBe(true);
    expect(mayThinkUnseen("local", { reasoning: { effort: "high" } })).toBe(true);
    expect(mayThinkUnseen("local", { reasoning_effort: "none" })).toBe(false);
    expect(mayThinkUnseen("local", { reasoning: { summary: "auto" } })).toBe(false);
    expect(mayThinkUnseen("local", { reasoning: { max_tokens: 2000 } })).toBe(true);
    expect(mayThinkUnseen("claude-opus-4-6", { thinking: { type: "adaptive" } })).toBe(true);
    expect(mayThinkUnseen("claude-opus-4-6", { thinking: { type: "disabled" } })).toBe(false);
  });
  it("takes a request that nobody can read for one that may", () => {
    expect(mayThinkUnseen("gpt-4o", undefined)).toBe(true);
  });
});
