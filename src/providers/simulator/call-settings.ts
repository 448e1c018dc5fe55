import type { IncomingHttpHeaders } from "node:http";
import { refuse, type Refusal } from "./endpoint.ts";
import type { Pace } from "./exchange.ts";

/** `x-simulator-tokens-per-second: 50` */
const PACE_HEADER = "x-simulator-tokens-per-second";
/** `x-simulator-output-tokens: 200`: how long each answer in words is to be. */
const LENGTH_HEADER = "x-simulator-output-tokens";
/** `x-simulator-status: 429`: the call is refused with this status, so that an app's error handling can be tried. */
const STATUS_HEADER = "x-simulator-status";

const MAX_TOKENS_PER_SECOND = 1_000_000;
const MAX_OUTPUT_TOKENS = 100_000;

export interface CallSettings {
  readonly pace: Pace;
  readonly outputTokens: number | null;
}

/** What a request asks of the simulator by its `x-simulator-` headers, or what is wrong with them. */
export function readCallSettings(
  headers: IncomingHttpHeaders,
  defaultPace: Pace,
): CallSettings | Refusal {
  const status = numberHeader(headers, STATUS_HEADER, 400, 599);
  if (status === "invalid") return invalidHeader(STATUS_HEADER, 400, 599);
  if (status !== undefined) {
    const type = status < 500 ? "invalid_request_error" : "server_error";
    const code = status === 429 ? "rate_limit_exceeded" : `simulated_${status}`;
    return refuse(status, `The request asked for status ${status}.`, { type, code });
  }
  const outputTokens = numberHeader(headers, LENGTH_HEADER, 1, MAX_OUTPUT_TOKENS);
  if (outputTokens === "invalid") return invalidHeader(LENGTH_HEADER, 1, MAX_OUTPUT_TOKENS);
  const tokensPerSecond = numberHeader(headers, PACE_HEADER, 0, MAX_TOKENS_PER_SECOND);
  if (tokensPerSecond === "invalid") return invalidHeader(PACE_HEADER, 0, MAX_TOKENS_PER_SECOND);
  return {
    pace: tokensPerSecond === undefined ? defaultPace : { tokensPerSecond },
    outputTokens: outputTokens ?? null,
  };
}

function numberHeader(
  headers: IncomingHttpHeaders,
  name: string,
  least: number,
  most: number,
): number | "invalid" | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  if (typeof text !== "string" || !/^\d{1,9}$/.test(text)) return "invalid";
  const value = Number(text);
  return value >= least && value <= most ? value : "invalid";
}

function invalidHeader(name: string, least: number, most: number): Refusal {
  return refuse(400, `The header ${name} takes a whole number from ${least} to ${most}.`);
}
