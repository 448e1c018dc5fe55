import { describe, expect, it } from "vitest";
import { readOtlpSettings } from "./read-otlp-settings.ts";

const NONE = { otlpEndpoint: null, otlpHeaders: null };
const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

const read = (env: Record<string, string>, config: Partial<typeof NONE> | object = {}) =>
  readOtlpSettings({ ...NONE, ...config }, env);

describe("readOtlpSettings", () => {
  it.each([
    ["nothing is set", {}],
    ["the endpoint is empty", { OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    ["only other variables are set", { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }],
    ["the SDK is disabled", { ...COLLECTOR, OTEL_SDK_DISABLED: "True" }],
    [
      "both exporters are none",
      { ...COLLECTOR, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" },
    ],
  ])("is off when %s", (_what, env) => {
    expect(read(env)).toEqual({ settings: undefined, warnings: [] });
  });

  it("takes the endpoint of both signals, with their paths", () => {
    const { settings, warnings } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example.com/base/",
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b%3D, X-Tenant = 1",
    });
    expect(warnings).toEqual([]);
    expect(settings).toEqual({
      traces: {
        url: "https://otlp.example.com/base/v1/traces",
        headers: [
          ["api-key", "a b="],
          ["x-tenant", "1"],
        ],
        protocol: "http/protobuf",
        isCompressed: false,
        timeoutMs: 10_000,
      },
      metrics: expect.objectContaining({ url: "https://otlp.example.com/base/v1/metrics" }),
      serviceName: "keyward",
      resource: [],
      sampling: { ratio: 1, isParentHeeded: true },
      metricIntervalMs: 60_000,
    });
  });

  it("takes what is said of one signal before what is said of both", () => {
    const { settings } = read({
      ...COLLECTOR,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces:4318/as/it/stands",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "a=1",
      OTEL_EXPORTER_OTLP_HEADERS: "b=2",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none",
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "500",
    });
    expect(settings?.traces).toEqual({
      url: "http://traces:4318/as/it/stands",
      headers: [["a", "1"]],
      protocol: "http/protobuf",
      isCompressed: false,
      timeoutMs: 10_000,
    });
    expect(settings?.metrics).toEqual({
      url: "http://collector:4318/v1/metrics",
      headers: [["b", "2"]],
      protocol: "http/json",
      isCompressed: true,
      timeoutMs: 500,
    });
  });

  it("takes the settings before the variables", () => {
    const config = { otlpEndpoint: "http://own:4318", otlpHeaders: "c=3" };
    const env = { ...COLLECTOR, OTEL_EXPORTER_OTLP_HEADERS: "b=2", OTEL_TRACES_EXPORTER: "none" };
    const { settings } = read(env, config);
    expect(settings?.traces).toBeNull();
    expect(settings?.metrics).toMatchObject({
      url: "http://own:4318/v1/metrics",
      headers: [["c", "3"]],
    });
  });

  it("names the service and describes it", () => {
    const attributes = "service.name=from-attributes,deployment.environment.name=eu%20west";
    const env = { ...COLLECTOR, OTEL_RESOURCE_ATTRIBUTES: attributes };
    expect(read(env).settings).toMatchObject({
      serviceName: "from-attributes",
      resource: [["deployment.environment.name", "eu west"]],
    });
    expect(read({ ...env, OTEL_SERVICE_NAME: "own" }).settings?.serviceName).toBe("own");
  });

  it.each([
    ["always_on", "", { ratio: 1, isParentHeeded: false }],
    ["always_off", "", { ratio: 0, isParentHeeded: false }],
    ["traceidratio", "0.25", { ratio: 0.25, isParentHeeded: false }],
    ["parentbased_traceidratio", "0.5", { ratio: 0.5, isParentHeeded: true }],
    ["parentbased_always_off", "", { ratio: 0, isParentHeeded: true }],
  ])("samples as %s %s says", (sampler, share, expected) => {
    const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: share };
    expect(read({ ...COLLECTOR, ...env }).settings?.sampling).toEqual(expected);
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no-value"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0ac: d"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a b=c"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "a=%zz"],
    ["OTEL_EXPORTER_OTLP_TIMEOUT", "10s"],
    ["OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"],
    ["OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"],
    ["OTEL_RESOURCE_ATTRIBUTES", "=x"],
    ["OTEL_TRACES_SAMPLER", "sometimes"],
    ["OTEL_METRIC_EXPORT_INTERVAL", "1min"],
  ])("warns of %s=%s once, without its value, and goes on without it", (name, value) => {
    const { settings, warnings } = read({ ...COLLECTOR, [name]: value });
    expect(settings).toEqual(read(COLLECTOR).settings);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${name}: `);
    expect(warnings[0]).not.toContain(value);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "not a url" }],
    [{ ...COLLECTOR, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }],
  ])("stays off, and says so, for %j", (env) => {
    const { settings, warnings } = read(env);
    expect(settings).toBeUndefined();
    expect(warnings.length).toBeGreaterThan(0);
  });

  it("sends to an endpoint that was set for Keyward, though a machine's variable asks for gRPC", () => {
    const { settings, warnings } = read(
      { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      { otlpEndpoint: "http://own:4318" },
    );
    expect(settings?.traces?.protocol).toBe("http/protobuf");
    expect(warnings).toEqual([]);
  });
});
