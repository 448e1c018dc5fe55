import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ErrorCode } from "../core/errors/codes.ts";
import { formatRawError } from "./raw-error.ts";

/** What bounds a connection, whoever is at its other end. */
export interface ConnectionLimits {
  /** Further ones are closed as they come. */
  readonly maxConnections: number;
  /** From the connection's opening, or a request's first byte, to the end of its head. */
  readonly clientHeadersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly clientRequestTimeoutMs: number;
  /** For a client that is waited for: to send more of its request, or to take more of its answer. */
  readonly clientIdleTimeoutMs: number;
  /** Between an answer's end and the next request. */
  readonly keepAliveTimeoutMs: number;
}

export interface ConnectionObserver {
  /** A request was answered before it was one: it could not be read, or did not come to its end. */
  requestRefused(code: ErrorCode): void;
  /** A connection was closed because there were too many. */
  connectionDropped(): void;
}

const MAX_HEADER_BYTES = 32 * 1024;
/** Node drops further ones in silence, and a call would be carried out without them: one more is read to find out. */
const MAX_HEADERS = 200;
/** Requests that one connection may have waiting behind an answer: each can be answered with a large page at once. */
const MAX_PIPELINED_REQUESTS = 16;
/** A peer that has vanished (a cut cable, a suspended machine) is found out by the kernel after this and some probes. */
const TCP_KEEP_ALIVE_MS = 60_000;
const MAX_CHECKING_INTERVAL_MS = 5_000;
const MIN_CHECKING_INTERVAL_MS = 50;
/** How long a connection that was told of its fault is still read, so that it gets to see the answer. */
const FAREWELL_MS = 1_000;
const EVICTION_INTERVAL_MS = 1_000;

/**
 * The one port's server, not listening yet. It bounds every wait for a client and every connection, and answers what
 * is no request in OpenAI's shape of an error. What a request means is the listener's business.
 */
export function createHttpServer(
  listener: RequestListener,
  limits: ConnectionLimits,
  observer: ConnectionObserver,
): Server {
  const server = createServer({
    headersTimeout: Math.min(limits.clientHeadersTimeoutMs, limits.clientRequestTimeoutMs),
    requestTimeout: limits.clientRequestTimeoutMs,
    connectionsCheckingInterval: checkingIntervalMs(limits),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    // Said aloud, so that no NODE_OPTIONS can let in what a proxy in front may read in another way.
    insecureHTTPParser: false,
    // Checked below, where the refusal gets the shape of all others.
    requireHostHeader: false,
  });
  server.maxHeadersCount = MAX_HEADERS + 1;
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.clientIdleTimeoutMs;
  const connections = new Connections(listener, observer);
  server.on("request", connections.onRequest);
  // Any other expectation than 100-continue may be ignored (RFC 9110, section 10.1.1).
  server.on("checkExpectation", connections.onRequest);
  server.on("connect", connections.onConnect);
  server.on("clientError", connections.onClientError);
  server.on("timeout", connections.onTimeout);
  server.on("drop", evictIdle(server, observer));
  return server;
}

function checkingIntervalMs(limits: ConnectionLimits): number {
  const shortestMs = Math.min(limits.clientHeadersTimeoutMs, limits.clientRequestTimeoutMs);
  const wantedMs = Math.floor(shortestMs / 4);
  return Math.max(MIN_CHECKING_INTERVAL_MS, Math.min(MAX_CHECKING_INTERVAL_MS, wantedMs));
}

/** Whoever holds connections without using them makes room for those that come. */
function evictIdle(server: Server, observer: ConnectionObserver): () => void {
  let evictedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    observer.connectionDropped();
    const nowMs = performance.now();
    if (nowMs - evictedAtMs < EVICTION_INTERVAL_MS) return;
    evictedAtMs = nowMs;
    server.closeIdleConnections();
  };
}

/** What happens on connections besides calls. */
class Connections {
  readonly #listener: RequestListener;
  readonly #observer: ConnectionObserver;
  /** The newest answer on each connection: answers leave in order, so when it is out, all are. */
  readonly #newest = new WeakMap<Duplex, ServerResponse>();
  /** How many answers wait behind another one; of most connections none ever does. */
  readonly #waiting = new WeakMap<Duplex, number>();
  /** Told of their fault; whatever comes on them now is dropped. */
  readonly #leaving = new WeakSet<Duplex>();

  constructor(listener: RequestListener, observer: ConnectionObserver) {
    this.#listener = listener;
    this.#observer = observer;
  }

  readonly onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    const { socket } = req;
    if (this.#leaving.has(socket)) return;
    this.#newest.set(socket, res);
    // An answer that has no connection yet waits for the one before it.
    const isWaiting = res.socket === null;
    if (isWaiting && !this.#mayWait(socket, res)) {
      // Not the last one: closed with requests unread, the connection would take the answers before it along.
      this.#refuse(res, TOO_MANY_PIPELINED, false);
      return;
    }
    const refusal = refuseHead(req);
    if (refusal === undefined) this.#listener(req, res);
    else if (isWaiting) this.#refuse(res, refusal, true);
    else this.#sayFarewell(socket, refusal);
  };

  /** What follows on the connection would be meant for the other end of a tunnel, so it is not read. */
  readonly onConnect = (_req: IncomingMessage, socket: Duplex): void => {
    this.#sayFarewell(socket, NO_TUNNELS);
  };

  readonly onClientError = (err: NodeJS.ErrnoException, socket: Duplex): void => {
    if (this.#leaving.has(socket)) return;
    const refusal = refusalOf(err.code);
    const newest = this.#newest.get(socket);
    if (refusal === undefined || socket.destroyed || !socket.writable) {
      socket.destroy();
    } else if (newest === undefined || newest.writableFinished) {
      this.#sayFarewell(socket, refusal);
    } else if (newest.req.complete) {
      // The fault is in what came behind a whole request: that one is answered first.
      this.#leaving.add(socket);
      newest.once("close", () => this.#sayFarewell(socket, refusal));
    } else {
      this.#breakOff(socket, newest, refusal);
    }
  };

  /** Nothing was received and nothing was taken for as long as a client may take. */
  readonly onTimeout = (socket: Socket): void => {
    const newest = this.#newest.get(socket);
    if (newest === undefined || newest.writableFinished || socket.writableLength > 0) {
      // Kept alive and not used, or an answer that nobody takes.
      socket.destroy();
    } else if (newest.req.complete || isHeldBack(newest.req)) {
      // It is the provider or the store that is waited for, with limits of its own.
      socket.setTimeout(socket.timeout ?? 0);
    } else {
      this.#breakOff(socket, newest, SILENT);
    }
  };

  #mayWait(socket: Socket, res: ServerResponse): boolean {
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    this.#waiting.set(socket, waiting);
    res.once("close", () => this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1));
    return waiting <= MAX_PIPELINED_REQUESTS;
  }

  /** Answered in its turn. */
  #refuse(res: ServerResponse, refusal: RawRefusal, isLast: boolean): void {
    this.#observer.requestRefused(refusal.code);
    const { status, headers, body } = formatRawError(refusal.code, refusal.message);
    res.writeHead(status, isLast ? [...headers, "connection", "close"] : headers);
    res.end(body);
  }

  /** In the middle of a request's body: its answer says so where none has begun, else the connection is cut. */
  #breakOff(socket: Duplex, newest: ServerResponse, refusal: RawRefusal): void {
    const isItsTurn = newest.socket !== null && !newest.headersSent;
    if (isItsTurn) this.#sayFarewell(socket, refusal);
    else socket.destroy();
  }

  #sayFarewell(socket: Duplex, refusal: RawRefusal): void {
    if (socket.destroyed || !socket.writable) return;
    this.#leaving.add(socket);
    this.#observer.requestRefused(refusal.code);
    socket.end(formatRawError(refusal.code, refusal.message).message);
    // Closed at once, with bytes unread, the kernel would take the answer back from a client that is still sending.
    socket.resume();
    setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  }
}

/**
 * What the parser lets pass and another server may read in another way. Sources: RFC 9112, sections 3.2 (exactly one
 * host) and 6.1 (codings beside chunked, and any in HTTP/1.0).
 */
function refuseHead(req: IncomingMessage): RawRefusal | undefined {
  if (req.rawHeaders.length > 2 * MAX_HEADERS) return TOO_MANY_HEADERS;
  if (req.httpVersionMajor !== 1) return malformed("Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  const coding = req.headers["transfer-encoding"];
  if (coding !== undefined && (req.httpVersionMinor === 0 || coding.toLowerCase() !== "chunked")) {
    return malformed("No transfer-encoding but chunked is read, and none in HTTP/1.0.");
  }
  if (req.headers.host === undefined && req.httpVersionMinor !== 0) {
    return malformed("The request has no host header.");
  }
  const twice = findRepeated(req.rawHeaders);
  return twice === undefined ? undefined : malformed(`The header ${twice} came more than once.`);
}

/** Which one counts would be a guess; a proxy in front may have checked the other one. */
const SINGLE_HEADERS: ReadonlyMap<string, number> = new Map(
  [
    "host",
    "authorization",
    "api-key",
    "x-api-key",
    "content-type",
    "content-encoding",
    "x-keyward-customer",
    "x-keyward-feature",
  ].map((name, index) => [name, 1 << index]),
);
const SINGLE_LENGTHS: ReadonlySet<number> = new Set(
  [...SINGLE_HEADERS.keys()].map((name) => name.length),
);

function findRepeated(rawHeaders: readonly string[]): string | undefined {
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // Most headers are ruled out by their length.
    if (!SINGLE_LENGTHS.has(name.length)) continue;
    const bit = SINGLE_HEADERS.get(name.toLowerCase()) ?? 0;
    if ((seen & bit) !== 0) return name.toLowerCase();
    seen |= bit;
  }
  return undefined;
}

function malformed(message: string): RawRefusal {
  return { code: "malformed_request", message };
}

/** Bytes of the request are here and are not taken: it is the provider that reads slowly. */
function isHeldBack(req: IncomingMessage): boolean {
  return req.isPaused() || req.readableLength > 0;
}

interface RawRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

const TOO_MANY_PIPELINED: RawRefusal = {
  code: "too_many_pipelined_requests",
  message: `More than ${MAX_PIPELINED_REQUESTS} requests wait on this connection for an earlier answer. Wait for answers, or use more connections.`,
};
const TOO_MANY_HEADERS: RawRefusal = {
  code: "headers_too_large",
  message: `The request has more than ${MAX_HEADERS} header fields.`,
};
const NO_TUNNELS: RawRefusal = {
  code: "method_not_allowed",
  message: "CONNECT is not served: this is no proxy for other hosts.",
};
const SILENT: RawRefusal = {
  code: "request_timeout",
  message: "The request's body did not come to its end, and nothing more of it came for too long.",
};

/** Undefined where the connection broke and there is nobody to tell. Codes: Node's `http`, llhttp's `errno`. */
function refusalOf(code = ""): RawRefusal | undefined {
  if (code === "HPE_HEADER_OVERFLOW") {
    return {
      code: "headers_too_large",
      message: `The request's head is larger than ${MAX_HEADER_BYTES} bytes.`,
    };
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return { code: "request_timeout", message: "The request did not come to its end in time." };
  }
  if (code.startsWith("HPE_")) {
    return {
      code: "malformed_request",
      message: "What came is not an HTTP/1.1 request that can be read in one way only.",
    };
  }
  return undefined;
}
