/**
 * Where a call stands in a distributed trace, in the form of W3C Trace Context (https://www.w3.org/TR/trace-context/,
 * level 1, version 00).
 */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** Of Keyward's own span for the call: 16 lower-case hex digits. */
  readonly spanId: string;
  /** The caller's span; null where the trace begins here. */
  readonly parentSpanId: string | null;
  readonly isSampled: boolean;
  /** Passed on as it came; null where there is none. */
  readonly traceState: string | null;
}

/** Gives calls their places in traces. Absent while tracing is off: a client's own headers then pass as they came. */
export interface Tracing {
  /** The place of a call with these headers: below the client's span, or in a new trace. */
  begin(traceparent: string | undefined, tracestate: string | undefined): TraceContext;
  /** Another span of the same trace, for a further attempt at the same call. */
  again(trace: TraceContext): TraceContext;
}

/** What a `traceparent` header says. */
export interface RemoteParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** A later version may have more fields behind these four. */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const MAX_TRACEPARENT_CHARACTERS = 512;
const SAMPLED = 1;

/** Undefined for a value that the standard says to ignore. */
export function parseTraceparent(value: string | undefined): RemoteParent | undefined {
  if (value === undefined || value.length > MAX_TRACEPARENT_CHARACTERS) return undefined;
  const match = TRACEPARENT.exec(value.trim());
  if (match === null) return undefined;
  const [, version = "", traceId = "", spanId = "", flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01` */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
