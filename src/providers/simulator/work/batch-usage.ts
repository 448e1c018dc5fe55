/** The usage of a whole batch. Source: `BatchUsage` of OpenAI's API. */
export interface BatchUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
}

export const NO_BATCH_USAGE: BatchUsage = {
  input_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 0,
};

/** `sum` with the usage of one more answer, whichever names that has for it; an answer without any adds nothing. */
export function addUsage(sum: BatchUsage, answer: object): BatchUsage {
  const { usage } = answer as { readonly usage?: Readonly<Record<string, unknown>> };
  const input = sum.input_tokens + count(usage?.["input_tokens"] ?? usage?.["prompt_tokens"]);
  const output =
    sum.output_tokens + count(usage?.["output_tokens"] ?? usage?.["completion_tokens"]);
  return { ...sum, input_tokens: input, output_tokens: output, total_tokens: input + output };
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
