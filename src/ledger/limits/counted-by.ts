import type { RateStates } from "../limits.ts";
import type { LocalUse } from "./local-use.ts";
import type { RateMeter } from "./rate-meter.ts";

/** While so much is left of every rate, calls are told the same for this long. */
const PLENTY = { requests: 1_000, tokens: 1_000_000 } as const;
const TOLD_ALIKE_MS = 10;

/** What counts calls that are alike, and what they are told of it. */
export class CountedBy {
  readonly uses: readonly LocalUse[];
  #rates: RateStates | undefined;
  #ratesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(uses: readonly LocalUse[]) {
    this.uses = uses;
  }

  /** The tightest of the limits of each kind, with a call that has just taken of them; a moment old where there is plenty. */
  ratesAt(nowMs: number): RateStates {
    if (this.#rates !== undefined && nowMs < this.#ratesUntilMs) return this.#rates;
    const rates = ratesOf(this.uses, nowMs);
    this.#rates = rates;
    this.#ratesUntilMs = isPlenty(rates) ? nowMs + TOLD_ALIKE_MS : nowMs;
    return rates;
  }
}

function isPlenty({ requests, tokens }: RateStates): boolean {
  return (
    (requests === undefined || requests.remaining >= PLENTY.requests) &&
    (tokens === undefined || tokens.remaining >= PLENTY.tokens)
  );
}

/** Of each kind the one with the least left. */
export function ratesOf(uses: readonly LocalUse[], nowMs: number): RateStates {
  let requests: RateMeter | undefined;
  let tokens: RateMeter | undefined;
  for (const use of uses) {
    requests = tighter(requests, use.requests, nowMs);
    tokens = tighter(tokens, use.tokens, nowMs);
  }
  return { requests: requests?.stateAt(nowMs), tokens: tokens?.stateAt(nowMs) };
}

function tighter(
  one: RateMeter | undefined,
  other: RateMeter | undefined,
  nowMs: number,
): RateMeter | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.remainingAt(nowMs) < one.remainingAt(nowMs) ? other : one;
}
