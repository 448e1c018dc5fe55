import type { JsonObject } from "../../../src/wire/openai/operation.ts";

/** One answer as a provider gives it, and what it costs. */
export interface Golden {
  readonly name: string;
  /** `chat/completions` unless another is named. */
  readonly endpoint?: string;
  /** `openai` unless another is named. */
  readonly provider?: string;
  readonly at?: string;
  readonly model: string;
  readonly tier?: string;
  /** The answer's `usage`; a plain answer is built around it. */
  readonly usage?: JsonObject | null;
  /** The whole answer, where there is more to it; it names its model itself, or does not. */
  readonly answer?: JsonObject;
  /** What the request has besides the model. */
  readonly request?: JsonObject;
  /** Null for a call without a price or without a usable usage, never 0. */
  readonly costUsd: string | null;
}

export const plain = (prompt: number, completion: number): JsonObject => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
