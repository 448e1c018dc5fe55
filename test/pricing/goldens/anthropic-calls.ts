/**
 * Anthropic's messages. Prices: platform.claude.com/docs/en/about-claude/pricing, USD for a million tokens; a cache read
 * is 0.1, a write for five minutes 1.25 and a write for an hour 2 times the input's price; a search is 0.01 USD.
 */
import type { JsonObject } from "../../../src/wire/openai/operation.ts";
import type { Golden } from "./golden.ts";

function call(name: string, model: string, usage: JsonObject, costUsd: string | null): Golden {
  return { name, endpoint: "messages", provider: "anthropic", model, usage, costUsd };
}

const tokens = (input: number, output: number): JsonObject => ({
  input_tokens: input,
  output_tokens: output,
});

export const MESSAGES: readonly Golden[] = [
  // 1000 x 3 + 500 x 15 = 3000 + 7500
  call("a plain message", "claude-sonnet-4-6", tokens(1000, 500), "0.0105"),
  // 100 x 1 + 10000 x 0.10 + 2000 x 1.25 + 50 x 5 = 100 + 1000 + 2500 + 250: reads and writes are not in input_tokens
  call(
    "cache reads and writes beside the input, charged once",
    "claude-haiku-4-5-20251001",
    {
      ...tokens(100, 50),
      cache_read_input_tokens: 10_000,
      cache_creation_input_tokens: 2000,
      cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 0 },
    },
    "0.00385",
  ),
  // 10 x 5 + 400 x 6.25 + 1000 x 10 + 10 x 25 = 50 + 2500 + 10000 + 250
  call(
    "writes for five minutes and for an hour, each at its price",
    "claude-opus-4-8",
    {
      ...tokens(10, 10),
      cache_creation_input_tokens: 1400,
      cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 1000 },
    },
    "0.0128",
  ),
  // 1000 x 6 + 200000 x 0.60 + 100 x 22.50 = 6000 + 120000 + 2250: what is read from a cache counts for the step
  call(
    "a long context that cache reads make long",
    "claude-sonnet-4-5-20250929",
    { ...tokens(1000, 100), cache_read_input_tokens: 200_000 },
    "0.12825",
  ),
  // 100 x 3 + 10 x 15 + 3 x 10000 = 300 + 150 + 30000; fetching a page is free
  call(
    "three searches and seven fetched pages",
    "claude-sonnet-4-6",
    {
      ...tokens(100, 10),
      server_tool_use: { web_search_requests: 3, web_fetch_requests: 7 },
    },
    "0.03045",
  ),
  // 10 x 5 + 300 x 25 = 50 + 7500: thinking is a part of the output
  call(
    "thinking inside the output, charged once",
    "claude-opus-4-8",
    { ...tokens(10, 300), output_tokens_details: { thinking_tokens: 200 } },
    "0.00755",
  ),
  // (1000 + 5000) x 3 + (100 + 500) x 15 = 18000 + 9000
  call(
    "a compaction, which the totals leave out",
    "claude-sonnet-4-6",
    {
      ...tokens(1000, 100),
      iterations: [
        { type: "compaction", ...tokens(5000, 500) },
        { type: "message", ...tokens(1000, 100) },
      ],
    },
    "0.027",
  ),
  // 1000 x 0.50 + 100 x 2.50: half the price
  call(
    "a message of a batch",
    "claude-haiku-4-5-20251001",
    { ...tokens(1000, 100), service_tier: "batch" },
    "0.00075",
  ),
  call("an explicit zero", "claude-sonnet-4-6", tokens(0, 0), "0"),
  call(
    "the priority tier, whose price is a contract",
    "claude-sonnet-4-6",
    { ...tokens(10, 10), service_tier: "priority" },
    null,
  ),
  call(
    "inference in the US alone, which has a surcharge",
    "claude-opus-4-8",
    { ...tokens(10, 10), service_tier: "standard", inference_geo: "us" },
    null,
  ),
  call(
    "an advisor's tokens, which are another model's",
    "claude-sonnet-4-6",
    { ...tokens(10, 10), iterations: [{ type: "advisor_message", ...tokens(10, 10) }] },
    null,
  ),
];
