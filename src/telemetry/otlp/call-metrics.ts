import { totalInputTokens, totalOutputTokens } from "../../core/usage/quantities.ts";
import type { CallObserver, CallReport, RefusalReport } from "../call-observer.ts";
import { ModelNames } from "../model-names.ts";
import { errorTypeOf } from "./error-type.ts";
import { conventionalOperation } from "./operation-names.ts";
import {
  CUMULATIVE,
  formatNanos,
  type HistogramDataPoint,
  type KeyValue,
  type Metric,
  type NumberDataPoint,
} from "./otlp-messages.ts";
import { OTLP_METRICS, type OtlpMetric, type OtlpMetricName } from "./otlp-metrics.ts";
import type { ServerAddresses } from "./server-address.ts";

const PICOS_PER_USD = 1e12;

/**
 * Series of one metric. Their attributes have few values each, but accounts and environments have no fixed number:
 * what comes beyond this goes into one that says so. Source: OpenTelemetry specification, "Cardinality limits".
 */
const MAX_SERIES = 2_000;
const OVERFLOW: readonly KeyValue[] = [{ key: "otel.metric.overflow", value: { boolValue: true } }];
/** Cannot stand in a value that is part of a key. */
const SEPARATOR = "\u0000";

export interface CallMetricsOptions {
  readonly startedAtMs: number;
  readonly addresses: ServerAddresses;
  /** The conventions' name of a provider. */
  readonly genAiNameOf: (provider: string) => string;
}

/** Adds up what OpenTelemetry's metrics say, from the start of the process; the protocol's form is made at an export. */
export class CallMetrics implements CallObserver {
  readonly #startedAtMs: number;
  readonly #addresses: ServerAddresses;
  readonly #genAiNameOf: (provider: string) => string;
  readonly #series: { readonly [Name in OtlpMetricName]: Map<string, Series> } = {
    "gen_ai.client.operation.duration": new Map(),
    "gen_ai.client.operation.time_to_first_chunk": new Map(),
    "gen_ai.client.token.usage": new Map(),
    "keyward.cost": new Map(),
    "keyward.refusals": new Map(),
  };
  /** By environment, so that what is tried out in development takes no name from production. */
  readonly #requested = new Map<string, ModelNames>();
  readonly #served = new Map<string, ModelNames>();

  constructor({ startedAtMs, addresses, genAiNameOf }: CallMetricsOptions) {
    this.#startedAtMs = startedAtMs;
    this.#addresses = addresses;
    this.#genAiNameOf = genAiNameOf;
  }

  callEnded(report: CallReport): void {
    const { event, environment, origin } = report;
    const isServed = event.status === "succeeded" || event.status === "interrupted";
    const requestModel = namesOf(this.#requested, environment).labelOf(
      { requestedModel: event.requestedModel, servedModel: null },
      isServed,
    );
    const responseModel =
      event.servedModel === null
        ? null
        : namesOf(this.#served, environment).labelOf(event, isServed);
    const labels: CallLabels = {
      operation: conventionalOperation(event.operation),
      provider: this.#genAiNameOf(event.provider),
      requestModel: event.requestedModel === null ? null : requestModel,
      responseModel,
      origin,
      environment,
    };
    const key = Object.values(labels).join(SEPARATOR);
    if (origin !== null) this.#observeTimes(report, labels, key);
    if (event.usageSource === "reported" || event.usageSource === "estimated") {
      this.#observeTokens("input", totalInputTokens(event.quantities), labels, key);
      this.#observeTokens("output", totalOutputTokens(event.quantities), labels, key);
    }
    if (event.costPicos !== null && event.costPicos !== 0n) {
      const cost = this.#at("keyward.cost", key, () => this.#attributesOf(labels));
      cost.sum += Number(event.costPicos) / PICOS_PER_USD;
    }
  }

  callRefused({ environment, code }: RefusalReport): void {
    const refusals = this.#at("keyward.refusals", `${environment ?? ""}${SEPARATOR}${code}`, () => [
      ...(environment === null ? [] : [text("keyward.environment", environment)]),
      text("error.type", code),
    ]);
    refusals.sum += 1;
  }

  /** All of them as they stand, in the protocol's form. */
  collect(nowMs: number): Metric[] {
    const times = {
      startTimeUnixNano: formatNanos(this.#startedAtMs),
      timeUnixNano: formatNanos(nowMs),
    };
    return Object.entries<OtlpMetric>(OTLP_METRICS).flatMap(([name, metric]) => {
      const series = [...this.#series[name as OtlpMetricName].values()];
      return series.length === 0 ? [] : [formatMetric(name, metric, { series, times })];
    });
  }

  #observeTimes(report: CallReport, labels: CallLabels, key: string): void {
    const { durationMs, firstByteMs, isStream } = report.event;
    const error = errorTypeOf(report);
    const duration = this.#at(
      "gen_ai.client.operation.duration",
      error === undefined ? key : `${key}${SEPARATOR}${error}`,
      () => [
        ...this.#attributesOf(labels),
        ...(error === undefined ? [] : [text("error.type", error)]),
      ],
    );
    observe(duration, durationMs / 1000);
    if (!isStream || firstByteMs === null) return;
    const name = "gen_ai.client.operation.time_to_first_chunk";
    observe(
      this.#at(name, key, () => this.#attributesOf(labels)),
      firstByteMs / 1000,
    );
  }

  #observeTokens(type: "input" | "output", count: number, labels: CallLabels, key: string): void {
    const usage = this.#at("gen_ai.client.token.usage", `${key}${SEPARATOR}${type}`, () => [
      ...this.#attributesOf(labels),
      text("gen_ai.token.type", type),
    ]);
    observe(usage, count);
  }

  #at(name: OtlpMetricName, key: string, attributesOf: () => readonly KeyValue[]): Series {
    const all = this.#series[name];
    const known = all.get(key);
    if (known !== undefined) return known;
    const isOverflow = all.size >= MAX_SERIES;
    const place = isOverflow ? SEPARATOR : key;
    let series = all.get(place);
    if (series === undefined) {
      const { bounds = [] }: OtlpMetric = OTLP_METRICS[name];
      series = createSeries(isOverflow ? OVERFLOW : attributesOf(), bounds);
      all.set(place, series);
    }
    return series;
  }

  #attributesOf({
    operation,
    provider,
    requestModel,
    responseModel,
    origin,
    environment,
  }: CallLabels) {
    const attributes: KeyValue[] = [
      text("gen_ai.operation.name", operation),
      text("gen_ai.provider.name", provider),
      text("keyward.environment", environment),
    ];
    if (origin !== null) {
      const { address, port } = this.#addresses.of(origin);
      attributes.push(text("server.address", address));
      attributes.push({ key: "server.port", value: { intValue: String(port) } });
    }
    if (requestModel !== null) attributes.push(text("gen_ai.request.model", requestModel));
    if (responseModel !== null) attributes.push(text("gen_ai.response.model", responseModel));
    return attributes;
  }
}

interface CallLabels {
  readonly operation: string;
  readonly provider: string;
  readonly requestModel: string | null;
  readonly responseModel: string | null;
  readonly origin: string | null;
  readonly environment: string;
}

interface Series {
  readonly attributes: readonly KeyValue[];
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  count: number;
  sum: number;
  min: number;
  max: number;
}

function createSeries(attributes: readonly KeyValue[], bounds: readonly number[]): Series {
  const counts = new Float64Array(bounds.length + 1);
  return { attributes, bounds, counts, count: 0, sum: 0, min: Infinity, max: -Infinity };
}

/** A bound belongs to the bucket below it. */
function observe(series: Series, value: number): void {
  const { bounds, counts } = series;
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  series.count += 1;
  series.sum += value;
  series.min = Math.min(series.min, value);
  series.max = Math.max(series.max, value);
}

function formatMetric(
  name: string,
  { kind, unit, description }: OtlpMetric,
  from: { readonly series: readonly Series[]; readonly times: Times },
): Metric {
  const { series, times } = from;
  const head = { name, description, unit };
  const aggregationTemporality = CUMULATIVE;
  if (kind === "sum") {
    const dataPoints = series.map(({ attributes, sum }): NumberDataPoint => ({
      ...times,
      asDouble: sum,
      attributes,
    }));
    return { ...head, sum: { dataPoints, aggregationTemporality, isMonotonic: true } };
  }
  const dataPoints = series.map(
    ({ attributes, bounds, counts, count, sum, min, max }): HistogramDataPoint => ({
      ...times,
      count: String(count),
      sum,
      bucketCounts: Array.from(counts, String),
      explicitBounds: bounds,
      attributes,
      min,
      max,
    }),
  );
  return { ...head, histogram: { dataPoints, aggregationTemporality } };
}

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

function namesOf(all: Map<string, ModelNames>, environment: string): ModelNames {
  let names = all.get(environment);
  if (names === undefined) all.set(environment, (names = new ModelNames()));
  return names;
}

function text(key: string, stringValue: string): KeyValue {
  return { key, value: { stringValue } };
}
