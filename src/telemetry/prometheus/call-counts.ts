import { isTokenClass, QUANTITY_CLASSES } from "../../core/usage/quantities.ts";
import { lackOf, type UsageEvent } from "../../core/usage/usage-event.ts";
import type { CallObserver, CallReport, RefusalReport } from "../call-observer.ts";
import { ModelNames } from "../model-names.ts";
import type { Exposition } from "./exposition.ts";

const PICOS_PER_USD = 1e12;

/** Upper bounds in seconds. From a cached embedding to the longest answers of a reasoning model. */
const BOUNDS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320] as const;
const BOUNDS_MS = BOUNDS_SECONDS.map((seconds) => seconds * 1000);

/**
 * Counts calls as they end: a few look-ups by names that the process has already, and additions. Labels, sums and text
 * are made when somebody scrapes.
 */
export class CallCounts implements CallObserver {
  readonly #environments = new Map<string, EnvironmentCounts>();
  /** By environment (empty = none), then code. */
  readonly #refusals = new Map<string, Map<string, number>>();

  callEnded({ event, environment, ending }: CallReport): void {
    const { models, providers } = at(this.#environments, environment, createEnvironment);
    const pair = at(providers, event.provider, createPair);
    const operation = at(pair.operations, event.operation, createOperation);
    increase(operation.outcomes, outcomeOf(event));
    observe(operation.duration, event.durationMs);
    if (event.firstByteMs !== null) observe(operation.firstByte, event.firstByteMs);
    if (ending === "client-gone") pair.clientDisconnects += 1;
    else if (ending !== "whole") increase(pair.faults, ending);
    const lack = lackOf(event);
    if (lack !== null) increase(pair.uncosted, lack === "usage" ? "usage_unknown" : event.pricing);
    const isServed = event.status === "succeeded" || event.status === "interrupted";
    const name = models.labelOf(event, isServed);
    const model = at(pair.models, name, createModel);
    for (const quantity in event.quantities) {
      const count = event.quantities[quantity as keyof typeof event.quantities] ?? 0;
      if (count > 0) model.quantities.set(quantity, (model.quantities.get(quantity) ?? 0) + count);
    }
    if (event.costPicos !== null) model.costPicos += Number(event.costPicos);
  }

  callRefused({ environment, code }: RefusalReport): void {
    increase(at(this.#refusals, environment ?? "", createCounter), code);
  }

  /** Adds every series there is. */
  expose(to: Exposition): void {
    const pairs = [...this.#environments].flatMap(([environment, { providers }]) =>
      [...providers].map(([provider, counts]) => ({ environment, provider, counts })),
    );
    exposeOperations(to, pairs);
    exposeModels(to, pairs);
    for (const { environment, provider, counts } of pairs) {
      for (const [pricing, count] of counts.uncosted) {
        to.add("keyward_uncosted_calls_total", count, environment, provider, pricing);
      }
    }
    for (const { environment, provider, counts } of pairs) {
      for (const [fault, count] of counts.faults) {
        to.add("keyward_upstream_faults_total", count, environment, provider, fault);
      }
    }
    for (const { environment, provider, counts } of pairs) {
      const { clientDisconnects } = counts;
      to.add("keyward_client_disconnects_total", clientDisconnects, environment, provider);
    }
    for (const [environment, byCode] of this.#refusals) {
      for (const [code, count] of byCode)
        to.add("keyward_refusals_total", count, environment, code);
    }
  }
}

interface EnvironmentCounts {
  /** Of its own, so that what is tried out in development takes no name from production. */
  readonly models: ModelNames;
  readonly providers: Map<string, PairCounts>;
}

interface PairCounts {
  readonly operations: Map<string, OperationCounts>;
  readonly models: Map<string, ModelCounts>;
  readonly uncosted: Map<string, number>;
  readonly faults: Map<string, number>;
  clientDisconnects: number;
}

interface OperationCounts {
  /** By index of `OUTCOMES`. */
  readonly outcomes: Map<number, number>;
  readonly duration: MillisecondHistogram;
  readonly firstByte: MillisecondHistogram;
}

interface ModelCounts {
  readonly quantities: Map<string, number>;
  costPicos: number;
}

interface MillisecondHistogram {
  readonly counts: Float64Array;
  sumMs: number;
}

/** How a call ended and the class of its HTTP status, in one small number: nothing is put together per call. */
const STATUSES: readonly UsageEvent["status"][] = ["succeeded", "failed", "interrupted", "unknown"];
const HTTP_CLASSES = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"] as const;

function outcomeOf({ status, httpStatus }: UsageEvent): number {
  const httpClass = httpStatus === null ? 0 : Math.floor(httpStatus / 100);
  const isKnown = httpClass < HTTP_CLASSES.length;
  return STATUSES.indexOf(status) * HTTP_CLASSES.length + (isKnown ? httpClass : 0);
}

interface Pair {
  readonly environment: string;
  readonly provider: string;
  readonly counts: PairCounts;
}

function exposeOperations(to: Exposition, pairs: readonly Pair[]): void {
  const all = pairs.flatMap(({ environment, provider, counts }) =>
    [...counts.operations].map(([operation, its]) => ({
      labels: [environment, operation, provider],
      its,
    })),
  );
  for (const { labels, its } of all) {
    for (const [outcome, count] of its.outcomes) {
      const status = STATUSES[Math.floor(outcome / HTTP_CLASSES.length)] ?? "unknown";
      const httpStatus = HTTP_CLASSES[outcome % HTTP_CLASSES.length] ?? "none";
      to.add("keyward_calls_total", count, ...labels, status, httpStatus);
    }
  }
  for (const { labels, its } of all) {
    const value = secondsOf(its.duration);
    to.addHistogram("keyward_call_duration_seconds", value, BOUNDS_SECONDS, labels);
  }
  for (const { labels, its } of all) {
    const value = secondsOf(its.firstByte);
    to.addHistogram("keyward_call_first_byte_seconds", value, BOUNDS_SECONDS, labels);
  }
}

function exposeModels(to: Exposition, pairs: readonly Pair[]): void {
  const all = pairs.flatMap(({ environment, provider, counts }) =>
    [...counts.models].map(([model, its]) => ({ labels: [environment, provider, model], its })),
  );
  for (const isToken of [true, false]) {
    const name = isToken ? "keyward_tokens_total" : "keyward_units_total";
    for (const { labels, its } of all) {
      for (const quantity of QUANTITY_CLASSES) {
        const count = its.quantities.get(quantity);
        if (count === undefined || isTokenClass(quantity) !== isToken) continue;
        to.add(name, count, ...labels, quantity);
      }
    }
  }
  for (const { labels, its } of all) {
    to.add("keyward_cost_usd_total", its.costPicos / PICOS_PER_USD, ...labels);
  }
}

function secondsOf({ counts, sumMs }: MillisecondHistogram) {
  return { counts, sum: sumMs / 1000 };
}

function observe(histogram: MillisecondHistogram, valueMs: number): void {
  let bucket = 0;
  while (bucket < BOUNDS_MS.length && valueMs > (BOUNDS_MS[bucket] ?? 0)) bucket += 1;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sumMs += valueMs;
}

function at<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

function increase<Key>(map: Map<Key, number>, key: Key): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

const createEnvironment = (): EnvironmentCounts => ({
  models: new ModelNames(),
  providers: new Map(),
});
const createCounter = (): Map<string, number> => new Map();
const createPair = (): PairCounts => ({
  operations: new Map(),
  models: new Map(),
  uncosted: new Map(),
  faults: new Map(),
  clientDisconnects: 0,
});
const createHistogram = (): MillisecondHistogram => ({
  counts: new Float64Array(BOUNDS_MS.length + 1),
  sumMs: 0,
});
const createOperation = (): OperationCounts => ({
  outcomes: new Map(),
  duration: createHistogram(),
  firstByte: createHistogram(),
});
const createModel = (): ModelCounts => ({ quantities: new Map(), costPicos: 0 });
