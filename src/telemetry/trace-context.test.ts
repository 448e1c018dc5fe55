import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceparent } from "./trace-context.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";

describe("traceparent", () => {
  it("reads what it writes", () => {
    for (const isSampled of [true, false]) {
      const place = { traceId: TRACE_ID, spanId: SPAN_ID, isSampled };
      const text = formatTraceparent({ ...place, parentSpanId: null, traceState: null });
      expect(parseTraceparent(text)).toEqual(place);
    }
  });

  it("takes a later version with more fields, and flags it does not know", () => {
    expect(parseTraceparent(`01-${TRACE_ID}-${SPAN_ID}-03-more`)).toMatchObject({
      traceId: TRACE_ID,
      isSampled: true,
    });
  });

  it.each([
    ["nothing", undefined],
    ["an empty value", ""],
    ["the version that is forbidden", `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ["more fields than its version has", `00-${TRACE_ID}-${SPAN_ID}-01-more`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN_ID}-01`],
    ["a span of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
    ["upper case", `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
    ["what is too short", `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
    ["two values in one", `00-${TRACE_ID}-${SPAN_ID}-01, 00-${TRACE_ID}-${SPAN_ID}-01`],
    ["what is too long", `01-${TRACE_ID}-${SPAN_ID}-01-${"x".repeat(600)}`],
  ])("ignores %s", (_what, value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });
});
