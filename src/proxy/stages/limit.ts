import { isClientTokenLimit } from "../../core/limits/client-token-limit.ts";
import { describeAmount } from "../../core/limits/describe-amount.ts";
import type { Limit, LimitMeasure } from "../../core/limits/limit.ts";
import type { ScopeKind } from "../../core/scopes/scope.ts";
import { totalInputTokens, totalOutputTokens } from "../../core/usage/quantities.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type {
  LimitDecision,
  LimitedCall,
  LimitRefusal,
  Limits,
  RateStates,
} from "../../ledger/limits.ts";
import { createRateLimitHeaders } from "../../wire/http/rate-limit-headers.ts";
import type { Call, Refusal } from "../call.ts";
import { chooseRoute, type ChooseRouteDeps } from "../choose-route.ts";
import { ReadyFields } from "../http/ready-fields.ts";
import { estimatedTokensOf } from "../token-facts.ts";

export interface LimitDeps extends ChooseRouteDeps {
  readonly limits: Limits;
}

type Outcome = Refusal | undefined | Promise<Refusal | undefined>;

/**
 * Takes the call's part of every limit that counts it. Comes after the route, because limits on an account are among
 * them: where one of those is reached, another account is tried. At once, but for calls that wait for the store.
 */
export function limit(deps: LimitDeps, call: Call): Outcome {
  const { limits } = deps;
  if (limits.isEmpty && call.key?.clientToken?.ownLimit === undefined) return undefined;
  const decision = limits.admit(limitedCall(call));
  return decision instanceof Promise
    ? concludeLate(deps, call, decision)
    : conclude(deps, call, decision);
}

/** Apart, so that a call that is decided at once pays nothing for it. */
async function concludeLate(
  deps: LimitDeps,
  call: Call,
  decision: Promise<LimitDecision>,
): Promise<Refusal | undefined> {
  return await conclude(deps, call, await decision);
}

/** Before each further provider call: the account that it goes to may have limits of its own. */
export function limitNextAttempt(deps: LimitDeps, call: Call): Outcome {
  const { limits } = deps;
  if (call.attempt === 1 || limits.isEmpty) return undefined;
  call.admission?.leaveAccount();
  const decision = limits.admitToAccount(limitedCall(call));
  return decision instanceof Promise
    ? decision.then((late) => joinAdmission(call, late))
    : joinAdmission(call, decision);
}

function joinAdmission(call: Call, decision: LimitDecision): Refusal | undefined {
  if (decision === undefined) return undefined;
  if (!decision.isAdmitted) return refusalOf(decision);
  if (call.admission === undefined) call.admission = decision;
  else call.admission.join(decision);
  return undefined;
}

/** After each provider call. What nobody knows of, or not yet, counts as what was taken for it. */
export function spendTokens(call: Call, event: UsageEvent): void {
  const isUnknown = event.usageSource === "unknown" || event.usageSource === "deferred";
  call.admission?.spend(
    isUnknown
      ? estimatedTokensOf(call)
      : totalInputTokens(event.quantities) + totalOutputTokens(event.quantities),
  );
}

/** However the call ended. One that was not sent has taken nothing. */
export function endAdmission({ admission, intent }: Call): void {
  if (intent === undefined) admission?.cancel();
  else admission?.end();
}

function limitedCall(call: Call): LimitedCall {
  const { key, route, customer, feature } = call;
  if (key === undefined || route === undefined) throw new Error("limits come after the route");
  return {
    projectId: key.projectId,
    environmentId: key.environmentId,
    gatewayKeyId: key.id,
    customer,
    feature,
    providerAccountId: route.accountId,
    tokens: estimatedTokensOf(call),
    own: key.clientToken?.ownLimit,
  };
}

function conclude(deps: LimitDeps, call: Call, decision: LimitDecision): Outcome {
  if (decision === undefined) return undefined;
  call.rateHeaders = rateHeadersOf(decision);
  if (decision.isAdmitted) {
    call.admission = decision;
    return undefined;
  }
  const { route } = call;
  if (route !== undefined) deps.routeHealth.left(route, call.circuitTicket);
  if (route === undefined || decision.limit.scope.kind !== "providerAccount") {
    return refusalOf(decision);
  }
  call.failedAttempts.push({ route, isAccountSpent: true });
  const other = chooseRoute(deps, call);
  if (other.route === undefined) return refusalOf(decision);
  call.route = other.route;
  call.circuitTicket = other.ticket;
  return limit(deps, call);
}

/** Memory of a pure function: nobody can tell whether it is there. Many answers tell the very same. */
const written = new WeakMap<RateStates, ReadyFields>();

function rateHeadersOf({ rates }: NonNullable<LimitDecision>): ReadyFields {
  let headers = written.get(rates);
  if (headers === undefined) {
    headers = new ReadyFields(createRateLimitHeaders(rates));
    written.set(rates, headers);
  }
  return headers;
}

const ALLOWED: Readonly<Record<LimitMeasure, (limit: Limit) => number | null>> = {
  requests: ({ requestsPerMinute }) => requestsPerMinute,
  tokens: ({ tokensPerMinute }) => tokensPerMinute,
  concurrency: ({ concurrency }) => concurrency,
};

const WHOSE: Readonly<Record<ScopeKind, (subject: string) => string>> = {
  organization: () => "all calls together",
  project: (id) => `the project ${id}`,
  environment: (id) => `the environment ${id}`,
  key: (id) => `the key ${id}`,
  customer: (subject) => `the customer "${subject.slice(0, 100)}"`,
  feature: (subject) => `the feature "${subject.slice(0, 100)}"`,
  providerAccount: () => "the provider account",
};

function refusalOf(refusal: LimitRefusal): Refusal {
  const { limit: reached, subject, measure, retryAfterMs } = refusal;
  const isTokens = isClientTokenLimit(reached);
  const whose = isTokens ? "the client token" : WHOSE[reached.scope.kind](subject);
  const which = isTokens ? "The client token's own limit" : `The limit ${reached.id}`;
  const amount = describeAmount(measure, ALLOWED[measure](reached) ?? 0);
  const allowed = `${amount} for ${whose}`;
  return {
    code: "rate_limit_exceeded",
    message: `${which} allows ${allowed}, and that is reached. Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`,
    retryAfterMs,
  };
}
