import type { AccountGate, GatePass, GateRefusal, GateWait, LaneOwner } from "../account-gate.ts";
import type { LaneCall } from "../account-lane.ts";
import type { Call, Refusal } from "../call.ts";
import { chooseRoute, type ChooseRouteDeps } from "../choose-route.ts";
import type { ProviderRoute } from "../snapshot.ts";
import { estimatedTokensOf } from "../token-facts.ts";
import { admit, type AdmitDeps } from "./admit.ts";
import { authenticate, type AuthenticateDeps } from "./authenticate.ts";
import { restrictBy, type RestrictDeps } from "./restrict.ts";

export interface EnterAccountDeps
  extends ChooseRouteDeps, AuthenticateDeps, RestrictDeps, AdmitDeps {
  readonly accountGate: Pick<AccountGate, "isOpen" | "enter">;
}

/** A longer model name is no model's, and is not remembered. */
const MAX_MODEL_CHARACTERS = 256;

/** Where the account that was chosen has no room for the call now, another one that has takes it. */
export function preferOpenAccount(deps: EnterAccountDeps, call: Call): undefined {
  if (call.candidates.length < 2) return;
  const { route, failedAttempts } = call;
  const owner = laneOwnerOf(call, route);
  if (route === undefined || owner === undefined) return;
  const needs = needsOf(call);
  if (deps.accountGate.isOpen(owner, needs)) return;
  const failedBefore = failedAttempts.length;
  failedAttempts.push({ route, isAccountSpent: true });
  for (;;) {
    const other = chooseRoute(deps, call);
    if (other.route === undefined) break;
    const otherOwner = laneOwnerOf(call, other.route);
    if (otherOwner === undefined || deps.accountGate.isOpen(otherOwner, needs)) {
      deps.routeHealth.left(route, call.circuitTicket);
      call.route = other.route;
      call.circuitTicket = other.ticket;
      break;
    }
    deps.routeHealth.left(other.route, other.ticket);
    failedAttempts.push({ route: other.route, isAccountSpent: true });
  }
  // None of them has failed: the call may come back to any.
  failedAttempts.length = failedBefore;
}

/**
 * Before each provider call: its account has room for it, or it waits for that, or it is refused and not sent. At once
 * in nearly every case.
 */
export function enterAccount(
  deps: EnterAccountDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  const owner = laneOwnerOf(call, call.route);
  if (owner === undefined) return undefined;
  const entered = deps.accountGate.enter(owner, needsOf(call));
  return "outcome" in entered ? wait(deps, call, entered) : conclude(call, entered);
}

/** Calls whose model nobody reads are under other limits, of which nothing is told. */
export function laneOwnerOf(call: Call, route: ProviderRoute | undefined): LaneOwner | undefined {
  const model = call.upstreamModel;
  const accountId = route?.accountId ?? null;
  if (model === null || accountId === null || model.length > MAX_MODEL_CHARACTERS) return undefined;
  return { accountId, model };
}

function needsOf(call: Call): LaneCall {
  const { key, customer } = call;
  if (key === undefined) throw new Error("an account is entered after authenticate");
  return {
    kind: key.environmentKind,
    flow: customer === null ? `key ${key.id}` : `customer ${customer}`,
    tokens: estimatedTokensOf(call),
  };
}

async function wait(deps: EnterAccountDeps, call: Call, waiting: GateWait) {
  call.reply.listen({ onDrain: () => undefined, onClientGone: () => waiting.leave() });
  if (call.reply.isClosed) waiting.leave();
  const refusal = conclude(call, await waiting.outcome);
  if (refusal !== undefined) return refusal;
  const stale = await recheck(deps, call);
  if (stale !== undefined) call.accountTicket?.end(false);
  return stale;
}

function conclude(call: Call, outcome: GatePass | GateRefusal): Refusal | undefined {
  if (outcome.ticket === undefined) return refusalOf(outcome);
  call.accountTicket = outcome.ticket;
  return undefined;
}

/** What was true when the call came may not be any more: keys are revoked while calls wait. */
async function recheck(deps: EnterAccountDeps, call: Call): Promise<Refusal | undefined> {
  const refusal = await authenticate(deps, call);
  if (refusal !== undefined || call.key === undefined) return refusal;
  let routing;
  try {
    routing = await deps.snapshot.routingOf(call.key.environmentId);
  } catch {
    return undefined; // Recovered from: the store is away, and what was known when the call came still holds.
  }
  const barred = restrictBy(deps, call, routing.policy ?? null) ?? admit(deps, call);
  if (barred !== undefined) return barred;
  const isThere = routing.routes.some(({ keyId }) => keyId === call.route?.keyId);
  return isThere ? undefined : PROVIDER_KEY_GONE;
}

const PROVIDER_KEY_GONE: Refusal = {
  code: "provider_rate_limited",
  message: "The provider key that the call waited for was revoked meanwhile. Try again.",
  retryAfterMs: 1,
};

const WHY: Readonly<Record<GateRefusal["reason"], string>> = {
  closed: "Its provider would refuse the call: the account is used up to its limit",
  waited: "The provider account is used up to its limit, and no room came while the call waited",
  crowded: "The provider account is used up to its limit, and too many calls wait for it",
  left: "The client left while the call waited for the provider account",
  stopping: "The provider account is used up to its limit, and this process is stopping",
};

function refusalOf({ reason, retryAfterMs }: GateRefusal): Refusal {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return {
    code: "provider_rate_limited",
    message: `${WHY[reason]}. It was not sent. Try again in ${seconds} s.`,
    retryAfterMs: Math.max(1, retryAfterMs),
  };
}
