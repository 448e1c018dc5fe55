import type { components } from "../admin/api-types.ts";
import type { OptionSpec } from "./command.ts";
import { parseCount } from "./parse-count.ts";

export type LimitAmounts = Pick<
  components["schemas"]["Limit"],
  "requestsPerMinute" | "tokensPerMinute" | "concurrency"
>;

/** What a limit may limit. */
export const AMOUNT_OPTIONS = {
  requests: { value: "count", description: "calls in any 60 seconds", param: "requestsPerMinute" },
  tokens: { value: "count", description: "tokens in any 60 seconds", param: "tokensPerMinute" },
  concurrency: { value: "count", description: "calls in flight at one time" },
} as const satisfies Record<string, OptionSpec>;

/** Takes an amount away. */
const NONE = "none";

export function amountsOf(options: {
  readonly requests: string | undefined;
  readonly tokens: string | undefined;
  readonly concurrency: string | undefined;
}): Partial<LimitAmounts> {
  const amounts: { [Name in keyof LimitAmounts]?: number | null } = {};
  const { requests, tokens, concurrency } = options;
  if (requests !== undefined) amounts.requestsPerMinute = read(requests, "--requests");
  if (tokens !== undefined) amounts.tokensPerMinute = read(tokens, "--tokens");
  if (concurrency !== undefined) amounts.concurrency = read(concurrency, "--concurrency");
  return amounts;
}

function read(text: string, flag: string): number | null {
  return text === NONE ? null : parseCount(text, flag);
}
