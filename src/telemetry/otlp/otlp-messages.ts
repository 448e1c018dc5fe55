/**
 * The messages of OpenTelemetry's protocol that Keyward sends, in the form of their JSON mapping: ids in hex, 64-bit
 * numbers as decimal text, enums as numbers. `encode-protobuf.ts` writes the same objects in binary.
 * Source: opentelemetry-proto 1.x (trace/v1, metrics/v1, common/v1, resource/v1), and the OTLP specification.
 */
export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number };

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export const SPAN_KIND = { server: 2, client: 3 } as const;
export const STATUS_CODE = { unset: 0, error: 2 } as const;
/** Sums and histograms since the process began, as Prometheus-like backends want them. */
export const CUMULATIVE = 2;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: number };
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
}

export interface Scope {
  readonly name: string;
  readonly version: string;
}

export interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly scope: Scope; readonly spans: readonly Span[] }[];
  }[];
}

interface DataPoint {
  readonly attributes: readonly KeyValue[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

export interface HistogramDataPoint extends DataPoint {
  readonly count: string;
  readonly sum: number;
  readonly bucketCounts: readonly string[];
  readonly explicitBounds: readonly number[];
  readonly min: number;
  readonly max: number;
}

export interface NumberDataPoint extends DataPoint {
  readonly asDouble: number;
}

export interface Metric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly sum?: {
    readonly dataPoints: readonly NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: {
    readonly dataPoints: readonly HistogramDataPoint[];
    readonly aggregationTemporality: number;
  };
}

export interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly {
      readonly scope: Scope;
      readonly metrics: readonly Metric[];
    }[];
  }[];
}

/** Milliseconds since the epoch, as the protocol has times. */
export function formatNanos(ms: number): string {
  return `${Math.round(ms)}000000`;
}
