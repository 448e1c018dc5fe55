import type { Provider } from "../provider.ts";

/**
 * Anthropic's own API. Source of the headers: "API overview" in Anthropic's API reference. A client chooses the version
 * of the API by a header, and Anthropic refuses a call without one, so it is given where a client sends none.
 */
export const anthropicProvider: Provider = {
  name: "anthropic",
  title: "Anthropic",
  dialects: ["anthropic"],
  defaultBaseUrl: "https://api.anthropic.com/v1",
  baseUrlExample: "https://api.anthropic.com/v1",
  keysPage: "https://console.anthropic.com/settings/keys",
  accountFields: [],
  supports: { streamUsage: false },
  isFree: false,
  defaultHeaders: [["anthropic-version", "2023-06-01"]],
  authHeaders: ({ secret }) => [["x-api-key", secret]],
};
