import type { Config } from "../config/config-schema.ts";
import type { CallFeed } from "../telemetry/call-feed.ts";
import { combineObservers, type CallObserver } from "../telemetry/call-observer.ts";
import type { GatewayGauges } from "../telemetry/gateway-gauges.ts";
import { LiveFeed } from "../telemetry/live/live-feed.ts";
import type { Log } from "../telemetry/log.ts";
import { createCallLog } from "../telemetry/log/call-log.ts";
import { Prometheus } from "../telemetry/prometheus/prometheus.ts";

export interface TelemetryRequest {
  readonly config: Pick<Config, "logCalls">;
  readonly version: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
}

/** What is read of the other parts when somebody asks for metrics. */
type OtherGauges = Omit<GatewayGauges, "liveFeed" | "otlp">;

export interface Telemetry {
  readonly observer: CallObserver;
  readonly feed: CallFeed;
  readonly metricsContentType: string;
  /** The answer to a scrape. */
  scrape(others: OtherGauges): Promise<string>;
  close(): Promise<void>;
}

/** Everything that watches calls: metrics always, the live feed for whoever reads it, the rest as the settings say. */
export function startTelemetry(request: TelemetryRequest): Telemetry {
  const prometheus = new Prometheus(request);
  const feed = new LiveFeed();
  const observers: CallObserver[] = [prometheus.observer, feed];
  if (request.config.logCalls) observers.push(createCallLog(request.log));
  return {
    observer: combineObservers(observers),
    feed,
    metricsContentType: prometheus.contentType,
    scrape: (others) =>
      prometheus.scrape({ ...others, liveFeed: () => feed.counts, otlp: () => undefined }),
    async close() {
      feed.close();
      prometheus.close();
    },
  };
}
