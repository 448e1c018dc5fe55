import {
  OTLP_PROTOCOLS,
  type OtlpProtocol,
  type OtlpSampling,
  type OtlpSettings,
  type OtlpTarget,
} from "../telemetry/otlp-settings.ts";
import type { Config } from "./config-schema.ts";
import { isHttpUrl, parseOtlpHeaders, parsePairs } from "./otlp-pairs.ts";
import type { Environment } from "./process-environment.ts";

export interface ReadOtlpSettings {
  /** Undefined while it is off. */
  readonly settings: OtlpSettings | undefined;
  /**
   * What is wrong with the standard variables, for the log: they may have been set for other programs, so that, as their
   * specification wants it, a wrong one is passed over and not an error. Without values.
   */
  readonly warnings: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;
const DEFAULT_METRIC_INTERVAL_MS = 60_000;
const MIN_METRIC_INTERVAL_MS = 1_000;
const MAX_METRIC_INTERVAL_MS = 60 * 60_000;
const DEFAULT_SERVICE_NAME = "keyward";
const MAX_RESOURCE_ATTRIBUTES = 64;

type Signal = "traces" | "metrics";

/**
 * OpenTelemetry is off until an endpoint is named: by the setting `otlpEndpoint`, or by the standard variables. What
 * the setting does not say comes from these. Source: OpenTelemetry specification, "Environment Variable Specification"
 * and "OpenTelemetry Protocol Exporter".
 */
export function readOtlpSettings(
  config: Pick<Config, "otlpEndpoint" | "otlpHeaders">,
  env: Environment,
): ReadOtlpSettings {
  const read = new Reader(env);
  const off = { settings: undefined, warnings: read.warnings };
  if (read.text("OTEL_SDK_DISABLED")?.toLowerCase() === "true") return off;
  const traces = readTarget(read, config, "traces");
  const metrics = readTarget(read, config, "metrics");
  if (traces === null && metrics === null) return off;
  for (const name of UNREAD) {
    if (read.text(name) !== undefined) read.warn(name, "is not read; use NODE_EXTRA_CA_CERTS");
  }
  const resource = readResource(read);
  const settings: OtlpSettings = {
    traces,
    metrics,
    serviceName:
      read.text("OTEL_SERVICE_NAME") ??
      resource.find(([name]) => name === "service.name")?.[1] ??
      DEFAULT_SERVICE_NAME,
    resource: resource.filter(([name]) => name !== "service.name"),
    sampling: readSampling(read),
    metricIntervalMs: read.integer("OTEL_METRIC_EXPORT_INTERVAL", {
      fallback: DEFAULT_METRIC_INTERVAL_MS,
      least: MIN_METRIC_INTERVAL_MS,
      most: MAX_METRIC_INTERVAL_MS,
    }),
  };
  return { settings, warnings: read.warnings };
}

const UNREAD = ["OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] as const;

function readTarget(
  read: Reader,
  config: Pick<Config, "otlpEndpoint" | "otlpHeaders">,
  signal: Signal,
): OtlpTarget | null {
  const exporter = read.text(`OTEL_${signal.toUpperCase()}_EXPORTER`);
  if (exporter === "none") return null;
  const url =
    config.otlpEndpoint === null
      ? readStandardUrl(read, signal)
      : joinPath(config.otlpEndpoint, signal);
  if (url === undefined) return null;
  const protocol = readProtocol(read, signal, config.otlpEndpoint !== null);
  if (protocol === undefined) return null;
  return {
    url,
    headers: readHeaders(read, config, signal),
    protocol,
    isCompressed: read.word(ofSignal(signal, "COMPRESSION"), ["gzip", "none"]) === "gzip",
    timeoutMs: read.integer(ofSignal(signal, "TIMEOUT"), {
      fallback: DEFAULT_TIMEOUT_MS,
      least: 1,
      most: MAX_TIMEOUT_MS,
    }),
  };
}

/** The variable of the one signal before that of both. */
function ofSignal(signal: Signal, what: string): readonly string[] {
  return [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`, `OTEL_EXPORTER_OTLP_${what}`];
}

/** Of one signal it is the whole URL, of both the one that the signals' paths are appended to. */
function readStandardUrl(read: Reader, signal: Signal): string | undefined {
  const [own = "", common = ""] = ofSignal(signal, "ENDPOINT");
  const ownUrl = read.text(own);
  if (ownUrl !== undefined && isHttpUrl(ownUrl)) return ownUrl;
  if (ownUrl !== undefined) read.warn(own, "expected a URL that begins with http:// or https://");
  const commonUrl = read.text(common);
  if (commonUrl === undefined) return undefined;
  if (isHttpUrl(commonUrl)) return joinPath(commonUrl, signal);
  read.warn(common, "expected a URL that begins with http:// or https://");
  return undefined;
}

function joinPath(base: string, signal: Signal): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/v1/${signal}`;
  return url.href;
}

/**
 * A machine's variables may ask for gRPC, which is not spoken here: an endpoint that is meant for it is not sent
 * anything else. An endpoint that was set for Keyward is one for HTTP.
 */
function readProtocol(read: Reader, signal: Signal, isOwn: boolean): OtlpProtocol | undefined {
  const names = ofSignal(signal, "PROTOCOL");
  const asked = read.first(names);
  if (asked?.value === "grpc" && !isOwn) {
    read.warn(asked.name, `is grpc; Keyward sends ${signal} over HTTP only, so they are off`);
    return undefined;
  }
  return asked?.value === "grpc"
    ? "http/protobuf"
    : (read.word(names, OTLP_PROTOCOLS) ?? "http/protobuf");
}

function readHeaders(
  read: Reader,
  { otlpHeaders }: Pick<Config, "otlpHeaders">,
  signal: Signal,
): OtlpTarget["headers"] {
  if (otlpHeaders !== null) return parseOtlpHeaders(otlpHeaders) ?? [];
  const given = read.first(ofSignal(signal, "HEADERS"));
  if (given === undefined) return [];
  const headers = parseOtlpHeaders(given.value);
  if (headers === undefined) read.warn(given.name, "expected `name=value,name=value`");
  return headers ?? [];
}

function readResource(read: Reader): OtlpSettings["resource"] {
  const name = "OTEL_RESOURCE_ATTRIBUTES";
  const text = read.text(name);
  if (text === undefined) return [];
  const pairs = parsePairs(text);
  if (pairs === undefined) read.warn(name, "expected `name=value,name=value`");
  return pairs?.slice(0, MAX_RESOURCE_ATTRIBUTES) ?? [];
}

const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

function readSampling(read: Reader): OtlpSampling {
  const sampler = read.word(["OTEL_TRACES_SAMPLER"], SAMPLERS) ?? "parentbased_always_on";
  const isParentHeeded = sampler.startsWith("parentbased_");
  if (sampler.endsWith("always_on")) return { ratio: 1, isParentHeeded };
  if (sampler.endsWith("always_off")) return { ratio: 0, isParentHeeded };
  const name = "OTEL_TRACES_SAMPLER_ARG";
  const text = read.text(name) ?? "1";
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return { ratio, isParentHeeded };
  read.warn(name, "expected a number from 0 to 1");
  return { ratio: 1, isParentHeeded };
}

class Reader {
  readonly #env: Environment;
  readonly warnings: string[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  warn(name: string, message: string): void {
    const warning = `${name}: ${message}`;
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** An empty variable is one that is not set. */
  text(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === "" ? undefined : value;
  }

  first(names: readonly string[]): { name: string; value: string } | undefined {
    for (const name of names) {
      const value = this.text(name);
      if (value !== undefined) return { name, value };
    }
    return undefined;
  }

  word<Word extends string>(names: readonly string[], words: readonly Word[]): Word | undefined {
    const given = this.first(names);
    if (given === undefined) return undefined;
    const word = words.find((one) => one === given.value);
    if (word === undefined) this.warn(given.name, `expected one of ${words.join(", ")}`);
    return word;
  }

  integer(
    names: string | readonly string[],
    { fallback, least, most }: { fallback: number; least: number; most: number },
  ): number {
    const given = this.first(typeof names === "string" ? [names] : names);
    if (given === undefined) return fallback;
    const value = /^\d{1,9}$/.test(given.value) ? Number(given.value) : -1;
    if (value >= least && value <= most) return value;
    this.warn(given.name, `expected a whole number from ${least} to ${most}`);
    return fallback;
  }
}
