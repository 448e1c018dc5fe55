import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { OtlpSampling } from "../otlp-settings.ts";
import { SpanTracing } from "./span-tracing.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const HEX = /^[\da-f]+$/;

function tracing(sampling: Partial<OtlpSampling> = {}): SpanTracing {
  return new SpanTracing({
    sampling: { ratio: 1, isParentHeeded: true, ...sampling },
    randomBytes,
  });
}

describe("SpanTracing", () => {
  it("goes on with a caller's trace", () => {
    const trace = tracing().begin(`00-${TRACE_ID}-${PARENT}-01`, "a=1,b=2");
    expect(trace).toMatchObject({
      traceId: TRACE_ID,
      parentSpanId: PARENT,
      isSampled: true,
      traceState: "a=1,b=2",
    });
    expect(trace.spanId).toMatch(/^[\da-f]{16}$/);
    expect(trace.spanId).not.toBe(PARENT);
  });

  it.each([undefined, "", "nonsense", `00-${TRACE_ID}-${PARENT}-01, 00-${TRACE_ID}-${PARENT}-01`])(
    "begins a trace of its own for %j, whatever state came with it",
    (traceparent) => {
      const trace = tracing().begin(traceparent, "a=1");
      expect(trace).toMatchObject({ parentSpanId: null, isSampled: true, traceState: null });
      expect(trace.traceId).toHaveLength(32);
      expect(trace.traceId).toMatch(HEX);
      expect(trace.traceId).not.toBe(TRACE_ID);
    },
  );

  it.each(["x".repeat(513), "a=\u0000", "a=\u00fc"])("drops a state that is none", (state) => {
    const trace = tracing().begin(`00-${TRACE_ID}-${PARENT}-01`, state);
    expect(trace.traceState).toBeNull();
  });

  it("heeds the caller's decision, unless it is told not to", () => {
    const unsampled = `00-${TRACE_ID}-${PARENT}-00`;
    expect(tracing().begin(unsampled, undefined).isSampled).toBe(false);
    expect(tracing({ ratio: 0 }).begin(`00-${TRACE_ID}-${PARENT}-01`, undefined).isSampled).toBe(
      true,
    );
    const own = tracing({ isParentHeeded: false });
    expect(own.begin(unsampled, undefined).isSampled).toBe(true);
  });

  it("takes the share of traces that it is told, each trace alike everywhere", () => {
    for (const ratio of [0, 0.1, 0.5, 0.9, 1]) {
      const [one, other] = [tracing({ ratio }), tracing({ ratio, isParentHeeded: false })];
      const count = 4_000;
      let taken = 0;
      for (let i = 0; i < count; i += 1) {
        const { isSampled, traceId } = one.begin(undefined, undefined);
        if (isSampled) taken += 1;
        expect(other.begin(`00-${traceId}-${PARENT}-00`, undefined).isSampled).toBe(isSampled);
      }
      // Eight standard deviations.
      expect(Math.abs(taken / count - ratio)).toBeLessThan(0.07);
    }
  });

  it("puts a further attempt beside the first below the caller's span, and below the first where there is none", () => {
    const spans = tracing();
    const below = spans.begin(`00-${TRACE_ID}-${PARENT}-01`, undefined);
    expect(spans.again(below)).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT });
    expect(spans.again(below).spanId).not.toBe(below.spanId);
    const first = spans.begin(undefined, undefined);
    const second = spans.again(first);
    expect(second.parentSpanId).toBe(first.spanId);
    expect(spans.again(second).parentSpanId).toBe(first.spanId);
  });
});
