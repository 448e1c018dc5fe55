import type { Provider } from "../provider.ts";
import { takesStreamUsageAt } from "./compatible-servers.ts";

/**
 * Any server that speaks OpenAI's API at a base URL of its own: LM Studio, a vendor's endpoint that has no name here.
 *
 * It is taken to know `stream_options.include_usage`, as the widespread servers do, because usage that the server
 * reports beats an estimate; a vendor that is known not to, is known by its address. OpenAI's organization and project
 * headers mean nothing to it.
 */
export const openaiCompatibleProvider: Provider = {
  name: "openai-compatible",
  title: "OpenAI-compatible server",
  dialects: ["openai"],
  defaultBaseUrl: null,
  baseUrlExample: "https://llm.example.com/v1",
  accountFields: [],
  supports: { streamUsage: true },
  // Older servers know `max_tokens` alone, and pass over what they do not know.
  ignoredOutputLimits: ["max_completion_tokens"],
  isFree: false,
  authHeaders: ({ secret }) => [["authorization", `Bearer ${secret}`]],
  address: ({ basePath, origin, path, query }) => ({
    target: `${basePath}${path}${query}`,
    takesStreamUsage: takesStreamUsageAt(origin),
  }),
};
