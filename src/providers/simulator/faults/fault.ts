/**
 * Bad days on demand. A fault is a name and parameters: `429; retry-after=2; times=3`. It arrives in the header
 * `x-simulator-fault`, or as the key `sim:429; retry-after=2; times=3`. Without `after-tokens` a fault comes instead of
 * the answer; with it, in the middle of one.
 */

export const WRONG_COUNTS = ["missing", "zero", "huge", "negative", "fraction", "text"] as const;
export type WrongCount = (typeof WRONG_COUNTS)[number];

export type FaultKind =
  | { readonly name: "ok" }
  | {
      readonly name: "status";
      readonly status: number;
      readonly retryAfterSeconds: number | null;
      readonly retryAfterMs: number | null;
      readonly bodyForm: "json" | "html" | "empty";
    }
  | { readonly name: "insufficient-quota" }
  | { readonly name: "stall"; readonly forMs: number | null }
  | { readonly name: "cut" }
  | { readonly name: "malformed-json" }
  | { readonly name: "malformed-sse" }
  | { readonly name: "wrong-usage"; readonly count: WrongCount }
  | { readonly name: "slow"; readonly tokensPerSecond: number };

export interface Fault {
  readonly kind: FaultKind;
  /** Tokens of the answer that come first; null = the fault comes instead of an answer. */
  readonly afterTokens: number | null;
  /** How many calls it strikes before all is well; null = all of them. */
  readonly times: number | null;
  /** It strikes every so many calls; 1 = each of them. */
  readonly every: number;
  /** The whole text: calls with the same one are counted together, so a `label` makes a count of its own. */
  readonly text: string;
}
