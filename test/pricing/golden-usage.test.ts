/**
 * Answers as providers give them, through the readers and the shipped price book to the pico-dollar. Each cost is
 * worked out by hand from the provider's published prices (USD per million tokens, unless it says otherwise) in the
 * comment above it; null is a call without a price or without a usable usage, never 0.
 */
import { describe, expect, it } from "vitest";
import { formatUsd } from "../../src/core/money/picos.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import { findOperation } from "../../src/wire/find-operation.ts";
import { MESSAGES } from "./goldens/anthropic-calls.ts";
import { FREE, IMAGES, RECORDINGS, SPEECH, TIERS, TOOLS } from "./goldens/endpoint-calls.ts";
import type { Golden } from "./goldens/golden.ts";
import {
  CACHED,
  DATED,
  LONG_CONTEXT,
  ORDINARY,
  REASONING_AND_AUDIO,
  WITHOUT_A_PRICE,
} from "./goldens/token-calls.ts";

const GROUPS = [
  ["ordinary calls", ORDINARY],
  ["cached input", CACHED],
  ["reasoning and audio", REASONING_AND_AUDIO],
  ["dated prices", DATED],
  ["long context", LONG_CONTEXT],
  ["service tiers", TIERS],
  ["recordings", RECORDINGS],
  ["speech", SPEECH],
  ["pictures", IMAGES],
  ["tools", TOOLS],
  ["Anthropic's messages", MESSAGES],
  ["what is free", FREE],
  ["what has no price", WITHOUT_A_PRICE],
] as const;

const book = createPriceBook(BUILT_IN_PRICE_LIST);

describe.each(GROUPS)("%s", (_, goldens) => {
  it.each(goldens)("$name: $costUsd", (golden) => {
    expect(costOf(golden)).toBe(golden.costUsd);
  });
});

it("there are at least sixty, and no two of one name", () => {
  const names = GROUPS.flatMap(([, goldens]) => goldens.map(({ name }) => name));
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});

function costOf(golden: Golden): string | null {
  const {
    endpoint = "chat/completions",
    provider = "openai",
    at = "2026-09-15T12:00:00Z",
  } = golden;
  const operation = findOperation("POST", `/v1/${endpoint}`);
  if (!operation.charges) return "0";
  const read = operation.readResponse(
    golden.answer ?? {
      id: "x",
      model: golden.model,
      service_tier: golden.tier,
      usage: golden.usage,
    },
  );
  const request = { model: golden.model, ...golden.request };
  const facts = operation.completeFacts?.(read, request) ?? read;
  const { quantities, serviceTier, servedModel } = facts;
  if (quantities === null || facts.unpricedCharge !== null) return null;
  const { costPicos } = book.rate({
    provider,
    model: servedModel ?? golden.model,
    serviceTier,
    variant: facts.priceVariant,
    atMs: Date.parse(at),
    quantities,
  });
  return costPicos === null ? null : formatUsd(costPicos);
}
