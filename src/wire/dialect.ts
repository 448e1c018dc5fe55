/**
 * The APIs that the data plane speaks. A call is in the dialect of its client, and only a provider that speaks it can be
 * called: nothing is translated.
 */
export const DIALECTS = ["openai", "anthropic"] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Paths that Anthropic's API alone has; the rest (`/v1/models`, `/v1/files`) both have. */
const ANTHROPIC_PATH = /^\/v1\/(?:messages|complete)(?:\/|$)/i;

/** `headers` by lower-case name. Anthropic's API demands its version header of every client; no other API knows it. */
export function dialectOf(
  path: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Dialect {
  return ANTHROPIC_PATH.test(path) || headers["anthropic-version"] !== undefined
    ? "anthropic"
    : "openai";
}
