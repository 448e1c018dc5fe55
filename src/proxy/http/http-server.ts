/**
 * An HTTP/1.1 server for the one port: strict in what it reads, bounded in what it holds, and lean, because every call
 * passes it twice. It knows connections, requests and replies; what a request means is the handler's business.
 */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { ErrorCode } from "../../core/errors/codes.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import type { HttpHandler } from "./handler.ts";
import { HttpDate } from "./http-date.ts";

export interface ConnectionObserver {
  /** A request was answered before it was one: it could not be read, or did not come to its end. */
  requestRefused(code: ErrorCode): void;
  /** A connection was closed because there were too many. */
  connectionDropped(): void;
}

/** A peer that has vanished (a cut cable, a suspended machine) is found out by the kernel after this and some probes. */
const TCP_KEEP_ALIVE_MS = 60_000;
/** How often all connections are looked at: one timer for all of them. */
const MAX_CHECK_INTERVAL_MS = 1_000;
const MIN_CHECK_INTERVAL_MS = 50;
const EVICTION_INTERVAL_MS = 1_000;

export class HttpServer implements ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly handler: HttpHandler;
  readonly #observer: ConnectionObserver;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #date = new HttpDate(Date.now);
  #checking: NodeJS.Timeout | undefined;
  #evictedAtMs = Number.NEGATIVE_INFINITY;
  #isClosing = false;

  /** Not listening yet. */
  constructor(handler: HttpHandler, limits: ConnectionLimits, observer: ConnectionObserver) {
    this.handler = handler;
    this.limits = limits;
    this.#observer = observer;
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      pauseOnConnect: true,
    });
    this.#server.maxConnections = limits.maxConnections;
    this.#server.on("connection", (socket: Socket) => {
      this.#connections.add(new Connection(socket, this));
    });
    this.#server.on("drop", () => this.#evictIdle());
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Resolves with the port. Rejects with the system's error. */
  listen(options: {
    readonly host: string;
    readonly port: number;
    /** With other processes; see `net.Server.listen`. */
    readonly exclusive?: boolean;
    readonly reusePort?: boolean;
  }): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = this.#server;
      server.once("error", reject);
      server.listen(options, () => {
        server.off("error", reject);
        this.#checking = setInterval(() => this.#check(), checkIntervalMs(this.limits));
        this.#checking.unref();
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no new connections and ends the idle ones, those in use after their answer; resolves when the last has ended. */
  close(): Promise<void> {
    this.#isClosing = true;
    return new Promise((resolve) => {
      this.#server.close(() => {
        clearInterval(this.#checking);
        resolve();
      });
      this.#closeIdle();
    });
  }

  /** Ends connections that are still in use. */
  closeAllConnections(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  dateText(): string {
    return this.#date.text();
  }

  requestRefused(code: ErrorCode): void {
    this.#observer.requestRefused(code);
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Whoever holds connections without using them makes room for those that come. */
  #evictIdle(): void {
    this.#observer.connectionDropped();
    const nowMs = performance.now();
    if (nowMs - this.#evictedAtMs < EVICTION_INTERVAL_MS) return;
    this.#evictedAtMs = nowMs;
    this.#closeIdle();
  }

  #closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.destroy();
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.check(nowMs);
  }
}

function checkIntervalMs(limits: ConnectionLimits): number {
  const shortestMs = Math.min(
    limits.clientHeadersTimeoutMs,
    limits.clientRequestTimeoutMs,
    limits.clientIdleTimeoutMs,
  );
  const wantedMs = Math.floor(shortestMs / 4);
  return Math.max(MIN_CHECK_INTERVAL_MS, Math.min(MAX_CHECK_INTERVAL_MS, wantedMs));
}
