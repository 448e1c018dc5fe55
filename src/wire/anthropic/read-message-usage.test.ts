import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { mergeMessageQuantities, readMessageUsage, withoutZeros } from "./read-message-usage.ts";

const USAGE: Anthropic.Usage = {
  input_tokens: 100,
  output_tokens: 50,
  cache_read_input_tokens: 2000,
  cache_creation_input_tokens: 700,
  cache_creation: { ephemeral_5m_input_tokens: 300, ephemeral_1h_input_tokens: 400 },
  output_tokens_details: { thinking_tokens: 20 },
  server_tool_use: { web_search_requests: 3, web_fetch_requests: 9 },
  service_tier: "standard",
  inference_geo: "global",
  speed: "standard",
};

describe("readMessageUsage", () => {
  it("takes every class that Anthropic names, each token in one of them", () => {
    expect(readMessageUsage(USAGE)).toEqual({
      quantities: {
        input: 100,
        cachedInput: 2000,
        cacheWriteInput: 300,
        cacheWrite1hInput: 400,
        output: 30,
        reasoningOutput: 20,
        webSearches: 3,
      },
      serviceTier: "standard",
      unpricedCharge: null,
    });
  });

  it("takes writes whose age is not told as those of five minutes", () => {
    const { quantities } = readMessageUsage({ ...USAGE, cache_creation: null });
    expect(quantities).toMatchObject({ cacheWriteInput: 700 });
    expect(quantities).not.toHaveProperty("cacheWrite1hInput");
  });

  it("never makes more of a part than its total", () => {
    const odd = {
      ...USAGE,
      cache_creation: { ephemeral_1h_input_tokens: 9999 },
      output_tokens_details: { thinking_tokens: 9999 },
    };
    expect(readMessageUsage(odd).quantities).toMatchObject({
      cacheWriteInput: 0,
      cacheWrite1hInput: 700,
      output: 0,
      reasoningOutput: 50,
    });
  });

  it("adds a compaction, which the totals leave out, and not the message's own iterations", () => {
    const iteration = { input_tokens: 1000, output_tokens: 10, cache_read_input_tokens: 5 };
    const { quantities, unpricedCharge } = readMessageUsage({
      ...USAGE,
      iterations: [
        { type: "compaction", ...iteration },
        { type: "message", ...iteration },
      ],
    });
    expect(quantities).toMatchObject({ input: 1100, output: 40, cachedInput: 2005 });
    expect(unpricedCharge).toBeNull();
  });

  it.each(["advisor_message", "fallback_message", "something_new"])(
    "says that the tokens of an iteration of type %s are another model's",
    (type) => {
      const usage = { ...USAGE, iterations: [{ type, input_tokens: 5, output_tokens: 5 }] };
      expect(readMessageUsage(usage).unpricedCharge).toBe(`tokens of ${type}`);
    },
  );

  it.each([
    [{ service_tier: "priority" }, "priority"],
    [{ service_tier: "batch" }, "batch"],
    [{ inference_geo: "us" }, "us"],
    [{ speed: "fast" }, "fast"],
    [{ service_tier: "priority", speed: "fast", inference_geo: "us" }, "priority+fast+us"],
    [{ inference_geo: "not_available", speed: null }, "standard"],
    [{ service_tier: null }, null],
  ])("%j is tier %s, so that a surcharge is never priced as none", (fields, tier) => {
    expect(readMessageUsage({ ...USAGE, ...fields }).serviceTier).toBe(tier);
  });

  it.each([
    undefined,
    null,
    "12",
    [],
    {},
    { input_tokens: -1, output_tokens: 1 },
    { input_tokens: 1.5, output_tokens: 1 },
    { input_tokens: "1", output_tokens: 1 },
    { input_tokens: 1, output_tokens: 2 ** 53 },
    { input_tokens: 1, output_tokens: 1, cache_read_input_tokens: -5 },
  ])("finds nothing usable in %j", (usage) => {
    expect(readMessageUsage(usage).quantities).toBeNull();
  });

  it("takes an explicit zero as a report", () => {
    expect(readMessageUsage({ input_tokens: 0, output_tokens: 0 }).quantities).toEqual({
      input: 0,
      output: 0,
    });
  });
});

describe("mergeMessageQuantities", () => {
  const start = readMessageUsage({ ...USAGE, output_tokens: 1, output_tokens_details: null });
  const merge = (later: unknown) =>
    withoutZeros(
      mergeMessageQuantities(start.quantities ?? {}, readMessageUsage(later).quantities ?? {}),
    );

  it("keeps what the end of a stream leaves out", () => {
    expect(merge({ output_tokens: 77 })).toEqual({
      input: 100,
      cachedInput: 2000,
      cacheWriteInput: 300,
      cacheWrite1hInput: 400,
      output: 77,
      webSearches: 3,
    });
  });

  it("takes the sums at the end, and the age of the writes from the beginning", () => {
    const end: Anthropic.MessageDeltaUsage = {
      input_tokens: 150,
      output_tokens: 77,
      cache_read_input_tokens: 2500,
      cache_creation_input_tokens: 900,
      output_tokens_details: { thinking_tokens: 7 },
      server_tool_use: { web_search_requests: 4, web_fetch_requests: 0 },
    };
    expect(merge(end)).toEqual({
      input: 150,
      cachedInput: 2500,
      cacheWriteInput: 500,
      cacheWrite1hInput: 400,
      output: 70,
      reasoningOutput: 7,
      webSearches: 4,
    });
  });

  it("takes null for what was not reported again, not for nothing", () => {
    const end = {
      input_tokens: null,
      output_tokens: 77,
      cache_read_input_tokens: null,
      cache_creation_input_tokens: null,
      output_tokens_details: null,
      server_tool_use: null,
    };
    expect(merge(end)).toEqual(merge({ output_tokens: 77 }));
  });
});
