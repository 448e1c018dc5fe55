import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleCallReport, sampleRefusalReport } from "../../../test/support/call-reports.ts";
import { picos } from "../../core/money/picos.ts";
import type { GatewayGauges } from "../gateway-gauges.ts";
import { MAX_MODEL_NAMES } from "../model-names.ts";
import { mergeExpositions } from "./merge-expositions.ts";
import { METRICS } from "./metrics.ts";
import { Prometheus } from "./prometheus.ts";

const GAUGES: GatewayGauges = {
  inFlightCalls: () => 3,
  ledger: () => ({
    openIntents: 3,
    pendingEvents: 7,
    journalBytes: 4096,
    lastFlushAtMs: 1_767_225_600_500,
    flushFailures: 2,
  }),
  upstreamConnections: () => ({ open: 5, idle: 2 }),
  liveFeed: () => ({ readers: 1, dropped: 9 }),
  otlp: () => ({ exportedSpans: 4, droppedSpans: 1, failedExports: 1 }),
};

const DELAY = "keyward_event_loop_delay_seconds";

let prometheus: Prometheus;
let monotonicMs = 0;
beforeEach(() => {
  monotonicMs = 0;
  prometheus = new Prometheus({
    version: "1.2.3",
    nowMs: () => 1_767_225_600_000,
    monotonicMs: () => monotonicMs,
  });
});
afterEach(() => prometheus.close());

/** Sample lines by what stands before the value. */
async function scrape(gauges = GAUGES): Promise<ReadonlyMap<string, number>> {
  const text = await prometheus.scrape(gauges);
  const samples = new Map<string, number>();
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("#")) continue;
    const match = /^(\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)$/.exec(line);
    if (match === null) throw new Error(`no line of the format: ${line}`);
    const [, series = "", value] = match;
    if (samples.has(series)) throw new Error(`twice: ${series}`);
    samples.set(series, Number(value));
  }
  return samples;
}

describe("a scrape", () => {
  it("counts calls, times, tokens and cost", async () => {
    for (const durationMs of [40, 300, 999_000]) {
      prometheus.observer.callEnded(
        sampleCallReport({
          durationMs,
          firstByteMs: 20,
          quantities: { input: 500, cachedInput: 100, output: 1500, images: 2 },
          costPicos: picos(975_000_000n),
        }),
      );
    }
    const samples = await scrape();
    const call = 'environment="development",operation="chat.completions",provider="openai"';
    const model = 'environment="development",provider="openai",model="gpt-4o-mini-2024-07-18"';
    expect(Object.fromEntries(samples)).toMatchObject({
      [`keyward_calls_total{${call},status="succeeded",http_status="2xx"}`]: 3,
      [`keyward_call_duration_seconds_bucket{${call},le="0.05"}`]: 1,
      [`keyward_call_duration_seconds_bucket{${call},le="0.25"}`]: 1,
      [`keyward_call_duration_seconds_bucket{${call},le="0.5"}`]: 2,
      [`keyward_call_duration_seconds_bucket{${call},le="320"}`]: 2,
      [`keyward_call_duration_seconds_bucket{${call},le="+Inf"}`]: 3,
      [`keyward_call_duration_seconds_sum{${call}}`]: 999.34,
      [`keyward_call_duration_seconds_count{${call}}`]: 3,
      [`keyward_call_first_byte_seconds_count{${call}}`]: 3,
      [`keyward_tokens_total{${model},class="input"}`]: 1500,
      [`keyward_tokens_total{${model},class="cachedInput"}`]: 300,
      [`keyward_tokens_total{${model},class="output"}`]: 4500,
      [`keyward_units_total{${model},class="images"}`]: 6,
      [`keyward_cost_usd_total{${model}}`]: 0.002925,
    });
  });

  it("tells faults, disconnects, refusals and calls without a cost apart", async () => {
    const failed = {
      status: "failed",
      httpStatus: null,
      firstByteMs: null,
      servedModel: null,
      costPicos: null,
      pricing: "unpriced",
    } as const;
    prometheus.observer.callEnded(sampleCallReport(failed, { ending: "timeout" }));
    prometheus.observer.callEnded(
      sampleCallReport({ status: "interrupted" }, { ending: "client-gone" }),
    );
    prometheus.observer.callRefused(sampleRefusalReport());
    prometheus.observer.callRefused(
      sampleRefusalReport({ environment: "staging", code: "overloaded" }),
    );
    const pair = 'environment="development",provider="openai"';
    expect(Object.fromEntries(await scrape())).toMatchObject({
      [`keyward_calls_total{environment="development",operation="chat.completions",provider="openai",status="failed",http_status="none"}`]: 1,
      [`keyward_upstream_faults_total{${pair},fault="timeout"}`]: 1,
      [`keyward_client_disconnects_total{${pair}}`]: 1,
      [`keyward_uncosted_calls_total{${pair},pricing="unpriced"}`]: 1,
      'keyward_refusals_total{environment="",code="invalid_api_key"}': 1,
      'keyward_refusals_total{environment="staging",code="overloaded"}': 1,
    });
  });

  it("reads the other parts when it is asked", async () => {
    expect(Object.fromEntries(await scrape())).toMatchObject({
      keyward_in_flight_calls: 3,
      'keyward_upstream_connections{state="busy"}': 3,
      'keyward_upstream_connections{state="idle"}': 2,
      keyward_ledger_pending_events: 7,
      keyward_ledger_last_flush_timestamp_seconds: 1_767_225_600.5,
      keyward_ledger_flush_failures_total: 2,
      keyward_live_dropped_total: 9,
      'keyward_otlp_spans_total{result="dropped"}': 1,
      [`keyward_build_info{version="1.2.3",node_version="${process.version}"}`]: 1,
    });
    const off = await scrape({ ...GAUGES, otlp: () => undefined });
    expect([...off.keys()].filter((series) => series.includes("otlp"))).toEqual([]);
  });

  it("has every metric of the table once there is something to tell, and no other", async () => {
    prometheus.observer.callEnded(
      sampleCallReport(
        { quantities: { input: 1, images: 1 }, pricing: "unpriced" },
        { ending: "broken" },
      ),
    );
    prometheus.observer.callRefused(sampleRefusalReport());
    const text = mergeExpositions([{ worker: 1, text: await prometheus.scrape(GAUGES) }]);
    const named = [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, found = ""]) => found);
    const table = Object.entries(METRICS).map(([name, { kind }]) => `${name} ${kind}`);
    expect(named.toSorted()).toEqual(table.toSorted());
  });

  it("shows two scrapers one window of the event loop's delay", async () => {
    const first = [...(await scrape())].filter(([series]) => series.startsWith(DELAY));
    monotonicMs = 9_000;
    const second = [...(await scrape())].filter(([series]) => series.startsWith(DELAY));
    expect(second).toEqual(first);
    expect(first).toHaveLength(3);
  });
});

describe("labels", () => {
  it("stay bounded under 10,000 models and customers, and the calls are all counted", async () => {
    for (let i = 0; i < 10_000; i++) {
      const model = `model-${i}`;
      prometheus.observer.callEnded(
        sampleCallReport({
          requestedModel: model,
          servedModel: model,
          customer: `customer-${i}`,
          feature: `feature-${i}`,
          quantities: { input: 1 },
        }),
      );
    }
    const samples = [...(await scrape())];
    const tokens = samples.filter(([series]) => series.startsWith("keyward_tokens_total"));
    expect(tokens).toHaveLength(MAX_MODEL_NAMES + 1);
    expect(tokens.reduce((sum, [, value]) => sum + value, 0)).toBe(10_000);
    expect(tokens.find(([series]) => series.includes('model="other"'))?.[1]).toBe(
      10_000 - MAX_MODEL_NAMES,
    );
    expect(samples.length).toBeLessThan(3 * MAX_MODEL_NAMES);
    expect(samples.filter(([series]) => /customer-|feature-/.test(series))).toEqual([]);
  });

  it("give made-up models that no provider served no place, in no environment but their own", async () => {
    const refusedByProvider = { status: "failed", httpStatus: 404, servedModel: null } as const;
    for (let i = 0; i < 1_000; i++) {
      prometheus.observer.callEnded(
        sampleCallReport({ ...refusedByProvider, requestedModel: `made-up-${i}` }),
      );
    }
    prometheus.observer.callEnded(sampleCallReport({ servedModel: "gpt-4o" }));
    const series = [...(await scrape()).keys()].filter((name) => name.includes("cost_usd"));
    expect(series.map((name) => /model="([^"]*)"/.exec(name)?.[1])).toEqual(["other", "gpt-4o"]);
  });

  it.each([
    ["a key", ["sk", "proj", "planted".repeat(4)].join("-")],
    ["a quote and a line break", 'gpt"} 1\nforged_total 1'],
    ["an overlong name", "x".repeat(101)],
  ])("never hold %s that a caller sent as the model", async (_what, model) => {
    prometheus.observer.callEnded(sampleCallReport({ requestedModel: model, servedModel: model }));
    const text = await prometheus.scrape(GAUGES);
    expect(text).not.toContain(model);
    expect(text).not.toMatch(/^forged/m);
    expect(text).toContain('model="other"');
  });

  it("escape the names of environments", async () => {
    prometheus.observer.callEnded(sampleCallReport({}, { environment: 'a"b\\c\nd' }));
    expect(await prometheus.scrape(GAUGES)).toContain('environment="a\\"b\\\\c\\nd"');
  });
});
