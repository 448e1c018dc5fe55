/**
 * The APIs that the data plane speaks. A call is in the dialect of its client, and only a provider that speaks it can be
 * called: nothing is translated.
 */
export const DIALECTS = ["openai", "anthropic"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Paths that Anthropic's API alone has; the rest (`/v1/models`, `/v1/files`) both have. */
const ANTHROPIC_PATH = /^\/v1\/(?:messages|complete)(?:\/|$)/i;

/** Anthropic's API demands its header `anthropic-version` of every client; no other API knows it. */
export function dialectOf(path: string, hasAnthropicVersion: boolean): Dialect {
  return hasAnthropicVersion || ANTHROPIC_PATH.test(path) ? "anthropic" : "openai";
}
