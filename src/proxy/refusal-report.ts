import type { ErrorCode } from "../core/errors/codes.ts";
import type { RefusalReport } from "../telemetry/call-observer.ts";
import type { Call } from "./call.ts";

const MAX_REPORTED_CHARACTERS = 256;

/** What observers are told of a call that Keyward answers by itself. */
export function createRefusalReport(
  { monotonicMs }: { readonly monotonicMs: () => number },
  call: Call,
  code: ErrorCode,
): RefusalReport {
  const { key, request } = call;
  return {
    requestId: call.requestId,
    code,
    startedAtMs: call.startedAtMs,
    durationMs: Math.round(monotonicMs() - call.startedMonotonicMs),
    environment: key?.environmentName ?? null,
    environmentId: key?.environmentId ?? null,
    projectId: key?.projectId ?? null,
    gatewayKeyId: key?.id ?? null,
    customer: call.customer,
    feature: call.feature,
    operation: call.operation.name,
    method: request.method,
    path: request.path.slice(0, MAX_REPORTED_CHARACTERS),
    requestedModel: call.peeked?.model?.slice(0, MAX_REPORTED_CHARACTERS) ?? null,
    trace: call.trace,
  };
}
