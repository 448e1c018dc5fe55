import { request } from "undici";
import { describe, expect, it } from "vitest";
import { ANSWER, CHAT, onlyEvent, post } from "../../test/support/chat.ts";
import { dataPlaneFixture } from "../../test/support/data-plane-fixture.ts";
import { until } from "../../test/support/poll.ts";
import { respondJson } from "../../test/support/upstream.ts";
import type { Tracing } from "../telemetry/trace-context.ts";

const { start } = dataPlaneFixture();

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

describe("an observer", () => {
  it("is told of a settled call once, with the event that was journalled", async () => {
    const { gateway } = await start(respondJson(ANSWER));
    await (await post(gateway, CHAT)).body.dump();
    const event = await onlyEvent(gateway);
    expect(gateway.reports).toEqual({
      ended: [{ event, environment: "development", ending: "whole", trace: undefined }],
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
    const trace = { traceId: TRACE_ID, parentSpanId: null, isSampled: true, traceState: "a=1" };
    const tracing: Tracing = {
      begin(traceparent, tracestate) {
        told.push(traceparent, tracestate);
        return { ...trace, spanId: "1111111111111111" };
      },
      again: () => ({ ...trace, spanId: "2222222222222222" }),
    };
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
