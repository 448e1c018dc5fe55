import type { CallObserver } from "../call-observer.ts";
import type { GatewayGauges } from "../gateway-gauges.ts";
import { CallCounts } from "./call-counts.ts";
import { Exposition, EXPOSITION_CONTENT_TYPE } from "./exposition.ts";
import { ProcessFigures } from "./process-figures.ts";

export interface PrometheusOptions {
  readonly version: string;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** Metrics for Prometheus. Written here and not with a library; docs/adr has the figures. */
export class Prometheus {
  readonly contentType = EXPOSITION_CONTENT_TYPE;
  readonly #options: PrometheusOptions;
  readonly #counts = new CallCounts();
  readonly #process: ProcessFigures;

  constructor(options: PrometheusOptions) {
    this.#options = options;
    this.#process = new ProcessFigures(options);
  }

  get observer(): CallObserver {
    return this.#counts;
  }

  /** The text that a scrape is answered with. */
  async scrape(gauges: GatewayGauges): Promise<string> {
    const to = new Exposition();
    this.#counts.expose(to);
    exposeGauges(to, gauges);
    await this.#process.expose(to);
    to.add("keyward_build_info", 1, this.#options.version, process.version);
    return to.toString();
  }

  close(): void {
    this.#process.close();
  }
}

function exposeGauges(to: Exposition, gauges: GatewayGauges): void {
  to.add("keyward_in_flight_calls", gauges.inFlightCalls());
  const { open, idle } = gauges.upstreamConnections();
  to.add("keyward_upstream_connections", open - idle, "busy");
  to.add("keyward_upstream_connections", idle, "idle");
  const ledger = gauges.ledger();
  to.add("keyward_ledger_open_intents", ledger.openIntents);
  to.add("keyward_ledger_pending_events", ledger.pendingEvents);
  to.add("keyward_ledger_journal_bytes", ledger.journalBytes);
  if (ledger.lastFlushAtMs !== null) {
    to.add("keyward_ledger_last_flush_timestamp_seconds", ledger.lastFlushAtMs / 1000);
  }
  to.add("keyward_ledger_flush_failures_total", ledger.flushFailures);
  const live = gauges.liveFeed();
  to.add("keyward_live_readers", live.readers);
  to.add("keyward_live_dropped_total", live.dropped);
  const otlp = gauges.otlp();
  if (otlp === undefined) return;
  to.add("keyward_otlp_spans_total", otlp.exportedSpans, "exported");
  to.add("keyward_otlp_spans_total", otlp.droppedSpans, "dropped");
  to.add("keyward_otlp_failed_exports_total", otlp.failedExports);
}
