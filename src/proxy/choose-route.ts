import type { CircuitTicket } from "../core/routing/circuit.ts";
import type { Call } from "./call.ts";
import type { RouteHealth } from "./route-health.ts";
import type { ProviderRoute } from "./snapshot.ts";

export interface ChooseRouteDeps {
  readonly routeHealth: RouteHealth;
  /** 0 inclusive to 1 exclusive. */
  readonly random: () => number;
  readonly monotonicMs: () => number;
}

export interface ChosenRoute {
  readonly route: ProviderRoute;
  readonly ticket: CircuitTicket;
}

/** Why there is no way to go: all are out. */
export interface NoRoute {
  readonly route: undefined;
  /** The first to be back is out because its provider asked for time, and not because it failed. */
  readonly isRateLimited: boolean;
  /** Until the first of them may be tried again. */
  readonly retryAfterMs: number;
  /** That one, where its account is out for this model alone and nothing else is wrong with it. */
  readonly rateLimited: ProviderRoute | undefined;
}

/**
 * Chooses among a call's ways by weight, leaving out what failed the call already, open circuits and what rests. A way
 * of weight 0 is for when no other is left. Where all that are left rest, and not because a provider named a time, the
 * first attempt takes the one whose rest ends soonest: a rest of our own guessing never refuses a call.
 */
export function chooseRoute(deps: ChooseRouteDeps, call: Call): ChosenRoute | NoRoute {
  const { routeHealth } = deps;
  const nowMs = deps.monotonicMs();
  // What was sent cannot be found at another account, so calls that name no model keep to one while it lives.
  const isPinned = call.upstreamModel === null;
  let chosen: ProviderRoute | undefined;
  let spare: ProviderRoute | undefined;
  let resting: ProviderRoute | undefined;
  let totalWeight = 0;
  let restEndsAtMs = Number.POSITIVE_INFINITY;
  let backAtMs = Number.POSITIVE_INFINITY;
  let isRateLimited = false;
  let rateLimited: ProviderRoute | undefined;
  for (const route of call.candidates) {
    if (isSpent(call, route)) continue;
    const circuit = routeHealth.circuitOf(route);
    if (circuit?.phase(nowMs) === "open") {
      if (circuit.opensAgainAtMs() < backAtMs) {
        backAtMs = circuit.opensAgainAtMs();
        isRateLimited = false;
        rateLimited = undefined;
      }
      continue;
    }
    const rest = routeHealth.restOf(route, call.upstreamModel, nowMs);
    if (rest !== undefined) {
      if (rest.isNamed) {
        if (rest.untilMs < backAtMs) {
          backAtMs = rest.untilMs;
          isRateLimited = true;
          const isAccounts = rest.reason === "rate_limited" && rest.scope.calls === "model";
          rateLimited = isAccounts ? route : undefined;
        }
      } else if (rest.untilMs < restEndsAtMs) {
        restEndsAtMs = rest.untilMs;
        resting = route;
      }
      continue;
    }
    if (route.weight === 0) {
      spare ??= route;
      continue;
    }
    totalWeight += route.weight;
    if (chosen === undefined) chosen = route;
    // Each way takes the place of the ones before it with its share of the weight so far.
    else if (!isPinned && deps.random() * totalWeight < route.weight) chosen = route;
  }
  const isFirst = call.failedAttempts.length === 0;
  const route = chosen ?? spare ?? (isFirst ? resting : undefined);
  if (route !== undefined) return { route, ticket: routeHealth.enter(route, nowMs) };
  const retryAfterMs = Number.isFinite(backAtMs) ? Math.max(0, backAtMs - nowMs) : 0;
  return { route: undefined, isRateLimited, retryAfterMs, rateLimited };
}

function isSpent({ failedAttempts }: Call, route: ProviderRoute): boolean {
  for (const failed of failedAttempts) {
    if (failed.route === route || failed.route.keyId === route.keyId) return true;
    if (failed.isAccountSpent && failed.route.accountId === route.accountId) return true;
  }
  return false;
}
