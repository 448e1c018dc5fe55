/**
 * How long to wait between attempts to log in. Failures are counted for the account, for the address they come from and,
 * where a browser has logged in before, for that browser instead of the account: whoever attacks an account from
 * elsewhere delays everybody but the browsers that its member uses.
 */

/** What was tried in vain lately. */
export interface Attempts {
  readonly failures: number;
  readonly lastAtMs: number;
  readonly blockedUntilMs: number;
}

export type ThrottledKind = "account" | "address" | "device";

/** Many members may share an address. */
const FREE_ATTEMPTS: Readonly<Record<ThrottledKind, number>> = {
  account: 5,
  address: 30,
  device: 10,
};
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 15 * 60_000;
/** After so long without an attempt, all is forgotten. */
export const FORGOTTEN_AFTER_MS = 24 * 60 * 60_000;

/** How long until the next attempt may be made; 0: now. */
export function waitMs(attempts: Attempts | undefined, nowMs: number): number {
  if (attempts === undefined) return 0;
  const rest = attempts.blockedUntilMs - nowMs;
  // No delay is longer: this one was set before the clock stepped back.
  return rest > MAX_DELAY_MS ? 0 : Math.max(0, rest);
}

/** After one more attempt that is taken to fail: counted before it is made, so that many at once count as many. */
export function afterAttempt(
  kind: ThrottledKind,
  before: Attempts | undefined,
  nowMs: number,
): Attempts {
  const isForgotten = before === undefined || nowMs - before.lastAtMs > FORGOTTEN_AFTER_MS;
  const failures = (isForgotten ? 0 : before.failures) + 1;
  const beyond = failures - FREE_ATTEMPTS[kind];
  const delayMs = beyond < 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** beyond, MAX_DELAY_MS);
  return { failures, lastAtMs: nowMs, blockedUntilMs: nowMs + delayMs };
}
