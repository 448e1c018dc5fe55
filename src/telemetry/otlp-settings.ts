/** Where OpenTelemetry data goes and what of it. Read from the settings and the standard variables by config/. */
export interface OtlpSettings {
  /** Null where that signal is off; one of the two is on. */
  readonly traces: OtlpTarget | null;
  readonly metrics: OtlpTarget | null;
  readonly serviceName: string;
  /** Of the resource, besides the service's name, version and instance. */
  readonly resource: readonly (readonly [name: string, value: string])[];
  readonly sampling: OtlpSampling;
  readonly metricIntervalMs: number;
}

export interface OtlpTarget {
  /** The whole one, with its path. May hold a secret: never shown. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly protocol: OtlpProtocol;
  readonly isCompressed: boolean;
  readonly timeoutMs: number;
}

export const OTLP_PROTOCOLS = ["http/protobuf", "http/json"] as const;
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

export interface OtlpSampling {
  /** Of the traces that begin here, from 0 to 1. */
  readonly ratio: number;
  /** Whether a caller's decision holds for its trace. */
  readonly isParentHeeded: boolean;
}
