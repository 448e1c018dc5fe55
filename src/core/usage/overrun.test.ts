import { expect, it } from "vitest";
import { overrunTokens } from "./overrun.ts";

const cut = { deliveredTokens: 80, streamMs: 1_000, maxOutputTokens: null };

it("goes on at the pace of the stream", () => {
  expect(overrunTokens(cut, 250)).toBe(20);
  expect(overrunTokens({ ...cut, streamMs: 3_000 }, 250)).toBe(7);
  expect(overrunTokens(cut, 0)).toBe(0);
});

it("is no more than what came before the cut, however short the stream was", () => {
  expect(overrunTokens({ ...cut, streamMs: 0 }, 250)).toBe(80);
  expect(overrunTokens({ ...cut, deliveredTokens: 0 }, 250)).toBe(0);
});

it("is no more than the request's limit leaves, of all its answers", () => {
  expect(overrunTokens({ ...cut, maxOutputTokens: 85 }, 250)).toBe(5);
  expect(overrunTokens({ ...cut, maxOutputTokens: 50 }, 250)).toBe(0);
});
