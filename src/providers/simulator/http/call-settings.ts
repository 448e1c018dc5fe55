import type { IncomingHttpHeaders } from "node:http";
import { refuse, type Refusal } from "../endpoint.ts";
import type { FaultCounter } from "../faults/fault-counter.ts";
import type { Fault } from "../faults/fault.ts";
import { parseFault } from "../faults/parse-fault.ts";
import { FAULT_KEY_PREFIX } from "../simulator-provider.ts";
import type { Pace } from "./exchange.ts";

/** `x-simulator-tokens-per-second: 50` */
const PACE_HEADER = "x-simulator-tokens-per-second";
/** `x-simulator-output-tokens: 200`: how long each answer in words is to be. */
const LENGTH_HEADER = "x-simulator-output-tokens";
/** `x-simulator-seed: other`: another seed, another answer to the same request. */
const SEED_HEADER = "x-simulator-seed";
/** `x-simulator-work-ms: 500`: how long a response in the background or a batch takes. */
const WORK_HEADER = "x-simulator-work-ms";
/** `x-simulator-fault: 429; retry-after=2; times=3` */
const FAULT_HEADER = "x-simulator-fault";

const PREFIX = "x-simulator-";
const HEADERS: ReadonlySet<string> = new Set([
  PACE_HEADER,
  LENGTH_HEADER,
  SEED_HEADER,
  WORK_HEADER,
  FAULT_HEADER,
]);
const MAX_TOKENS_PER_SECOND = 1_000_000;
const MAX_OUTPUT_TOKENS = 100_000;
const MAX_SEED_LENGTH = 64;
const MAX_WORK_MS = 24 * 60 * 60 * 1000;
const DEFAULT_WORK_MS = 2000;

export interface CallSettings {
  readonly pace: Pace;
  readonly outputTokens: number | null;
  readonly seed: string;
  readonly workMs: number;
  /** The one that strikes this call. */
  readonly fault: Fault | undefined;
}

export interface CallDefaults {
  readonly pace: Pace;
  readonly seed: string;
}

/** What a request asks of the simulator by its `x-simulator-` headers and its key, or what is wrong with them. */
export function readCallSettings(
  headers: IncomingHttpHeaders,
  defaults: CallDefaults,
  counter: FaultCounter,
): CallSettings | Refusal {
  for (const name in headers) {
    if (name.startsWith(PREFIX) && !HEADERS.has(name)) {
      return refuse(400, `There is no header ${name}; there are ${[...HEADERS].join(", ")}.`);
    }
  }
  const outputTokens = numberHeader(headers, LENGTH_HEADER, 1, MAX_OUTPUT_TOKENS);
  if (outputTokens === "invalid") return invalidHeader(LENGTH_HEADER, 1, MAX_OUTPUT_TOKENS);
  const tokensPerSecond = numberHeader(headers, PACE_HEADER, 0, MAX_TOKENS_PER_SECOND);
  if (tokensPerSecond === "invalid") return invalidHeader(PACE_HEADER, 0, MAX_TOKENS_PER_SECOND);
  const workMs = numberHeader(headers, WORK_HEADER, 0, MAX_WORK_MS);
  if (workMs === "invalid") return invalidHeader(WORK_HEADER, 0, MAX_WORK_MS);
  const seed = headers[SEED_HEADER] ?? defaults.seed;
  if (typeof seed !== "string" || seed.length > MAX_SEED_LENGTH) {
    return refuse(400, `The header ${SEED_HEADER} takes ${MAX_SEED_LENGTH} characters at most.`);
  }
  const named = readFault(headers);
  if (named !== undefined && "message" in named) return named;
  const fault = named !== undefined && counter.strikes(named) ? named : undefined;
  const pace = tokensPerSecond === undefined ? defaults.pace : { tokensPerSecond };
  return {
    pace: fault?.kind.name === "slow" ? { tokensPerSecond: fault.kind.tokensPerSecond } : pace,
    outputTokens: outputTokens ?? null,
    seed,
    workMs: workMs ?? DEFAULT_WORK_MS,
    fault,
  };
}

/** The header's fault, or else the key's. */
function readFault(headers: IncomingHttpHeaders): Fault | Refusal | undefined {
  const header = headers[FAULT_HEADER];
  const text = header ?? keyOf(headers);
  if (text === undefined) return undefined;
  const fault = parseFault(typeof text === "string" ? text : text.join(", "));
  if (typeof fault !== "string") return fault;
  const place = header === undefined ? "key" : `header ${FAULT_HEADER}`;
  return refuse(400, `The simulator can't read the ${place}: ${fault}.`, { code: "invalid_fault" });
}

/** What follows the prefix in a key of the simulator's own; undefined for any other key. */
function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers.authorization?.replace(/^bearer +/i, "") ?? headers["x-api-key"];
  if (typeof key !== "string" || !key.startsWith(FAULT_KEY_PREFIX)) return undefined;
  return key.slice(FAULT_KEY_PREFIX.length);
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
