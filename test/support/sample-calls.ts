import type { IdFactory } from "../../src/core/ids/ids.ts";
import { picos } from "../../src/core/money/picos.ts";
import type { CallIntent, UsageEvent } from "../../src/core/usage/usage-event.ts";

/** An intent with something in every field. */
export function sampleIntent(ids: IdFactory, change: Partial<CallIntent> = {}): CallIntent {
  return {
    id: ids.create("evt"),
    requestId: ids.create("req"),
    attempt: 2,
    startedAtMs: 1_767_225_600_000,
    projectId: ids.create("prj"),
    environmentId: ids.create("env"),
    gatewayKeyId: ids.create("key"),
    customer: "acme",
    feature: "voice-agent",
    operation: "chat.completions",
    method: "POST",
    path: "/v1/chat/completions",
    provider: "openai",
    providerAccountId: ids.create("acc"),
    providerKeyId: ids.create("pky"),
    requestedModel: "gpt-4o-mini",
    isStream: true,
    holdPicos: picos(1_000_000_000n),
    ...change,
  };
}

/** The event that the intent's call becomes when it succeeds. */
export function sampleEvent(intent: CallIntent, change: Partial<UsageEvent> = {}): UsageEvent {
  return {
    ...intent,
    status: "succeeded",
    httpStatus: 200,
    durationMs: 1234,
    firstByteMs: 210,
    providerResponseId: `chatcmpl-${intent.id}`,
    sentModel: null,
    servedModel: "gpt-4o-mini-2024-07-18",
    serviceTier: "default",
    variant: null,
    usageSource: "reported",
    quantities: { input: 500, output: 1500 },
    pricing: "priced",
    costPicos: picos(975_000_000n),
    pricePicos: null,
    priceRowId: "openai/gpt-4o-mini/default@2024-07-18",
    ...change,
  };
}

/** The event of a call that began a batch. */
export function pendingCall(ids: IdFactory, change: Partial<CallIntent> = {}): UsageEvent {
  const intent = sampleIntent(ids, { ...change, operation: "batches", path: "/v1/batches" });
  const objectId = `batch_${intent.id}`;
  return sampleEvent(intent, {
    providerResponseId: objectId,
    usageSource: "deferred",
    quantities: {},
    costPicos: picos(0n),
    priceRowId: null,
    deferred: {
      step: "begun",
      work: { kind: "batch", objectId, path: `/batches/${objectId}` },
      firstCheckAtMs: intent.startedAtMs + 15_000,
    },
  });
}
