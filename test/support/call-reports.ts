import { randomBytes } from "node:crypto";
import { IdFactory } from "../../src/core/ids/ids.ts";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import type { CallReport, RefusalReport } from "../../src/telemetry/call-observer.ts";
import { sampleEvent, sampleIntent } from "./sample-calls.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes });

type EventChange = Omit<Partial<UsageEvent>, "requestId"> & { readonly requestId?: string };

/** What observers are told of a call that went well. */
export function sampleCallReport(
  event: EventChange = {},
  change: Partial<Omit<CallReport, "event">> = {},
): CallReport {
  return {
    event: sampleEvent(sampleIntent(ids), event as Partial<UsageEvent>),
    environment: "development",
    ending: "whole",
    origin: "https://api.openai.com",
    trace: undefined,
    ...change,
  };
}

/** What observers are told of a stranger's call. */
export function sampleRefusalReport(change: Partial<RefusalReport> = {}): RefusalReport {
  return {
    requestId: ids.create("req"),
    code: "invalid_api_key",
    startedAtMs: 1_767_225_600_000,
    durationMs: 1,
    environment: null,
    environmentId: null,
    projectId: null,
    gatewayKeyId: null,
    customer: null,
    feature: null,
    operation: "chat.completions",
    method: "POST",
    path: "/v1/chat/completions",
    requestedModel: null,
    trace: undefined,
    ...change,
  };
}
