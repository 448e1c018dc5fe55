/**
 * What the data plane tells of calls, once each: after a provider call was settled, and when Keyward itself refused
 * one. Metrics, traces, the call log and the live feed each are an observer. An observer is called on the hot path: it
 * counts or queues and returns, it never throws and never waits. Nothing that was said in a body gets here.
 */
import type { ErrorCode } from "../core/errors/codes.ts";
import type { EnvironmentId, GatewayKeyId, ProjectId, RequestId } from "../core/ids/ids.ts";
import type { UsageEvent } from "../core/usage/usage-event.ts";
import type { TraceContext } from "./trace-context.ts";

/** How the exchange with the provider came to its end: whole, by the client's leaving, by its key's revocation, or by a fault. */
type CallEnding =
  | "whole"
  | "client-gone"
  | "dropped"
  | "revoked"
  | "unreachable"
  | "forbidden"
  | "timeout"
  | "broken";

/** A provider call that has ended; its event is in the journal. */
export interface CallReport {
  readonly event: UsageEvent;
  /** The environment's name. */
  readonly environment: string;
  readonly ending: CallEnding;
  /** Where it went: `https://api.openai.com`; null for a charge that has come later, which was no call by itself. */
  readonly origin: string | null;
  /** Undefined while tracing is off. */
  readonly trace: TraceContext | undefined;
}

/** A call that Keyward answered by itself: no provider was asked, there is no event. */
export interface RefusalReport {
  readonly requestId: RequestId;
  readonly code: ErrorCode;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Null where no key was recognised; so are the next four. */
  readonly environment: string | null;
  readonly environmentId: EnvironmentId | null;
  readonly projectId: ProjectId | null;
  readonly gatewayKeyId: GatewayKeyId | null;
  readonly customer: string | null;
  readonly feature: string | null;
  /** As in `UsageEvent`. */
  readonly operation: string;
  readonly method: string;
  /** Without query, at most 256 characters. */
  readonly path: string;
  /** At most 256 characters. */
  readonly requestedModel: string | null;
  readonly trace: TraceContext | undefined;
}

export interface CallObserver {
  callEnded(report: CallReport): void;
  callRefused(report: RefusalReport): void;
}

/** One observer that tells all of them, in their order. */
export function combineObservers(observers: readonly CallObserver[]): CallObserver {
  return {
    callEnded(report) {
      for (const observer of observers) observer.callEnded(report);
    },
    callRefused(report) {
      for (const observer of observers) observer.callRefused(report);
    },
  };
}
