import { ZERO_PICOS } from "../core/money/picos.ts";
import { NO_QUANTITIES } from "../core/usage/quantities.ts";
import type { CallIntent, UsageEvent } from "../core/usage/usage-event.ts";

/**
 * What an intent becomes whose settlement never came: the process died between sending and settling, so the provider
 * may have charged for the call. The hold stands in for its cost, the customer is charged nothing, and the status
 * leaves it to reconciliation.
 */
export function unknownEvent(intent: CallIntent): UsageEvent {
  const { deferred } = intent;
  if (deferred?.step !== "begun") return eventOf(intent);
  return { ...eventOf(intent), ...DEFERRED, providerResponseId: deferred.work.objectId };
}

/** The provider works on and can be asked: what that costs comes as an event of its own. */
const DEFERRED = {
  status: "interrupted",
  usageSource: "deferred",
  pricing: "priced",
  costPicos: ZERO_PICOS,
} as const;

function eventOf(intent: CallIntent): UsageEvent {
  return {
    ...intent,
    status: "unknown",
    httpStatus: null,
    durationMs: 0,
    firstByteMs: null,
    providerResponseId: null,
    sentModel: null,
    servedModel: null,
    serviceTier: null,
    variant: null,
    usageSource: "unknown",
    quantities: NO_QUANTITIES,
    pricing: "unpriced",
    costPicos: intent.holdPicos,
    pricePicos: ZERO_PICOS,
    priceRowId: null,
  };
}
