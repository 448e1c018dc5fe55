/**
 * OpenTelemetry: spans of calls and metrics about them, to a collector over OTLP/HTTP. Loaded only where it is on; on
 * a call's way it adds to sums and to a queue. Everything else is done when a batch is sent.
 */
import { randomUUID } from "node:crypto";
import {
  combineObservers,
  type CallObserver,
  type CallReport,
  type RefusalReport,
} from "../call-observer.ts";
import type { Log } from "../log.ts";
import type { OtlpSettings } from "../otlp-settings.ts";
import type { TraceContext, Tracing } from "../trace-context.ts";
import { BatchQueue, type BatchQueueLimits } from "./batch-queue.ts";
import { CallMetrics } from "./call-metrics.ts";
import { encodeMetrics, encodeTraces } from "./encode-protobuf.ts";
import type {
  KeyValue,
  MetricsRequest,
  Resource,
  Scope,
  Span,
  TraceRequest,
} from "./otlp-messages.ts";
import { OtlpSender, type Delivery, type OtlpPace } from "./otlp-sender.ts";
import { ServerAddresses } from "./server-address.ts";
import { SpanFormatter } from "./span-formatter.ts";
import { SpanTracing } from "./span-tracing.ts";

export interface OtlpOptions {
  readonly settings: OtlpSettings;
  readonly version: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** A provider's name by the conventions. */
  readonly genAiNameOf: (provider: string) => string;
  readonly pace?: OtlpPace;
  readonly limits?: BatchQueueLimits;
}

/** A batch is formatted in one go, in about a millisecond. What waits is some megabytes at the most. */
const DEFAULT_LIMITS: BatchQueueLimits = { maxWaiting: 4_096, batchSize: 256, delayMs: 1_000 };
/** How long a stop waits for the collector. */
const STOP_GRACE_MS = 2_000;

type WaitingSpan = { readonly trace: TraceContext } & (
  | { readonly call: CallReport }
  | { readonly refusal: RefusalReport }
);

export class Otlp {
  readonly observer: CallObserver;
  /** Undefined where traces are off. */
  readonly tracing: Tracing | undefined;
  readonly #options: OtlpOptions;
  readonly #resource: Resource;
  readonly #addresses = new ServerAddresses();
  readonly #formatter: SpanFormatter;
  readonly #traces:
    | { readonly sender: OtlpSender; readonly queue: BatchQueue<WaitingSpan> }
    | undefined;
  readonly #metrics: { readonly sender: OtlpSender; readonly calls: CallMetrics } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #metricsUnderWay: Promise<void> | undefined;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#resource = createResource(options);
    this.#formatter = new SpanFormatter(this.#addresses, options.genAiNameOf);
    const observers: CallObserver[] = [];
    this.#traces = this.#openTraces();
    if (this.#traces !== undefined) observers.push(observeSpans(this.#traces.queue));
    this.#metrics = this.#openMetrics();
    if (this.#metrics !== undefined) observers.push(this.#metrics.calls);
    this.observer = combineObservers(observers);
    this.tracing =
      this.#traces === undefined ? undefined : new SpanTracing({ ...options, ...options.settings });
  }

  get counts() {
    const { delivered = 0, dropped = 0 } = this.#traces?.queue.counts ?? {};
    return {
      exportedSpans: delivered,
      droppedSpans: dropped,
      failedExports:
        (this.#traces?.sender.failedExports ?? 0) + (this.#metrics?.sender.failedExports ?? 0),
    };
  }

  /** Sends what waits, for two seconds at the most. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const senders = [this.#traces, this.#metrics].flatMap((signal) => signal?.sender ?? []);
    for (const sender of senders) sender.stop(STOP_GRACE_MS);
    await Promise.all([this.#traces?.queue.close(), this.#sendLastMetrics()]);
    await Promise.all(senders.map((sender) => sender.close()));
  }

  #openTraces() {
    const { settings, limits = DEFAULT_LIMITS } = this.#options;
    if (settings.traces === null) return undefined;
    const sender = new OtlpSender({ ...this.#options, target: settings.traces, what: "spans" });
    const queue = new BatchQueue<WaitingSpan>({
      limits,
      deliver: async (batch) => {
        const delivery = await this.#send(sender, () => this.#encodeSpans(batch));
        return delivery.isTaken ? Math.max(0, batch.length - delivery.rejected) : 0;
      },
    });
    return { sender, queue };
  }

  #openMetrics() {
    const { settings, nowMs } = this.#options;
    if (settings.metrics === null) return undefined;
    const sender = new OtlpSender({ ...this.#options, target: settings.metrics, what: "metrics" });
    const calls = new CallMetrics({
      startedAtMs: nowMs(),
      addresses: this.#addresses,
      genAiNameOf: this.#options.genAiNameOf,
    });
    this.#timer = setInterval(() => this.#sendMetrics(), settings.metricIntervalMs).unref();
    return { sender, calls };
  }

  async #send(sender: OtlpSender, encode: () => Buffer): Promise<Delivery> {
    try {
      return await sender.send(encode());
    } catch (err) {
      // Recovered from: what watches calls must not end the process that carries them.
      this.#options.log.error({ err }, "OpenTelemetry data could not be put together");
      return { isTaken: false };
    }
  }

  #encodeSpans(batch: readonly WaitingSpan[]): Buffer {
    const spans = batch.map((one): Span => {
      return "call" in one
        ? this.#formatter.formatCall(one.call, one.trace)
        : this.#formatter.formatRefusal(one.refusal, one.trace);
    });
    const scopeSpans = [{ scope: this.#scope, spans }];
    const request: TraceRequest = { resourceSpans: [{ resource: this.#resource, scopeSpans }] };
    const isJson = this.#options.settings.traces?.protocol === "http/json";
    return isJson ? Buffer.from(JSON.stringify(request)) : encodeTraces(request);
  }

  /** One at a time: what is sent later says everything that an earlier one would have said. */
  #sendMetrics(): void {
    this.#metricsUnderWay ??= this.#sendMetricsNow().finally(() => {
      this.#metricsUnderWay = undefined;
    });
  }

  async #sendLastMetrics(): Promise<void> {
    await this.#metricsUnderWay;
    await this.#sendMetricsNow();
  }

  async #sendMetricsNow(): Promise<void> {
    if (this.#metrics === undefined) return;
    const { settings, nowMs } = this.#options;
    const metrics = this.#metrics.calls.collect(nowMs());
    if (metrics.length === 0) return;
    const scopeMetrics = [{ scope: this.#scope, metrics }];
    const request: MetricsRequest = {
      resourceMetrics: [{ resource: this.#resource, scopeMetrics }],
    };
    const isJson = settings.metrics?.protocol === "http/json";
    await this.#send(this.#metrics.sender, () =>
      isJson ? Buffer.from(JSON.stringify(request)) : encodeMetrics(request),
    );
  }

  get #scope(): Scope {
    return { name: "keyward", version: this.#options.version };
  }
}

/**
 * Sampled calls alone. A stranger's refused call makes no span: whoever has no key must not be able to fill the queue
 * with what nobody wants to see.
 */
function observeSpans(queue: BatchQueue<WaitingSpan>): CallObserver {
  return {
    callEnded(report) {
      if (report.trace?.isSampled === true) queue.push({ call: report, trace: report.trace });
    },
    callRefused(report) {
      if (report.trace?.isSampled === true && report.environment !== null) {
        queue.push({ refusal: report, trace: report.trace });
      }
    },
  };
}

/** Each process is an instance of its own: sums of two must not be taken for one. */
function createResource({ settings, version }: OtlpOptions): Resource {
  const attributes = new Map<string, string>([
    ["service.version", version],
    ["service.instance.id", randomUUID()],
    ...settings.resource,
    ["service.name", settings.serviceName],
  ]);
  return {
    attributes: [...attributes].map(([key, stringValue]): KeyValue => ({
      key,
      value: { stringValue },
    })),
  };
}
