import type { Provider } from "../provider.ts";

interface CompatibleServer {
  readonly name: string;
  readonly title: string;
  readonly defaultBaseUrl: string | null;
  readonly baseUrlExample: string;
  readonly keysPage?: string;
  readonly streamUsage: boolean;
  readonly pricedAs?: string;
  readonly genAiName?: string;
  readonly ignoredOutputLimits?: readonly string[];
}

/**
 * Servers that speak OpenAI's API at a known address, with what is different about them. Sources: the vendors' own API
 * references; for Mistral its refusal itself (`extra_forbidden` for `stream_options.include_usage`, status 422).
 */
const SERVERS: readonly CompatibleServer[] = [
  {
    name: "groq",
    title: "Groq",
    defaultBaseUrl: "https://api.groq.com/openai/v1",
    baseUrlExample: "https://api.groq.com/openai/v1",
    keysPage: "https://console.groq.com/keys",
    streamUsage: true,
  },
  {
    name: "mistral",
    title: "Mistral",
    defaultBaseUrl: "https://api.mistral.ai/v1",
    baseUrlExample: "https://api.mistral.ai/v1",
    keysPage: "https://console.mistral.ai/api-keys",
    genAiName: "mistral_ai",
    // Its streams end with the usage unasked, and a request that asks is refused.
    streamUsage: false,
    ignoredOutputLimits: ["max_completion_tokens"],
  },
  {
    name: "gemini",
    title: "Google Gemini (OpenAI-compatible endpoint)",
    defaultBaseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    baseUrlExample: "https://generativelanguage.googleapis.com/v1beta/openai",
    keysPage: "https://aistudio.google.com/apikey",
    streamUsage: true,
    pricedAs: "google",
    genAiName: "gcp.gemini",
  },
  {
    name: "openrouter",
    title: "OpenRouter",
    defaultBaseUrl: "https://openrouter.ai/api/v1",
    baseUrlExample: "https://openrouter.ai/api/v1",
    keysPage: "https://openrouter.ai/settings/keys",
    streamUsage: true,
  },
  {
    name: "ollama",
    title: "Ollama",
    defaultBaseUrl: "http://localhost:11434/v1",
    baseUrlExample: "http://ollama.internal:11434/v1",
    streamUsage: true,
    ignoredOutputLimits: ["max_completion_tokens"],
  },
  {
    name: "vllm",
    title: "vLLM",
    defaultBaseUrl: null,
    baseUrlExample: "http://vllm.internal:8000/v1",
    streamUsage: true,
  },
];

/** One provider for each of them, so that an account needs no base URL. */
export const compatibleServers: readonly Provider[] = SERVERS.map(({ streamUsage, ...server }) => ({
  ...server,
  dialects: ["openai"],
  accountFields: [],
  supports: { streamUsage },
  isFree: false,
  authHeaders: ({ secret }) => [["authorization", `Bearer ${secret}`]],
}));

const STREAM_USAGE_BY_HOST: ReadonlyMap<string, boolean> = new Map(
  SERVERS.flatMap(({ defaultBaseUrl, streamUsage }) =>
    defaultBaseUrl === null ? [] : [[new URL(defaultBaseUrl).origin, streamUsage] as const],
  ),
);

/** Whether the server at an origin takes `stream_options.include_usage`; one that is not known is taken to. */
export function takesStreamUsageAt(origin: string): boolean {
  return STREAM_USAGE_BY_HOST.get(origin) ?? true;
}
