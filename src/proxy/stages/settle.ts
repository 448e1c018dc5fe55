import { ZERO_PICOS } from "../../core/money/picos.ts";
import type { PriceBook } from "../../core/pricing/price-book.ts";
import { firstCheckDelayMs } from "../../core/usage/deferred-schedule.ts";
import type { DeferredStep, UsageEvent } from "../../core/usage/usage-event.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { CallObserver, CallReport } from "../../telemetry/call-observer.ts";
import type { Log } from "../../telemetry/log.ts";
import { endedStep } from "../../wire/openai/deferred-work.ts";
import { requestedModel, sentModel, type Call } from "../call.ts";
import type { ExchangeResult } from "../exchange.ts";
import type { Measurement } from "./meter.ts";

export interface SettleDeps {
  readonly ledger: Ledger;
  readonly priceBook: PriceBook;
  readonly monotonicMs: () => number;
  readonly log: Log;
  readonly observer: Pick<CallObserver, "callEnded">;
}

const MAX_NAME_CHARACTERS = 256;

/** Prices the call and journals its event. Resolves when the event is in the journal. */
export async function settle(
  deps: SettleDeps,
  call: Call,
  ended: { readonly result: ExchangeResult; readonly measurement: Measurement },
): Promise<UsageEvent> {
  const { intent } = call;
  if (intent === undefined) throw new Error("settle comes after openIntent");
  const { result, measurement } = ended;
  const { facts } = result;
  const durationMs = Math.round(deps.monotonicMs() - call.attemptStartedMonotonicMs);
  const priced = price(deps, call, ended);
  const deferred = readDeferredStep(call, ended, durationMs);
  // Each member by its name: with other objects to take them from, this costs more than all pricing does.
  const charged: Complete<Omit<UsageEvent, "deferred">> = {
    id: intent.id,
    requestId: intent.requestId,
    attempt: intent.attempt,
    startedAtMs: intent.startedAtMs,
    projectId: intent.projectId,
    environmentId: intent.environmentId,
    gatewayKeyId: intent.gatewayKeyId,
    clientTokenId: intent.clientTokenId,
    customer: intent.customer,
    feature: intent.feature,
    operation: intent.operation,
    method: intent.method,
    path: intent.path,
    provider: intent.provider,
    providerAccountId: intent.providerAccountId,
    providerKeyId: intent.providerKeyId,
    // Of a form, these may have passed after the intent was written.
    requestedModel: intent.requestedModel ?? requestedModel(call),
    isStream: call.peeked?.isStream ?? intent.isStream,
    holdPicos: intent.holdPicos,
    status: measurement.status,
    usageSource: measurement.usageSource,
    quantities: measurement.quantities,
    variant: measurement.variant,
    httpStatus: result.httpStatus,
    durationMs,
    firstByteMs:
      result.firstByteAtMs === null
        ? null
        : Math.round(result.firstByteAtMs - call.attemptStartedMonotonicMs),
    providerResponseId: clip(facts.responseId),
    sentModel: sentInstead(call),
    servedModel: clip(facts.servedModel),
    serviceTier: clip(facts.serviceTier),
    pricing: priced.pricing,
    costPicos: priced.costPicos,
    priceRowId: priced.priceRowId,
    pricePicos: null,
    hold: call.hold,
  };
  const event: UsageEvent = deferred === undefined ? charged : { ...charged, deferred };
  call.hold?.settle(event);
  call.hold = undefined;
  try {
    await deps.ledger.settle(event);
  } catch (err) {
    // The ledger keeps the event in memory and flushes it all the same; the answer is the client's already.
    deps.log.error({ err, requestId: call.requestId }, "an event could not be journalled");
  }
  deps.observer.callEnded(createReport(call, event, result.ending));
  return event;
}

/** So that none of them is left out, optional ones too. */
type Complete<Event> = { readonly [Member in keyof Event]-?: Event[Member] | undefined } & Event;

/** What the store is to do about work that is charged apart from the call. */
function readDeferredStep(
  { operation, attemptStartedAtMs, lastLook }: Call,
  { result, measurement }: { readonly result: ExchangeResult; readonly measurement: Measurement },
  durationMs: number,
): DeferredStep | undefined {
  const { facts } = result;
  if (facts.deferred === null) return lastLook;
  if (measurement.usageSource === "deferred") {
    const { work } = facts.deferred;
    const firstCheckAtMs = attemptStartedAtMs + durationMs + firstCheckDelayMs(work.kind);
    return { step: "begun", work, firstCheckAtMs };
  }
  return operation.charges ? undefined : endedStep(facts);
}

function createReport(call: Call, event: UsageEvent, ending: CallReport["ending"]): CallReport {
  const { key, route, trace } = call;
  if (route === undefined) throw new Error("settle comes after route");
  return {
    event,
    environment: key?.environmentName ?? "",
    ending,
    origin: route.origin,
    trace,
  };
}

type Priced = Pick<UsageEvent, "pricing" | "costPicos" | "priceRowId">;

function price(
  deps: SettleDeps,
  call: Call,
  ended: { readonly result: ExchangeResult; readonly measurement: Measurement },
): Priced {
  const { measurement, result } = ended;
  const free: Priced = { pricing: "priced", costPicos: ZERO_PICOS, priceRowId: null };
  if (call.route?.provider.isFree === true) return free;
  if (!call.operation.charges && measurement.usageSource === "none") return free;
  if (measurement.usageSource === "deferred") return free;
  if (measurement.usageSource === "unknown") {
    return { pricing: "unpriced", costPicos: null, priceRowId: null };
  }
  if (measurement.usageSource === "none") {
    const consumedNothing = !result.wasStarted || measurement.status === "failed";
    return consumedNothing ? free : { pricing: "unmetered", costPicos: null, priceRowId: null };
  }
  const rating = deps.priceBook.rate({
    provider: call.route?.pricedAs ?? "",
    model: result.facts.servedModel ?? sentModel(call),
    serviceTier: result.facts.serviceTier,
    variant: measurement.variant,
    atMs: call.attemptStartedAtMs,
    quantities: measurement.quantities,
  });
  if (rating.pricing === "unpriced") {
    deps.log.warn(
      { requestId: call.requestId, model: clip(result.facts.servedModel), reason: rating.reason },
      "a call could not be priced",
    );
  }
  return { pricing: rating.pricing, costPicos: rating.costPicos, priceRowId: rating.priceRowId };
}

/** The model that a routing rule put in place of the requested one. */
function sentInstead({ upstreamModel, peeked }: Call): string | null {
  return upstreamModel === null || upstreamModel === peeked?.model ? null : clip(upstreamModel);
}

/** Names come from the provider; a column and a table cell have an end. */
function clip(name: string | null): string | null {
  return name === null ? null : name.slice(0, MAX_NAME_CHARACTERS);
}
