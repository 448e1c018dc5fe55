import type { LimitId } from "../ids/ids.ts";
import type { Scope } from "../scopes/scope.ts";

/** How much the calls of a scope may take. At least one of the three amounts is set; each is a positive integer. */
export interface Limit {
  readonly id: LimitId;
  readonly scope: Scope;
  /** Calls admitted in any 60 seconds. */
  readonly requestsPerMinute: number | null;
  /** Tokens admitted in any 60 seconds, by the estimate at admission; corrected to what was used. */
  readonly tokensPerMinute: number | null;
  /** Calls in flight at one time. */
  readonly concurrency: number | null;
}

export type LimitMeasure = "requests" | "tokens" | "concurrency";

/** Larger amounts are no limit to anything, and stay exact in every sum that is made of them. */
export const MAX_LIMIT_AMOUNT = 1_000_000_000_000;
