/** Answers of the shape that OpenAI's chat completions have (2 KiB of JSON, a stream's chunks). */
const HEAD = {
  id: "chatcmpl-bench0000000000000000000000",
  created: 1_760_000_000,
  model: "gpt-4o-mini-2024-07-18",
  service_tier: "default",
  system_fingerprint: "fp_0000000000",
};
const USAGE = {
  prompt_tokens: 512,
  completion_tokens: 384,
  total_tokens: 896,
  prompt_tokens_details: { cached_tokens: 256, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};
const JSON_BYTES = 2048;

function answerWith(content: string): string {
  const message = { role: "assistant", content, refusal: null, annotations: [] };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  return JSON.stringify({ ...HEAD, object: "chat.completion", choices, usage: USAGE });
}

/** Exactly 2 KiB. */
export const chatJson = answerWith("x".repeat(JSON_BYTES - answerWith("").length));

function event(delta: object, finishReason: string | null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ ...HEAD, object: "chat.completion.chunk", choices, usage: null })}\n\n`;
}

export const chatChunk = event({ content: " word" }, null);
const usageChunk = `data: ${JSON.stringify({ ...HEAD, object: "chat.completion.chunk", choices: [], usage: USAGE })}\n\n`;
export const LAST_CHUNKS = [event({}, "stop"), usageChunk, "data: [DONE]\n\n"];
