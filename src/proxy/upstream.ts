import { Agent, type Dispatcher } from "undici";
import type { AllowedHosts } from "../core/network/allowed-hosts.ts";
import { ForbiddenAddressError } from "../core/network/forbidden-address-error.ts";
import { createGuardedConnector, type LookUp } from "./guarded-connector.ts";
import { HttpClient } from "./http-client/http-client.ts";

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

/** The connections to all providers. */
export interface Upstream {
  /** For what clients call. */
  readonly calls: HttpClient;
  /** For what Keyward asks providers by itself. */
  readonly asides: Dispatcher;
  /** All of them together: which providers there are is nobody's business who reads metrics. */
  countConnections(): { readonly open: number; readonly idle: number };
  destroy(): Promise<void>;
}

/**
 * The number of connections is not limited here: a pool that is full queues calls in silence (64 connections turn 300
 * concurrent two-second streams into ten seconds). What limits concurrency is `maxInFlightCalls`, with an answer that
 * says so. One call a connection: HTTP/2 would multiplex, and its stream limit would queue in the same way. Redirects
 * are not followed: the client gets to see them, and no other host gets to see the provider's secret.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const calls = new HttpClient({
    connect: guard(options),
    headersTimeoutMs: options.headersTimeoutMs,
    bodyIdleTimeoutMs: options.bodyIdleTimeoutMs,
    idleTimeoutMs: IDLE_CONNECTION_MS,
  });
  const asides = createGuardedAgent(options);
  return {
    calls,
    asides,
    countConnections: () => {
      const ofCalls = calls.count();
      const ofAsides = countConnections(asides);
      return { open: ofCalls.open + ofAsides.open, idle: ofCalls.idle + ofAsides.idle };
    },
    destroy: async () => {
      calls.destroy();
      await asides.destroy();
    },
  };
}

/** For what is not worth a client of our own; the same addresses may be called. */
export function createGuardedAgent(options: UpstreamOptions): Agent {
  return new Agent({
    connections: null,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyIdleTimeoutMs,
    connect: guard(options),
  });
}

function guard({ connectTimeoutMs, allowedHosts, lookUp }: UpstreamOptions) {
  return createGuardedConnector({ timeoutMs: connectTimeoutMs, allowedHosts, lookUp });
}

function countConnections(agent: Agent): { open: number; idle: number } {
  const counts = { open: 0, idle: 0 };
  for (const { connected, running } of Object.values(agent.stats)) {
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
  "ERR_CLIENT_HEADERS_TIMEOUT",
  "ERR_CLIENT_BODY_TIMEOUT",
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
  "ERR_CLIENT_REQUEST",
  "ERR_CLIENT_CLOSED",
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
