import type { EnvironmentKind } from "../environments/environment.ts";

/** Whose calls go to a provider account first. */
export const KINDS_IN_ORDER: readonly EnvironmentKind[] = ["production", "staging", "development"];

/** What is kept for calls that matter more: no call leaves less than this of a limit to them. */
export const KEPT_SHARES: Readonly<Record<EnvironmentKind, number>> = {
  production: 0,
  staging: 0.1,
  development: 0.2,
};

/** What a call takes of a limit: at most all there is beyond what is kept, however large it is. */
export function needOf(
  { limit }: { readonly limit: number },
  { kind, amount }: { readonly kind: EnvironmentKind; readonly amount: number },
): number {
  return Math.min(limit - limit * KEPT_SHARES[kind], amount);
}
