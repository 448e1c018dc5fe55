/**
 * An HTTP/1.1 client for calls to providers: lean, because every call passes it twice, and strict in what it reads. One
 * exchange a connection at a time, and as many connections as there are exchanges: what limits them is not here. What
 * connects, resolves names and speaks TLS is handed to it.
 */
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import {
  ClientConnection,
  type ClientConnectionEvents,
  type ClientConnectionHost,
} from "./client-connection.ts";
import { ClientError } from "./client-error.ts";
import type { ExchangeListener, OutgoingRequest } from "./exchange-listener.ts";
import { formatRequest, type RequestText } from "./request-text.ts";

interface ConnectTarget {
  /** `https:` or `http:`. */
  readonly protocol: string;
  /** A name or an address, without brackets. */
  readonly hostname: string;
  /** The name or address, in brackets where it is one of IPv6, and the port where the scheme has another. */
  readonly host: string;
  /** Empty for the scheme's own. */
  readonly port: string;
}

/**
 * Calls back once, with a socket that is connected, and through TLS where the protocol says so. What comes on it is handed
 * to `onRead`, or is an event of the socket.
 */
type Connect = (
  target: ConnectTarget,
  callback: (err: Error | null, socket?: Socket | null) => void,
  onRead: (bytes: Buffer) => void,
) => void;

export interface HttpClientOptions extends ClientConnectionHost {
  readonly connect: Connect;
}

/** How often all connections are looked at: one timer for all of them. */
const MAX_CHECK_INTERVAL_MS = 1_000;
const MIN_CHECK_INTERVAL_MS = 10;

export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #origins = new Map<string, Origin>();
  readonly #checking: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#checking = setInterval(() => this.#check(), checkIntervalMs(options));
    this.#checking.unref();
  }

  /** Throws at a request that can't be sent as it is, and once the client is closed; everything else is told to the listener. */
  dispatch(request: OutgoingRequest, listener: ExchangeListener): void {
    if (this.#isClosed) throw closed();
    const origin = this.#originOf(request.origin);
    const text = formatRequest(request, origin.target.host);
    origin.send({ request, text, listener });
  }

  count(): { readonly open: number; readonly idle: number } {
    const counts = { open: 0, idle: 0 };
    for (const origin of this.#origins.values()) {
      counts.open += origin.open;
      counts.idle += origin.idle;
    }
    return counts;
  }

  /** Cuts what is under way; nothing is open any more afterwards but what is just being connected, which ends as it opens. */
  destroy(): void {
    this.#isClosed = true;
    clearInterval(this.#checking);
    for (const origin of this.#origins.values()) origin.destroy();
  }

  #originOf(url: string): Origin {
    let origin = this.#origins.get(url);
    if (origin === undefined) {
      origin = new Origin(targetOf(url), this.#options);
      this.#origins.set(url, origin);
    }
    return origin;
  }

  #check(): void {
    const nowMs = performance.now();
    for (const [url, origin] of this.#origins) {
      origin.check(nowMs);
      if (origin.isUnused) this.#origins.delete(url);
    }
  }
}

/** A request that waits for a connection. */
interface Waiting {
  readonly request: OutgoingRequest;
  readonly text: RequestText;
  readonly listener: ExchangeListener;
}

/** The connections to one server. */
class Origin implements ClientConnectionEvents {
  readonly target: ConnectTarget;
  readonly #options: HttpClientOptions;
  readonly #connections = new Set<ClientConnection>();
  /** The one that was used last is used next: so those that are not needed expire. */
  readonly #idle: ClientConnection[] = [];
  readonly #waiting: Waiting[] = [];
  #connecting = 0;
  #isDestroyed = false;

  constructor(target: ConnectTarget, options: HttpClientOptions) {
    this.target = target;
    this.#options = options;
  }

  get open(): number {
    return this.#connections.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get isUnused(): boolean {
    return this.#connections.size === 0 && this.#connecting === 0;
  }

  send(waiting: Waiting): void {
    const connection = this.#takeIdle();
    if (connection === undefined) {
      this.#waiting.push(waiting);
      this.#connect(waiting);
    } else if (!use(connection, waiting)) this.onFree(connection);
  }

  check(nowMs: number): void {
    for (const connection of this.#connections) connection.check(nowMs);
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const { listener } of this.#waiting.splice(0)) listener.onResponseError(closed());
    for (const connection of this.#connections) connection.cut(closed());
  }

  onFree(connection: ClientConnection): void {
    // A listener may have closed the client, or the connection.
    while (connection.isFree) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#idle.push(connection);
        return;
      }
      if (use(connection, next)) return;
    }
  }

  onGone(connection: ClientConnection): void {
    this.#connections.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  #takeIdle(): ClientConnection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || connection.isFree) return connection;
    }
  }

  #connect(waiting: Waiting): void {
    this.#connecting += 1;
    let connection: ClientConnection | undefined;
    const connected = (err: Error | null, socket?: Socket | null): void => {
      this.#connecting -= 1;
      if (socket === null || socket === undefined) {
        this.#notConnected(waiting, err ?? new Error("no connection was made"));
      } else if (this.#isDestroyed) socket.destroy();
      else {
        connection = new ClientConnection(socket, this.#options, this);
        this.#connections.add(connection);
        this.onFree(connection);
      }
    };
    this.#options.connect(this.target, connected, (bytes) => connection?.read(bytes));
  }

  /** Whoever came first gets the first connection, so it may be another one, the last, than asked for this that goes without. */
  #notConnected(asker: Waiting, err: Error): void {
    if (this.#waiting.length <= this.#connecting) return;
    const index = this.#waiting.indexOf(asker);
    const [failed] = this.#waiting.splice(index === -1 ? this.#waiting.length - 1 : index, 1);
    failed?.listener.onResponseError(err);
  }
}

function use(connection: ClientConnection, { request, text, listener }: Waiting): boolean {
  return connection.send(request, text, listener);
}

function targetOf(url: string): ConnectTarget {
  const { protocol, hostname, host, port } = new URL(url);
  return { protocol, hostname: hostname.replace(/^\[(.*)\]$/, "$1"), host, port };
}

function closed(): ClientError {
  return new ClientError("ERR_CLIENT_CLOSED", "the connections to providers are closed");
}

function checkIntervalMs(options: ClientConnectionHost): number {
  const { headersTimeoutMs, bodyIdleTimeoutMs, idleTimeoutMs } = options;
  const wantedMs = Math.floor(Math.min(headersTimeoutMs, bodyIdleTimeoutMs, idleTimeoutMs) / 4);
  return Math.max(MIN_CHECK_INTERVAL_MS, Math.min(MAX_CHECK_INTERVAL_MS, wantedMs));
}
