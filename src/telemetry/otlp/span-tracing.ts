import type { OtlpSampling } from "../otlp-settings.ts";
import { parseTraceparent, type TraceContext, type Tracing } from "../trace-context.ts";

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** The last 52 of the 56 bits of a trace id that are random by the standard: exact in a number. */
const RANDOM_DIGITS = [18, 31] as const;
const RANDOM_VALUES = 2 ** 52;

/** Longer ones may be cut by whoever passes them on, so they are dropped. Source: W3C Trace Context, section 3.3. */
const MAX_TRACE_STATE_CHARACTERS = 512;
const TRACE_STATE = /^[\x20-\x7e]+$/;

export interface SpanTracingOptions {
  readonly sampling: OtlpSampling;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** Places in traces: below the caller's span, or in a trace of their own. */
export class SpanTracing implements Tracing {
  readonly #options: SpanTracingOptions;

  constructor(options: SpanTracingOptions) {
    this.#options = options;
  }

  begin(traceparent: string | undefined, tracestate: string | undefined): TraceContext {
    const parent = parseTraceparent(traceparent);
    const traceId = parent?.traceId ?? this.#createId(TRACE_ID_BYTES);
    const isHeeded = this.#options.sampling.isParentHeeded && parent !== undefined;
    return {
      traceId,
      spanId: this.#createId(SPAN_ID_BYTES),
      parentSpanId: parent?.spanId ?? null,
      isSampled: isHeeded ? parent.isSampled : this.#isChosen(traceId),
      traceState: parent === undefined ? null : readTraceState(tracestate),
    };
  }

  /** Beside the first under the caller's span; where the trace begins here, below the first, so that it has one root. */
  again(trace: TraceContext): TraceContext {
    return {
      ...trace,
      spanId: this.#createId(SPAN_ID_BYTES),
      parentSpanId: trace.parentSpanId ?? trace.spanId,
    };
  }

  /** By the trace's id, so that all who take the same share decide alike. */
  #isChosen(traceId: string): boolean {
    const { ratio } = this.#options.sampling;
    if (ratio === 1) return true;
    const randomness = Number.parseInt(traceId.slice(...RANDOM_DIGITS), 16);
    return randomness >= (1 - ratio) * RANDOM_VALUES;
  }

  /** All zeros is no id, and is not drawn in the life of the universe. */
  #createId(bytes: number): string {
    return Buffer.from(this.#options.randomBytes(bytes)).toString("hex");
  }
}

function readTraceState(value: string | undefined): string | null {
  if (value === undefined || value.length > MAX_TRACE_STATE_CHARACTERS) return null;
  return TRACE_STATE.test(value) ? value : null;
}
