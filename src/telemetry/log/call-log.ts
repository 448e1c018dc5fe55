import { formatUsd } from "../../core/money/picos.ts";
import { totalInputTokens, totalOutputTokens } from "../../core/usage/quantities.ts";
import type { CallObserver, CallReport } from "../call-observer.ts";
import type { Log } from "../log.ts";

/** One line a provider call that has ended: who, what, how much. Refusals have their lines already. */
export function createCallLog(log: Log): CallObserver {
  return {
    callEnded(report) {
      log.info(lineOf(report), "a call ended");
    },
    callRefused() {
      // The data plane logs refusals by itself, as loudly as the table of error codes says.
    },
  };
}

function lineOf({ event, environment, trace }: CallReport): Readonly<Record<string, unknown>> {
  return {
    requestId: event.requestId,
    ...(trace === undefined ? {} : { traceId: trace.traceId }),
    environment,
    keyId: event.gatewayKeyId,
    operation: event.operation,
    provider: event.provider,
    model: event.servedModel ?? event.requestedModel,
    status: event.status,
    httpStatus: event.httpStatus,
    inputTokens: totalInputTokens(event.quantities),
    outputTokens: totalOutputTokens(event.quantities),
    usageSource: event.usageSource,
    costUsd: event.costPicos === null ? null : formatUsd(event.costPicos),
    durationMs: event.durationMs,
    firstByteMs: event.firstByteMs,
  };
}
