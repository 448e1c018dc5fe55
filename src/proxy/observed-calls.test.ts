import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, onlyEvent, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson } from "../../test/support/upstream.ts";
import { way, waysFixture } from "../../test/support/ways.ts";
import type { Tracing } from "../telemetry/trace-context.ts";

const { start } = dataPlaneFixture();
const { provider, gatewayTo } = waysFixture();

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

/** Gives out two spans, whatever it is asked. */
function twoSpans(traceState: string | null, told: unknown[] = []): Tracing {
  const trace = { traceId: TRACE_ID, parentSpanId: null, isSampled: true, traceState };
  return {
    begin(...headers) {
      told.push(...headers);
      return { ...trace, spanId: "1111111111111111" };
    },
    again: () => ({ ...trace, spanId: "2222222222222222" }),
  };
}

describe("an observer", () => {
  it("is told of a settled call once, with the event that was journalled", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER));
    await (await post(gateway, CHAT)).body.dump();
    const event = await onlyEvent(gateway);
    expect(gateway.reports).toEqual({
      ended: [
        {
          event,
          environment: "development",
          ending: "whole",
          origin: upstream.url,
          trace: undefined,
        },
      ],
      refused: [],
    });
  });

  it("is told how a call ended that no provider answered", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER));
    await upstream.close();
    await (await post(gateway, CHAT)).body.dump();
    expect(gateway.reports.ended).toMatchObject([
      { ending: "unreachable", event: { status: "failed" } },
    ]);
    expect(gateway.reports.refused).toEqual([]);
  });

  it("is told of a call whose client has left", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "application/json" });
      res.write("{", () => gateway.hangUpOnAll());
    });
    await post(gateway, CHAT).catch(() => undefined);
    await until("the call is reported", () => gateway.reports.ended.length > 0);
    expect(gateway.reports.ended).toMatchObject([{ ending: "client-gone" }]);
  });

  it("is told of a refusal with what was known by then, and of no call", async () => {
    const { gateway } = await start(respondJson(ANSWER), {
      keyEntry: { allowedModels: new Set(["gpt-4o"]) },
    });
    await (await post(gateway, CHAT, { "x-keyward-customer": "acme" })).body.dump();
    const stranger = await request(`${gateway.url}/v1/models`);
    await stranger.body.dump();
    expect(gateway.reports.ended).toEqual([]);
    expect(gateway.reports.refused).toMatchObject([
      {
        code: "model_not_allowed",
        environment: "development",
        gatewayKeyId: "key_test",
        customer: "acme",
        operation: "chat.completions",
        requestedModel: "gpt-4o-mini",
      },
      { code: "invalid_api_key", environment: null, gatewayKeyId: null, path: "/v1/models" },
    ]);
  });
});

describe("a client's trace context", () => {
  it("passes as it came while tracing is off", async () => {
    const { gateway, upstream } = await start(respondJson(ANSWER));
    await (await post(gateway, CHAT, { traceparent: PARENT, tracestate: "a=1" })).body.dump();
    expect(upstream.seen[0]?.headers).toMatchObject({ traceparent: PARENT, tracestate: "a=1" });
  });

  it("is replaced by the gateway's own span while it is on", async () => {
    const told: unknown[] = [];
    const tracing = twoSpans("a=1", told);
    const { gateway, upstream } = await start(respondJson(ANSWER), { tracing });
    await (await post(gateway, CHAT, { traceparent: PARENT, tracestate: "a=1" })).body.dump();
    expect(told).toEqual([PARENT, "a=1"]);
    expect(upstream.seen[0]?.headers).toMatchObject({
      traceparent: `00-${TRACE_ID}-1111111111111111-01`,
      tracestate: "a=1",
    });
    expect(gateway.reports.ended[0]?.trace?.spanId).toBe("1111111111111111");
  });
});

describe("an observer of a failover", () => {
  it("is told of each attempt, each with a span of its own in the one trace", async () => {
    const first = await provider(respondJson({ error: { message: "busy" } }, 503));
    const second = await provider(respondJson(ANSWER));
    const { gateway } = await gatewayTo([way(first, "a"), way(second, "b")], {
      tracing: twoSpans(null),
    });
    const answer = await post(gateway, CHAT, { traceparent: PARENT });
    await answer.body.dump();
    expect(answer.statusCode).toBe(200);
    const spans = ["1111111111111111", "2222222222222222"];
    expect(gateway.reports.ended).toMatchObject([
      { event: { attempt: 1, status: "failed", httpStatus: 503 }, trace: { spanId: spans[0] } },
      { event: { attempt: 2, status: "succeeded" }, ending: "whole", trace: { spanId: spans[1] } },
    ]);
    expect(new Set(gateway.reports.ended.map(({ event }) => event.requestId)).size).toBe(1);
    expect([first, second].map(({ seen: [sent] }) => sent?.headers["traceparent"])).toEqual(
      spans.map((spanId) => `00-${TRACE_ID}-${spanId}-01`),
    );
  });

  it("is told once of an answer that breaks off, and how", async () => {
    const { gateway } = await start((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write('data: {"choices":[]}\n\n', () => res.destroy());
    });
    const answer = await post(gateway, { ...CHAT, stream: true });
    await answer.body.dump().catch(() => undefined);
    await until("the call is reported", () => gateway.reports.ended.length > 0);
    expect(gateway.reports.ended).toMatchObject([
      { ending: "broken", event: { status: "interrupted", httpStatus: 200 } },
    ]);
    expect(gateway.reports.refused).toEqual([]);
  });
});
