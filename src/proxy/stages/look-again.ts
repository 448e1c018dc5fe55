import type { Call, Refusal } from "../call.ts";
import { authenticate, type AuthenticateDeps } from "./authenticate.ts";
import { restrict, type RestrictDeps } from "./restrict.ts";

export interface LookAgainDeps extends AuthenticateDeps, RestrictDeps {
  readonly monotonicMs: () => number;
}

/** A body that is there by then came with its call. */
const MOMENT_MS = 250;

/**
 * After the body was read: where that took its time, the key may have expired meanwhile, or may not be used from there any
 * more. Revoked and rotated keys end their calls by themselves; that the clock goes on tells nobody.
 */
export function lookAgain(
  deps: LookAgainDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (deps.monotonicMs() - call.startedMonotonicMs < MOMENT_MS) return undefined;
  const refusal = authenticate(deps, call);
  if (!(refusal instanceof Promise)) return refusal ?? restrict(deps, call);
  return refusal.then((late) => late ?? restrict(deps, call));
}
