import type { RestReason, RestScope } from "../core/routing/provider-key-health.ts";
import type { Tracing } from "../telemetry/trace-context.ts";
import { isOutOfMoney } from "../wire/openai/out-of-money.ts";
import type { Call } from "./call.ts";
import { chooseRoute, type ChooseRouteDeps } from "./choose-route.ts";
import type { ExchangeResult } from "./exchange.ts";
import type { HeaderFields } from "./http/header-fields.ts";
import type { Snapshot } from "./snapshot.ts";
import { toldWaitMs } from "./told-wait.ts";
import { isOwnFault } from "./upstream.ts";

export interface FailoverDeps extends ChooseRouteDeps {
  readonly snapshot: Pick<Snapshot, "routingOf">;
  readonly nowMs: () => number;
  readonly failover: FailoverLimits;
  /** Absent while tracing is off. */
  readonly tracing?: Tracing | undefined;
}

export interface FailoverLimits {
  /** Provider calls that one call may make. */
  readonly maxAttempts: number;
  /** No further one begins later than this after the call came. */
  readonly maxMs: number;
  /** Also tries another way where the provider may have carried out the call: a second charge is possible. */
  readonly isUnansweredRetried: boolean;
}

/** Where the provider says nothing of how long: a guess, so it only has other ways go first. */
const RATE_LIMIT_REST_MS = 5_000;
const REFUSED_REST_MS = 60_000;
const OUT_OF_MONEY_REST_MS = 5 * 60_000;

/** A longer model name is no model's, and is not remembered. */
const MAX_MODEL_CHARACTERS = 256;

/** RFC 9110, section 9.2.1: carrying them out twice does no harm. */
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * What an answer's head says of its way, and whether the answer is the client's: false when another way is tried in
 * its stead, which is chosen here and now. Nothing of the answer has been sent on yet.
 */
export function isFinalAnswer(
  deps: FailoverDeps,
  call: Call,
  head: { readonly status: number; readonly headers: HeaderFields },
): boolean {
  const { route } = call;
  if (route === undefined) throw new Error("an answer comes after route");
  const { status } = head;
  if (status >= 500) deps.routeHealth.failed(route, call.circuitTicket);
  else deps.routeHealth.succeeded(route, call.circuitTicket);
  if (!isFailoverStatus(status)) return true;
  restFor(deps, call, head);
  // What was streamed through is spent; a body that is in memory can be sent again.
  if (!isBodyHeld(call)) return true;
  return !chooseNext(deps, call, { isAccountSpent: status === 429 || status === 402 });
}

/** The body of a refusal: that an account is out of money stands nowhere else. */
export function readRefusal(
  deps: FailoverDeps,
  call: Call,
  refusal: { readonly status: number; readonly body: Buffer | undefined },
): void {
  const { route } = call;
  if (route === undefined || refusal.status !== 429 || refusal.body === undefined) return;
  if (isOutOfMoney(refusal.body)) deps.routeHealth.rest(route, ACCOUNT, OUT_OF_MONEY);
}

/** After the exchange: reports a call without an answer, and chooses another way where that is allowed. */
export function reportEnding(deps: FailoverDeps, call: Call, result: ExchangeResult): void {
  const { route } = call;
  if (route === undefined) throw new Error("an ending comes after route");
  if (result.ending === "revoked") call.nextRoute = undefined;
  if (result.ending === "whole" && call.nextRoute !== undefined) call.setAside = result;
  if (result.httpStatus !== null) return; // The head has been reported.
  const isLeft = result.ending === "client-gone" || result.ending === "revoked";
  if (isLeft || isOwnFault(result.fault)) {
    deps.routeHealth.left(route, call.circuitTicket);
    return;
  }
  deps.routeHealth.failed(route, call.circuitTicket);
  const isUnsent = !result.wasStarted;
  const isHarmless = SAFE_METHODS.has(call.request.method) || deps.failover.isUnansweredRetried;
  if (!isUnsent && !isHarmless) return;
  if (!isBodyHeld(call) && isBodyTouched(call, result)) return;
  chooseNext(deps, call, { isAccountSpent: false });
}

/**
 * Turns the call to the way that was chosen. False when there is none, nobody waits for its answer any more, or it is
 * gone: a key may have been revoked while an earlier attempt lasted.
 */
export async function startNextAttempt(deps: FailoverDeps, call: Call): Promise<boolean> {
  if (call.nextRoute === undefined) return false;
  await dropRevokedWays(deps, call);
  const next = call.nextRoute;
  if (next === undefined) return false;
  call.nextRoute = undefined;
  call.route = next.route;
  call.circuitTicket = next.ticket;
  if (call.reply.isClosed) {
    leaveRoute(deps, call);
    return false;
  }
  call.attempt += 1;
  call.attemptStartedAtMs = deps.nowMs();
  call.attemptStartedMonotonicMs = deps.monotonicMs();
  if (call.trace !== undefined) call.trace = deps.tracing?.again(call.trace);
  return true;
}

async function dropRevokedWays(deps: FailoverDeps, call: Call): Promise<void> {
  const { key, nextRoute } = call;
  if (key === undefined || nextRoute === undefined) return;
  let routing;
  try {
    routing = await deps.snapshot.routingOf(key.environmentId);
  } catch {
    return; // Recovered from: the store is away, and what was known when the call came still holds.
  }
  if (routing === call.routing) return;
  const keyIds = new Set(routing.routes.map(({ keyId }) => keyId));
  if (keyIds.has(nextRoute.route.keyId)) return;
  deps.routeHealth.left(nextRoute.route, nextRoute.ticket);
  call.candidates = call.candidates.filter(({ keyId }) => keyIds.has(keyId));
  const chosen = chooseRoute(deps, call);
  call.nextRoute = chosen.route === undefined ? undefined : chosen;
}

/** The call does not take its way after all. */
export function leaveRoute(deps: FailoverDeps, call: Call): void {
  if (call.route !== undefined) deps.routeHealth.left(call.route, call.circuitTicket);
}

function isFailoverStatus(status: number): boolean {
  return status >= 500 || status === 429 || status === 401 || status === 402 || status === 403;
}

const ACCOUNT: RestScope = { owner: "account", calls: "every", model: null };
const OUT_OF_MONEY = {
  reason: "out_of_money",
  forMs: OUT_OF_MONEY_REST_MS,
  isNamed: false,
} as const;

function restFor(
  deps: FailoverDeps,
  call: Call,
  { status, headers }: { readonly status: number; readonly headers: HeaderFields },
): void {
  const { route } = call;
  const model = call.upstreamModel;
  if (route === undefined || (model !== null && model.length > MAX_MODEL_CHARACTERS)) return;
  const { routeHealth } = deps;
  if (status === 401) {
    routeHealth.rest(
      route,
      { owner: "key", calls: "every", model: null },
      guessed("key_refused", REFUSED_REST_MS),
    );
  } else if (status === 402) {
    routeHealth.rest(route, ACCOUNT, OUT_OF_MONEY);
  } else if (status === 403) {
    // May be about the model alone, so a client that asks for the wrong one must not take the key from the others.
    routeHealth.rest(
      route,
      { owner: "key", calls: "model", model },
      guessed("model_refused", REFUSED_REST_MS),
    );
  } else {
    const namedMs = toldWaitMs(headers, deps.nowMs());
    const scope: RestScope = { owner: "account", calls: "model", model };
    const reason = status === 429 ? "rate_limited" : "unavailable";
    if (namedMs !== undefined) {
      routeHealth.rest(route, scope, { reason, forMs: namedMs, isNamed: true });
    } else if (status === 429) {
      routeHealth.rest(route, scope, guessed(reason, RATE_LIMIT_REST_MS));
    }
  }
}

function guessed(reason: RestReason, forMs: number) {
  return { reason, forMs, isNamed: false };
}

function chooseNext(
  deps: FailoverDeps,
  call: Call,
  failed: { readonly isAccountSpent: boolean },
): boolean {
  const { route } = call;
  if (route === undefined || call.attempt >= deps.failover.maxAttempts) return false;
  if (deps.monotonicMs() - call.startedMonotonicMs >= deps.failover.maxMs) return false;
  if (call.reply.isClosed) return false;
  call.failedAttempts.push({ route, isAccountSpent: failed.isAccountSpent });
  const chosen = chooseRoute(deps, call);
  if (chosen.route === undefined) return false;
  call.nextRoute = chosen;
  return true;
}

/** In memory, or there is none: it can be sent again. */
function isBodyHeld({ peeked, request }: Call): boolean {
  if (peeked !== undefined && peeked.bytes !== null) return true;
  const { headers } = request;
  return !headers.has("transfer-encoding") && (headers.get("content-length") ?? "0") === "0";
}

function isBodyTouched({ request }: Call, result: ExchangeResult): boolean {
  return result.wasStarted || request.body.isRead || request.body.isBroken;
}
