import { performance } from "node:perf_hooks";
import type { Config } from "../config/config-schema.ts";
import type { Environment } from "../config/process-environment.ts";
import { readOtlpSettings } from "../config/read-otlp-settings.ts";
import type { ProviderRegistry } from "../providers/provider.ts";
import type { SharedFeed } from "../telemetry/call-feed.ts";
import { combineObservers, type CallObserver } from "../telemetry/call-observer.ts";
import type { GatewayGauges } from "../telemetry/gateway-gauges.ts";
import { LiveFeed } from "../telemetry/live/live-feed.ts";
import type { Log } from "../telemetry/log.ts";
import { createCallLog } from "../telemetry/log/call-log.ts";
import type { Otlp } from "../telemetry/otlp/otlp.ts";
import { Prometheus } from "../telemetry/prometheus/prometheus.ts";
import type { Tracing } from "../telemetry/trace-context.ts";
import { createRandomPool } from "./random-pool.ts";

export interface TelemetryRequest {
  readonly config: Pick<Config, "logCalls" | "otlpEndpoint" | "otlpHeaders">;
  readonly env: Environment;
  readonly version: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly providers: Pick<ProviderRegistry, "find">;
}

/** What is read of the other parts when somebody asks for metrics. */
type OtherGauges = Omit<GatewayGauges, "liveFeed" | "otlp">;

export interface Telemetry {
  readonly observer: CallObserver;
  readonly feed: SharedFeed;
  /** Undefined while tracing is off. */
  readonly tracing: Tracing | undefined;
  readonly metricsContentType: string;
  /** The answer to a scrape. */
  scrape(others: OtherGauges): Promise<string>;
  close(): Promise<void>;
}

/** With the clocks and the randomness of this process. */
export function startProcessTelemetry(
  request: Pick<TelemetryRequest, "config" | "env" | "version" | "log">,
  providers: TelemetryRequest["providers"],
): Promise<Telemetry> {
  return startTelemetry({
    ...request,
    providers,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    random: Math.random,
    randomBytes: createRandomPool(),
  });
}

/** Everything that watches calls: metrics always, the live feed for whoever reads it, the rest as the settings say. */
export async function startTelemetry(request: TelemetryRequest): Promise<Telemetry> {
  const prometheus = new Prometheus(request);
  const feed = new LiveFeed();
  const observers: CallObserver[] = [prometheus.observer, feed];
  if (request.config.logCalls) observers.push(createCallLog(request.log));
  const otlp = await startOtlp(request);
  if (otlp !== undefined) observers.push(otlp.observer);
  return {
    observer: combineObservers(observers),
    feed,
    tracing: otlp?.tracing,
    metricsContentType: prometheus.contentType,
    scrape: (others) =>
      prometheus.scrape({ ...others, liveFeed: () => feed.counts, otlp: () => otlp?.counts }),
    async close() {
      feed.close();
      prometheus.close();
      await otlp?.close();
    },
  };
}

/** Loaded where it is on: nobody else pays for it, at the start or in memory. */
async function startOtlp(request: TelemetryRequest): Promise<Otlp | undefined> {
  const { config, env, log } = request;
  const { settings, warnings } = readOtlpSettings(config, env);
  for (const warning of warnings)
    log.warn({ warning }, "a variable of OpenTelemetry is passed over");
  if (settings === undefined) return undefined;
  const { Otlp: Started } = await import("../telemetry/otlp/otlp.ts");
  const genAiNameOf = (name: string): string => request.providers.find(name)?.genAiName ?? name;
  return new Started({ ...request, settings, genAiNameOf });
}
