import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleCallReport, sampleRefusalReport } from "../../../test/support/call-reports.ts";
import { startOtlpReceiver, type OtlpReceiver } from "../../../test/support/otlp-receiver.ts";
import { until } from "../../../test/support/poll.ts";
import { parseUsd } from "../../core/money/picos.ts";
import type { CallReport } from "../call-observer.ts";
import type { OtlpProtocol, OtlpSettings } from "../otlp-settings.ts";
import type { TraceContext } from "../trace-context.ts";
import { OTLP_METRICS } from "./otlp-metrics.ts";
import { Otlp, type OtlpOptions } from "./otlp.ts";
import { CALL_SPAN_ATTRIBUTES } from "./span-attributes.ts";

const STARTED_MS = Date.UTC(2026, 0, 31, 9, 0, 0);
const TRACE: TraceContext = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "1111111111111111",
  isSampled: true,
  traceState: "vendor=1",
};

let receiver: OtlpReceiver;
let otlp: Otlp;
const logged: { fields: unknown; message: string }[] = [];
beforeEach(async () => {
  logged.length = 0;
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await otlp.close();
  await receiver.close();
});

const write = (fields: unknown, message: string): void => void logged.push({ fields, message });

function start(change: Partial<OtlpSettings> = {}, options: Partial<OtlpOptions> = {}): Otlp {
  otlp = new Otlp({
    settings: {
      traces: targetOf("traces"),
      metrics: targetOf("metrics"),
      serviceName: "gateway",
      resource: [["deployment.environment.name", "eu"]],
      sampling: { ratio: 1, isParentHeeded: true },
      metricIntervalMs: 3_600_000,
      ...change,
    },
    version: "1.2.3",
    log: { debug: write, info: write, warn: write, error: write },
    nowMs: () => STARTED_MS,
    random: () => 0.5,
    randomBytes,
    genAiNameOf: (provider) => (provider === "openai" ? "openai" : `test.${provider}`),
    pace: { firstRetryMs: 5, lastRetryMs: 20, maxWaitMs: 200, maxAttempts: 4 },
    limits: { maxWaiting: 20, batchSize: 8, delayMs: 1 },
    ...options,
  });
  return otlp;
}

function targetOf(signal: string, protocol: OtlpProtocol = "http/protobuf") {
  return {
    url: `${receiver.url}/v1/${signal}`,
    headers: [["x-tenant", "a b"]] as const,
    protocol,
    isCompressed: false,
    timeoutMs: 5_000,
  };
}

function fullReport(change: Partial<CallReport> = {}): CallReport {
  return sampleCallReport(
    {
      attempt: 2,
      startedAtMs: STARTED_MS,
      durationMs: 1_500,
      firstByteMs: 250,
      status: "succeeded",
      httpStatus: 200,
      operation: "chat.completions",
      isStream: true,
      requestedModel: "gpt-4o-mini",
      sentModel: "gpt-4o-mini-2024",
      servedModel: "gpt-4o-mini-2024-07-18",
      providerResponseId: "chatcmpl-1",
      serviceTier: "default",
      customer: "acme",
      feature: "voice-agent",
      usageSource: "reported",
      quantities: {
        input: 400,
        cachedInput: 100,
        cacheWriteInput: 7,
        output: 30,
        reasoningOutput: 20,
      },
      pricing: "priced",
      costPicos: parseUsd("0.000975"),
    } as never,
    { trace: TRACE, ...change },
  );
}

describe.each(["http/protobuf", "http/json"] as const)("OpenTelemetry over %s", (protocol) => {
  const startHere = (options?: Partial<OtlpOptions>) =>
    start(
      { traces: targetOf("traces", protocol), metrics: targetOf("metrics", protocol) },
      options,
    );

  it("tells of a call by the conventions for generative AI", async () => {
    startHere().observer.callEnded(fullReport());
    await until("a span is received", () => receiver.spans.length > 0);
    const { attributes, ...span } = receiver.spans[0] ?? { attributes: {} };
    expect(span).toMatchObject({
      traceId: TRACE.traceId,
      spanId: TRACE.spanId,
      parentSpanId: TRACE.parentSpanId,
      traceState: "vendor=1",
      flags: 0x301,
      name: "chat gpt-4o-mini",
      kind: "SPAN_KIND_CLIENT",
      startTimeUnixNano: "1769850000000000000",
      endTimeUnixNano: "1769850001500000000",
    });
    expect(attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.request.stream": true,
      "gen_ai.response.time_to_first_chunk": 0.25,
      "gen_ai.usage.input_tokens": 507,
      "gen_ai.usage.output_tokens": 50,
      "gen_ai.usage.cache_read.input_tokens": 100,
      "gen_ai.usage.cache_creation.input_tokens": 7,
      "gen_ai.usage.reasoning.output_tokens": 20,
      "server.address": "api.openai.com",
      "server.port": 443,
      "http.response.status_code": 200,
      "keyward.customer": "acme",
      "keyward.feature": "voice-agent",
      "keyward.cost.usd": 0.000975,
      "keyward.attempt": 2,
    });
    expect(attributes).not.toHaveProperty("error.type");
    const unknown = Object.keys(attributes).filter((name) => !(name in CALL_SPAN_ATTRIBUTES));
    expect(unknown).toEqual([]);
    expect(receiver.resources[0]).toMatchObject({
      "service.name": "gateway",
      "service.version": "1.2.3",
      "deployment.environment.name": "eu",
    });
    expect(receiver.requests[0]?.headers).toMatchObject({ "x-tenant": "a b" });
  });

  it("sums up durations, tokens, costs and refusals in the conventions' buckets", async () => {
    const { observer } = startHere();
    observer.callEnded(fullReport());
    observer.callEnded(fullReport());
    observer.callEnded(fullReport({ ending: "timeout" }));
    observer.callRefused(sampleRefusalReport({ code: "overloaded", environment: "production" }));
    await otlp.close();
    expect(receiver.metrics.map(({ name }) => name)).toEqual(Object.keys(OTLP_METRICS));
    const metric = (name: string) => receiver.metrics.find((one) => one.name === name);
    const duration = metric("gen_ai.client.operation.duration");
    expect(duration).toMatchObject({
      unit: "s",
      temporality: "AGGREGATION_TEMPORALITY_CUMULATIVE",
    });
    expect(duration?.points).toHaveLength(2);
    expect(duration?.points[0]).toMatchObject({
      count: "2",
      sum: 3,
      min: 1.5,
      max: 1.5,
      explicitBounds: [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
      ],
      bucketCounts: ["0", "0", "0", "0", "0", "0", "0", "0", "2", "0", "0", "0", "0", "0", "0"],
    });
    expect(duration?.points[1]?.attributes).toMatchObject({ "error.type": "timeout" });
    const usage = metric("gen_ai.client.token.usage");
    expect(usage?.unit).toBe("{token}");
    expect(
      usage?.points.map(({ attributes, sum }) => [attributes["gen_ai.token.type"], sum]),
    ).toEqual([
      ["input", 3 * 507],
      ["output", 3 * 50],
    ]);
    expect(usage?.points[0]?.explicitBounds).toEqual([
      1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
    ]);
    expect(metric("keyward.cost")).toMatchObject({ isMonotonic: true, unit: "{USD}" });
    expect(metric("keyward.cost")?.points[0]?.asDouble).toBeCloseTo(3 * 0.000975, 12);
    expect(metric("keyward.refusals")?.points).toMatchObject([
      {
        asDouble: 1,
        attributes: { "error.type": "overloaded", "keyward.environment": "production" },
      },
    ]);
    for (const { name, points } of receiver.metrics) {
      const known: readonly string[] = OTLP_METRICS[name as keyof typeof OTLP_METRICS].attributes;
      for (const { attributes } of points) {
        expect(Object.keys(attributes).filter((one) => !known.includes(one))).toEqual([]);
      }
    }
  });

  it("has the tokens and the cost of a charge that came later, and neither a time nor a place", async () => {
    const report = fullReport({ origin: null, trace: undefined });
    const event = { ...report.event, operation: "responses.deferred", durationMs: 0 };
    startHere().observer.callEnded({ ...report, event });
    await otlp.close();
    expect(receiver.metrics.map(({ name }) => name)).toEqual([
      "gen_ai.client.token.usage",
      "keyward.cost",
    ]);
    expect(receiver.metrics[0]?.points[0]?.attributes).not.toHaveProperty("server.address");
  });

  it("counts what a collector leaves out of what it has taken", async () => {
    receiver.answer = (res) => {
      if (protocol === "http/json") res.end('{"partialSuccess":{"rejectedSpans":"2"}}');
      else res.end(Buffer.from([0x0a, 0x05, 0x08, 0x02, 0x12, 0x01, 0x78]));
    };
    const { observer } = startHere();
    for (let i = 0; i < 3; i += 1) observer.callEnded(fullReport());
    await until("all are accounted for", () => otlp.counts.droppedSpans === 2);
    expect(otlp.counts).toMatchObject({ exportedSpans: 1, failedExports: 0 });
  });
});

describe("what a span says of an end", () => {
  it.each([
    ["a provider's refusal", { status: "failed", httpStatus: 429 }, "whole", "429"],
    ["a fault on the way", { status: "failed", httpStatus: null }, "unreachable", "unreachable"],
    ["an answer that broke off", { status: "interrupted", httpStatus: 200 }, "broken", "broken"],
    ["an error inside an answer", { status: "failed", httpStatus: 200 }, "whole", "provider_error"],
    ["a client that left", { status: "interrupted", httpStatus: 200 }, "client-gone", undefined],
  ] as const)("%s", async (_what, event, ending, expected) => {
    const report = fullReport({ ending });
    start().observer.callEnded({ ...report, event: { ...report.event, ...event } });
    await until("a span is received", () => receiver.spans.length > 0);
    const [span] = receiver.spans;
    expect(span?.attributes["error.type"]).toBe(expected);
    expect(span?.status.code).toBe(
      expected === undefined ? "STATUS_CODE_UNSET" : "STATUS_CODE_ERROR",
    );
  });

  it("has a refusal of a known key as a server's span, and none of a stranger's", async () => {
    const { observer } = start();
    observer.callRefused(sampleRefusalReport({ trace: TRACE }));
    observer.callRefused(
      sampleRefusalReport({ trace: TRACE, code: "model_not_allowed", environment: "production" }),
    );
    await until("a span is received", () => receiver.spans.length > 0);
    await otlp.close();
    expect(receiver.spans).toMatchObject([
      {
        name: "refused chat",
        kind: "SPAN_KIND_SERVER",
        attributes: { "error.type": "model_not_allowed", "http.response.status_code": 403 },
      },
    ]);
  });

  it("shows no key that a caller wrote where a name belongs, and sends no call that was not sampled", async () => {
    const secret = ["sk", "proj", "x".repeat(40)].join("-");
    const report = fullReport();
    const event = {
      requestedModel: secret,
      servedModel: secret,
      customer: secret,
      feature: secret,
    };
    const { observer } = start();
    observer.callEnded(fullReport({ trace: { ...TRACE, isSampled: false } }));
    observer.callEnded(fullReport({ trace: undefined }));
    observer.callEnded({ ...report, event: { ...report.event, ...event } });
    await otlp.close();
    expect(receiver.spans).toHaveLength(1);
    expect(JSON.stringify([receiver.spans, receiver.metrics])).not.toContain(secret);
  });
});

describe("a collector's bad day", () => {
  it("is waited for as long as it asks, and told again", async () => {
    const times: number[] = [];
    receiver.answer = (res) => {
      times.push(performance.now());
      if (times.length === 1) res.writeHead(503, { "retry-after-ms": "120" }).end();
      else res.writeHead(200).end();
    };
    start({ metrics: null }).observer.callEnded(fullReport());
    await until("the span is taken", () => otlp.counts.exportedSpans === 1);
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(119);
    expect(logged.map(({ message }) => message)).toEqual([
      expect.stringContaining("does not take data"),
      expect.stringContaining("takes data again"),
    ]);
  });

  it("costs the spans that do not fit into the queue, each counted, and one line of the log", async () => {
    const answers: (() => void)[] = [];
    receiver.answer = (res) => void answers.push(() => res.writeHead(200).end());
    const { observer } = start({ metrics: null });
    for (let i = 0; i < 100; i += 1) observer.callEnded(fullReport());
    await until("the first batch is sent", () => receiver.requests.length === 1);
    for (let i = 0; i < 100; i += 1) observer.callEnded(fullReport());
    // 8 are on their way, 20 wait.
    expect(otlp.counts).toMatchObject({ exportedSpans: 0, droppedSpans: 200 - 28 });
    await until("the rest is sent", () => {
      for (const answer of answers.splice(0)) answer();
      return otlp.counts.exportedSpans === 28;
    });
  });

  it.each([
    ["is not there", undefined, 4],
    ["always says later", (status: number) => status, 4],
    ["refuses for good", () => 401, 1],
    ["sends on to another", () => 307, 1],
  ])("is given up when it %s", async (_what, status, attempts) => {
    if (status === undefined) await receiver.close();
    receiver.answer = (res) => res.writeHead(status?.(503) ?? 500, { location: "/" }).end();
    start({ metrics: null }).observer.callEnded(fullReport());
    await until("it is given up", () => otlp.counts.failedExports === 1);
    expect(otlp.counts).toEqual({ exportedSpans: 0, droppedSpans: 1, failedExports: 1 });
    if (status !== undefined) expect(receiver.requests).toHaveLength(attempts);
    expect(logged).toHaveLength(1);
    expect(JSON.stringify(logged)).not.toContain("a b");
  });

  it("does not fill the memory with what it answers, nor wait for its end", async () => {
    receiver.answer = (res) => {
      res.writeHead(200);
      const more = (): void => {
        while (!res.destroyed && res.write(Buffer.alloc(64 * 1024)));
        if (!res.destroyed) res.once("drain", more);
      };
      more();
    };
    start({ metrics: null }).observer.callEnded(fullReport());
    await until("the span counts as taken", () => otlp.counts.exportedSpans === 1);
  });

  it("is nothing to a span that cannot be formatted: it is dropped, and said", async () => {
    const { observer } = start({ metrics: null });
    observer.callEnded(fullReport({ origin: "no origin" }));
    await until("it is dropped", () => otlp.counts.droppedSpans === 1);
    expect(logged).toMatchObject([{ message: "OpenTelemetry data could not be put together" }]);
    observer.callEnded(fullReport());
    await until("the next is taken", () => otlp.counts.exportedSpans === 1);
  });

  it("does not hold up a stop for longer than its grace", async () => {
    receiver.answer = () => undefined;
    start({ metrics: null }).observer.callEnded(fullReport());
    await until("the batch is sent", () => receiver.requests.length === 1);
    const before = performance.now();
    await otlp.close();
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(otlp.counts).toEqual({ exportedSpans: 0, droppedSpans: 1, failedExports: 1 });
  });

  it("bounds the series of metrics, whatever callers name", async () => {
    const { observer } = start({ traces: null });
    const report = fullReport();
    for (let i = 0; i < 5_000; i += 1) {
      const event = { ...report.event, requestedModel: `m-${i}`, servedModel: `s-${i % 97}` };
      observer.callEnded({ ...report, event, origin: `https://p${i % 53}.example.com` });
    }
    await otlp.close();
    const duration = receiver.metrics.find(
      ({ name }) => name === "gen_ai.client.operation.duration",
    );
    expect(duration?.points.length).toBe(2_001);
    const counts = duration?.points.map(({ count }) => Number(count)) ?? [];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5_000);
    expect(duration?.points.at(-1)?.attributes).toEqual({ "otel.metric.overflow": true });
    const models = new Set(
      duration?.points.map(({ attributes }) => attributes["gen_ai.request.model"]),
    );
    expect(models.size).toBeLessThanOrEqual(102);
  });
});
