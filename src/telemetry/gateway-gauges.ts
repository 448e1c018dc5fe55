/**
 * What is read when somebody asks for metrics, and costs nothing until then.
 */
export interface GatewayGauges {
  inFlightCalls(): number;
  ledger(): {
    readonly openIntents: number;
    readonly pendingEvents: number;
    readonly journalBytes: number;
    readonly lastFlushAtMs: number | null;
    readonly flushFailures: number;
  };
  /** Connections to providers: open, and of these without a call. */
  upstreamConnections(): { readonly open: number; readonly idle: number };
  /** Readers of the live feed, and what the slow ones among them have missed. */
  liveFeed(): { readonly readers: number; readonly dropped: number };
  /** What was handed to the OpenTelemetry collector; undefined while that is off. */
  otlp(): OtlpCounts | undefined;
}

interface OtlpCounts {
  readonly exportedSpans: number;
  /** The queue was full, or the collector did not take them. */
  readonly droppedSpans: number;
  /** Of spans or of metrics, each after its retries. */
  readonly failedExports: number;
}
