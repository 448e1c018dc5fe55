import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleCallReport } from "../../test/support/call-reports.ts";
import { startOtlpReceiver, type OtlpReceiver } from "../../test/support/otlp-receiver.ts";
import { simulatorProvider } from "../providers/simulator/simulator-provider.ts";
import { createProviders } from "./providers.ts";
import { startTelemetry, type Telemetry } from "./start-telemetry.ts";

let receiver: OtlpReceiver;
let telemetry: Telemetry | undefined;
const logged: { fields: unknown; message: string }[] = [];
beforeEach(async () => {
  logged.length = 0;
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  await telemetry?.close();
  await receiver.close();
});

const write = (fields: unknown, message: string): void => void logged.push({ fields, message });

async function start(env: Record<string, string>, logCalls = false): Promise<Telemetry> {
  telemetry = await startTelemetry({
    config: { logCalls, otlpEndpoint: null, otlpHeaders: null },
    env,
    version: "1.2.3",
    log: { debug: write, info: write, warn: write, error: write },
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    random: Math.random,
    randomBytes,
    providers: createProviders(simulatorProvider),
  });
  return telemetry;
}

const OTHERS = {
  inFlightCalls: () => 0,
  upstreamConnections: () => ({ open: 0, idle: 0 }),
  ledger: () => ({
    openIntents: 0,
    pendingEvents: 0,
    journalBytes: 0,
    lastFlushAtMs: null,
    flushFailures: 0,
  }),
};

describe("startTelemetry", () => {
  it("is without tracing and without its counts while no collector is named", async () => {
    const started = await start({});
    expect(started.tracing).toBeUndefined();
    expect(await started.scrape(OTHERS)).not.toContain("keyward_otlp_");
  });

  it("sends spans to the collector of the standard variable, and counts them for Prometheus", async () => {
    const started = await start(
      { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: "edge" },
      true,
    );
    const trace = started.tracing?.begin(undefined, undefined);
    started.observer.callEnded(sampleCallReport({ provider: "azure" }, { trace }));
    await started.close();
    expect(receiver.spans.map(({ traceId }) => traceId)).toEqual([trace?.traceId]);
    expect(receiver.spans[0]?.attributes["gen_ai.provider.name"]).toBe("azure.ai.openai");
    expect(receiver.resources[0]).toMatchObject({ "service.name": "edge" });
    expect(await started.scrape(OTHERS)).toContain(
      'keyward_otlp_spans_total{result="exported"} 1\n',
    );
    // The line of the log and the span can be found from each other.
    expect(logged).toMatchObject([
      { fields: { traceId: trace?.traceId }, message: "a call ended" },
    ]);
  });

  it("says which of the standard variables it passes over", async () => {
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317" });
    expect(logged).toMatchObject([
      { fields: { warning: expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT: /) as string } },
      // Both signals would have gone there; it is said once.
    ]);
  });
});
