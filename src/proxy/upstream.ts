import { Agent, type Dispatcher } from "undici";
import type { AllowedHosts } from "../core/network/allowed-hosts.ts";
import { ForbiddenAddressError } from "../core/network/forbidden-address-error.ts";
import { createGuardedConnector, type LookUp } from "./guarded-connector.ts";

export interface UpstreamOptions {
  readonly connectTimeoutMs: number;
  /** From the request's last byte to the answer's head. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the answer's body. */
  readonly bodyIdleTimeoutMs: number;
  /** Hosts in private networks that may be called. */
  readonly allowedHosts: AllowedHosts;
  /** The system's resolver where it is absent. */
  readonly lookUp?: LookUp;
}

/** Shorter than the idle time after which the providers' front ends close a connection. */
const IDLE_CONNECTION_MS = 15_000;

/**
 * The connections to all providers. The number of connections is not limited here: a pool that is full queues calls
 * in silence (64 connections turn 300 concurrent two-second streams into ten seconds). What limits concurrency is
 * `maxInFlightCalls`, with an answer that says so. One call a connection: HTTP/2 would multiplex, and its stream
 * limit would queue in the same way. Redirects are not followed: the client gets to see them, and no other host gets
 * to see the provider's secret.
 */
export function createUpstream(options: UpstreamOptions): Dispatcher {
  return new Agent({
    connections: null,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyIdleTimeoutMs,
    connect: createGuardedConnector({
      timeoutMs: options.connectTimeoutMs,
      allowedHosts: options.allowedHosts,
      lookUp: options.lookUp,
    }),
  });
}

/** Connections to all providers together: which providers there are is nobody's business who reads metrics. */
export function countConnections(upstream: Dispatcher): { open: number; idle: number } {
  const counts = { open: 0, idle: 0 };
  if (!(upstream instanceof Agent)) return counts;
  for (const { connected, running } of Object.values(upstream.stats)) {
    counts.open += Number(connected);
    // One call a connection.
    counts.idle += Math.max(0, Number(connected) - running);
  }
  return counts;
}

/** What is known of a call that the provider did not answer. `forbidden`: its address is one that may not be called. */
export type UpstreamFault = "unreachable" | "forbidden" | "timeout" | "broken";

const CONNECT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EMFILE",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** `wasStarted`: the request had begun to be written, so the provider may know of it. */
export function classifyFault(err: Error, wasStarted: boolean): UpstreamFault {
  if (err instanceof ForbiddenAddressError) return "forbidden";
  const code = errorCode(err);
  if (!wasStarted || (code !== undefined && CONNECT_CODES.has(code))) return "unreachable";
  if (code !== undefined && TIMEOUT_CODES.has(code)) return "timeout";
  return "broken";
}

/** Faults that lie with the call or with this process: another way to a provider would fare no better. */
const OWN_CODES: ReadonlySet<string> = new Set([
  "UND_ERR_INVALID_ARG",
  "UND_ERR_NOT_SUPPORTED",
  "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_DESTROYED",
  "UND_ERR_CLOSED",
  "EMFILE",
  "ENFILE",
  "EADDRNOTAVAIL",
]);

export function isOwnFault(err: Error | undefined): boolean {
  const code = errorCode(err);
  return code !== undefined && OWN_CODES.has(code);
}

function errorCode(err: unknown): string | undefined {
  const code = (err as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
