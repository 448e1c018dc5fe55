import { describe, expect, it } from "vitest";
import type { components } from "../../admin/api-types.ts";
import { formatLiveCall, formatLiveRefusal, liveHeader } from "./format-live.ts";

type LiveCall = components["schemas"]["LiveCall"];

const CALL = {
  requestId: "req_01JZ6Y4V2S8W3N5R7T9X0B1C2D",
  startedAt: "2026-01-31T09:30:12.345Z",
  durationMs: 1234,
  status: "succeeded",
  httpStatus: 200,
  environment: "production",
  operation: "chat.completions",
  method: "POST",
  path: "/v1/chat/completions",
  requestedModel: "gpt-4o-mini",
  servedModel: "gpt-4o-mini-2024-07-18",
  inputTokens: 500,
  outputTokens: 1500,
  quantities: { input: 500, output: 1500 },
  costUsd: "0.000975",
  pricing: "priced",
  customer: "acme",
  feature: "voice-agent",
} as LiveCall;

/** The column that stands below a title, and what is in it. */
function cell(title: string, line: string): string {
  const start = liveHeader().indexOf(title);
  return line.slice(start).split("  ")[0] ?? "";
}

describe("a line of `keyward tail`", () => {
  it("has each figure below its title", () => {
    const line = formatLiveCall(CALL);
    expect(line).toMatch(/^09:30:12 {2}succeeded +production +chat\.completions +gpt-4o-mini-2024/);
    expect(line).toMatch(
      / 500 +1,500 +\$0\.000975 +1,234 {2}acme +voice-agent +req_01JZ6Y4V2S8W3N5R7T9X0B1C2D$/,
    );
    expect(cell("environment", line)).toBe("production");
    expect(cell("customer", line)).toBe("acme");
  });

  it("says what a provider answered, and what is not known", () => {
    const failed = {
      ...CALL,
      status: "failed",
      httpStatus: 429,
      costUsd: null,
      pricing: "unpriced",
    };
    const line = formatLiveCall({ ...failed, servedModel: null, customer: null } as LiveCall);
    expect(cell("status", line)).toBe("failed 429");
    expect(cell("model", line)).toBe("gpt-4o-mini");
    expect(cell("customer", line)).toBe("–");
    expect(line).toContain(" unpriced ");
  });

  it("names the call of a refusal, and why it was refused", () => {
    const { requestId, startedAt } = CALL;
    const line = formatLiveRefusal({
      requestId,
      startedAt,
      durationMs: 1,
      code: "invalid_api_key",
      environment: null,
      environmentId: null,
      projectId: null,
      keyId: null,
      customer: null,
      feature: null,
      operation: "other",
      method: "GET",
      path: "/v1/files",
      requestedModel: null,
      traceId: null,
    });
    expect(cell("status", line)).toBe("invalid_api_key");
    expect(cell("call", line)).toBe("GET /v1/files");
  });

  it.each([
    ["moves the cursor", "\u001b[2J\u001b[1;1Hacme"],
    ["forges a line", "acme\r\n09:30:12  succeeded"],
    ["sets the title in eight bits", "\u009d0;owned\u009c"],
    ["turns the line around", "\u202emca"],
    ["rings and rubs out", "\u0007\b\b\b"],
    ["is overlong", "a".repeat(10_000)],
    ["cuts a character in two", "😀".repeat(40)],
  ])("stays one plain line when a name %s", (_what, name) => {
    const line = formatLiveCall({ ...CALL, customer: name, feature: name, servedModel: name });
    expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
    expect(line.length).toBeLessThan(400);
    expect(line.endsWith(CALL.requestId)).toBe(true);
  });
});
