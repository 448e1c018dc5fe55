import { estimateTokens, type TokenFacts } from "../core/limits/estimate-tokens.ts";
import { MAX_LIMIT_AMOUNT } from "../core/limits/limit.ts";
import { readWholeNumber } from "../wire/json/parse-json-text.ts";
import type { TopLevelScan } from "../wire/json/top-level-scanner.ts";
import type { Call, PeekedBody } from "./call.ts";

/** As the chat, the completions, the responses and Anthropic's messages name the largest output. */
const OUTPUT_FIELDS = ["max_completion_tokens", "max_output_tokens", "max_tokens"] as const;

/** The top-level fields that say how much a call may answer. */
export const TOKEN_FIELDS = [...OUTPUT_FIELDS, "n"] as const;

/** What the peeked body tells of the tokens that a call will take. */
export function readTokenFacts(peeked: PeekedBody | undefined): TokenFacts {
  const scan = peeked?.scan ?? null;
  let maxOutputTokens: number | null = null;
  if (scan !== null) {
    for (const name of OUTPUT_FIELDS) maxOutputTokens ??= readCount(scan, name);
  }
  return {
    bodyBytes: peeked?.bytes?.length ?? null,
    maxOutputTokens,
    choices: (scan && readCount(scan, "n")) ?? 1,
  };
}

/** What the call is taken to use, until it is known; found once, however many ask. */
export function estimatedTokensOf(call: Call): number {
  if (!call.operation.charges) return 0;
  call.estimatedTokens ??= estimateTokens(readTokenFacts(call.peeked));
  return call.estimatedTokens;
}

/** What is no count is no business of ours: the provider will refuse it. */
function readCount({ fields }: TopLevelScan, name: string): number | null {
  const text = fields.get(name)?.text;
  if (text === undefined) return null;
  const value = readWholeNumber(text) ?? Number(text);
  return Number.isInteger(value) && value >= 0 ? Math.min(value, MAX_LIMIT_AMOUNT) : null;
}
