import type { Provider } from "../provider.ts";

/**
 * Any server that speaks OpenAI's API at a base URL of its own: vLLM, Ollama, LM Studio, a vendor's endpoint.
 *
 * It is taken to know `stream_options.include_usage`, as the widespread servers do, because usage that the server
 * reports beats an estimate. OpenAI's organization and project headers mean nothing to it and are not sent.
 */
export const openaiCompatibleProvider: Provider = {
  name: "openai-compatible",
  title: "OpenAI-compatible server",
  defaultBaseUrl: null,
  supports: { streamUsage: true },
  isFree: false,
  authHeaders: ({ secret }) => [["authorization", `Bearer ${secret}`]],
};
