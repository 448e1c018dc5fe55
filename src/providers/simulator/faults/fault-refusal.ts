import { refuse, type Refusal } from "../endpoint.ts";
import type { Fault, FaultKind } from "./fault.ts";

/** The error that comes instead of an answer, whatever the answer would be; undefined for every other fault. */
export function refusalInstead({ kind, afterTokens }: Fault): Refusal | undefined {
  return afterTokens === null ? faultRefusal(kind) : undefined;
}

/** The error that a fault answers with; undefined for a fault that is none. */
export function faultRefusal(kind: FaultKind): Refusal | undefined {
  if (kind.name === "insufficient-quota") return INSUFFICIENT_QUOTA;
  if (kind.name !== "status") return undefined;
  const { status, retryAfterSeconds, retryAfterMs, bodyForm } = kind;
  const headers = {
    ...(retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(retryAfterMs === null ? {} : { "retry-after-ms": String(retryAfterMs) }),
  };
  const words = `The simulator was asked for status ${status}.`;
  return refuse(status, words, { ...nameOf(status), headers, bodyForm });
}

/** Source: "Error codes" of OpenAI's API documentation, and the bodies its API answers with. */
const INSUFFICIENT_QUOTA = refuse(
  429,
  "You exceeded your current quota, please check your plan and billing details.",
  { type: "insufficient_quota", code: "insufficient_quota" },
);

function nameOf(status: number): { type: string; code: string } {
  if (status === 401) return { type: "invalid_request_error", code: "invalid_api_key" };
  if (status === 429) return { type: "requests", code: "rate_limit_exceeded" };
  const type = status < 500 ? "invalid_request_error" : "server_error";
  return { type, code: `simulated_${status}` };
}
