import { formatUsd } from "../core/money/picos.ts";
import type { UsageEvent, UsageSource } from "../core/usage/usage-event.ts";
import type { Call, Refusal } from "./call.ts";
import type { ExchangeResult } from "./exchange.ts";
import { leaveRoute, reportEnding, startNextAttempt, type FailoverDeps } from "./failover.ts";
import { type LastLookDeps, takeLastLook } from "./last-look.ts";
import { admit, type AdmitDeps } from "./stages/admit.ts";
import { attribute } from "./stages/attribute.ts";
import { authenticate, type AuthenticateDeps } from "./stages/authenticate.ts";
import { enterAccount, preferOpenAccount, type EnterAccountDeps } from "./stages/enter-account.ts";
import { forward, type ForwardDeps } from "./stages/forward.ts";
import { hold, type HoldDeps } from "./stages/hold.ts";
import { limit, limitNextAttempt, spendTokens, type LimitDeps } from "./stages/limit.ts";
import { lookAgain, type LookAgainDeps } from "./stages/look-again.ts";
import { meter, type MeterDeps } from "./stages/meter.ts";
import { openIntent, type OpenIntentDeps } from "./stages/open-intent.ts";
import { peek, type PeekDeps } from "./stages/peek.ts";
import { restrict, type RestrictDeps } from "./stages/restrict.ts";
import { route, type RouteDeps } from "./stages/route.ts";
import { settle, type SettleDeps } from "./stages/settle.ts";

export type PipelineDeps = AuthenticateDeps &
  RestrictDeps &
  PeekDeps &
  LookAgainDeps &
  LastLookDeps &
  AdmitDeps &
  RouteDeps &
  EnterAccountDeps &
  LimitDeps &
  HoldDeps &
  OpenIntentDeps &
  FailoverDeps &
  ForwardDeps &
  MeterDeps &
  SettleDeps;

type Outcome = Refusal | undefined;
type Stage = (deps: PipelineDeps, call: Call) => Outcome | Promise<Outcome>;

/** What a call passes before it is sent, in order. The first refusal ends it. */
const BEFORE_SENDING: readonly Stage[] = [
  authenticate,
  restrict,
  peek,
  lookAgain,
  (_deps, call) => attribute(call),
  admit,
  route,
  preferOpenAccount,
  limit,
];

/** What each provider call passes besides, in order. */
const BEFORE_EACH_ATTEMPT: readonly Stage[] = [limitNextAttempt, enterAccount, hold, openIntent];

/**
 * A request's way through the data plane. It is over when the reply has ended and the call is settled, or else there is a
 * refusal that is still to be sent.
 */
export function runPipeline(deps: PipelineDeps, call: Call): Outcome | Promise<Outcome> {
  const passed = pass(BEFORE_SENDING, deps, call);
  if (passed instanceof Promise) return passed.then((refusal) => refusal ?? attempt(deps, call));
  return passed ?? attempt(deps, call);
}

/**
 * From one stage on, to the first refusal. At once, as nearly every stage of nearly every call decides: waiting for
 * nothing costs a turn of the queue.
 */
function pass(
  stages: readonly Stage[],
  deps: PipelineDeps,
  call: Call,
  from = 0,
): Outcome | Promise<Outcome> {
  for (let index = from; index < stages.length; index += 1) {
    const decided = stages[index]?.(deps, call);
    if (decided instanceof Promise) {
      const next = index + 1;
      if (next === stages.length) return decided;
      return decided.then((refusal) => refusal ?? pass(stages, deps, call, next));
    }
    if (decided !== undefined) return decided;
  }
  return undefined;
}

/**
 * Sends the call, and once more by another way as long as that can be: each time is a provider call of its own, with
 * an intent before it and an event after it.
 */
async function attempt(deps: PipelineDeps, call: Call): Promise<Outcome> {
  for (;;) {
    if (call.reply.isClosed) leaveRoute(deps, call);
    if (call.attempt > 1) preferOpenAccount(deps, call);
    const passed = pass(BEFORE_EACH_ATTEMPT, deps, call);
    const refusal = passed instanceof Promise ? await passed : passed;
    if (refusal !== undefined) return endUnsent(deps, call, refusal);
    if (call.operation.isLastLook === true) call.lastLook = await takeLastLook(deps, call);
    const result = await forward(deps, call);
    call.accountTicket?.end(result.wasStarted);
    reportEnding(deps, call, result);
    const metered = meter(deps, call, result);
    const measurement = metered instanceof Promise ? await metered : metered;
    const event = await settle(deps, call, { result, measurement });
    spendTokens(call, event);
    const isOver = call.nextRoute === undefined || !(await startNextAttempt(deps, call));
    if (isOver) return finish(deps, call, { result, event });
  }
}

/** A limit, a budget or the journal refused the attempt: the client gets what a provider answered before, if one did. */
function endUnsent(deps: PipelineDeps, call: Call, refusal: Refusal): Outcome {
  leaveRoute(deps, call);
  call.accountTicket?.end(false);
  if (call.setAside === undefined) return refusal;
  const level = refusal.code === "journal_unavailable" ? "error" : "info";
  deps.log[level](
    { requestId: call.requestId, code: refusal.code },
    "a call was not sent a second time",
  );
  call.setAside.finishReply([]);
  return undefined;
}

/** An explicit zero in the ledger, and no price to tell the client. */
const COSTS_NOTHING_YET: ReadonlySet<UsageSource> = new Set<UsageSource>(["none", "deferred"]);

function finish(
  deps: PipelineDeps,
  call: Call,
  ended: { readonly result: ExchangeResult; readonly event: UsageEvent },
): Outcome {
  const { result, event } = ended;
  if (result.ending === "whole") {
    const isCostKnown = event.costPicos !== null && !COSTS_NOTHING_YET.has(event.usageSource);
    result.finishReply(
      isCostKnown && event.costPicos !== null
        ? ["x-keyward-cost-usd", formatUsd(event.costPicos)]
        : [],
    );
    return undefined;
  }
  if (result.ending === "client-gone") return undefined;
  if (result.ending === "revoked") return endRevoked(call, result);
  deps.log.warn(
    { requestId: call.requestId, fault: result.ending, err: result.fault },
    "a provider call broke off",
  );
  if (result.isHeadSent) {
    call.reply.cut();
    return undefined;
  }
  // The last way took no call at all, so what a provider answered before is the whole truth.
  if (!result.wasStarted && call.setAside !== undefined) {
    call.setAside.finishReply([]);
    return undefined;
  }
  return FAULT_REFUSALS[result.ending];
}

/** A client that had a part of the answer must not take it for the whole. */
function endRevoked(call: Call, { isHeadSent }: ExchangeResult): Outcome {
  if (!isHeadSent) return call.endedBy;
  call.reply.cut();
  return undefined;
}

const FAULT_REFUSALS: Readonly<
  Record<Exclude<ExchangeResult["ending"], "whole" | "client-gone" | "revoked">, Refusal>
> = {
  unreachable: {
    code: "upstream_unreachable",
    message:
      "No connection to the provider could be made; the call was not sent. Try again shortly.",
  },
  forbidden: {
    code: "upstream_not_allowed",
    message:
      "The provider's address is in a private network, and its host is not allowed by name; the call was not sent. Whoever runs this gateway can add the host to the setting allowedPrivateHosts; the log names it.",
  },
  timeout: {
    code: "upstream_timeout",
    message: "The provider did not answer in time. It may have carried out the call.",
  },
  // An answer is dropped for the sake of another attempt; this one's key was revoked just then, or its client left.
  dropped: {
    code: "upstream_failed",
    message: "The provider refused the call, and no other provider key can take it. Try again.",
  },
  broken: {
    code: "upstream_failed",
    message:
      "The provider closed the connection before its answer was whole. It may have carried out the call.",
  },
};
