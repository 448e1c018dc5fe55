import type { Socket } from "node:net";
import { createAllowedHosts } from "../../src/core/network/allowed-hosts.ts";
import { createGuardedConnector } from "../../src/proxy/guarded-connector.ts";
import type {
  ExchangeListener,
  OutgoingRequest,
} from "../../src/proxy/http-client/exchange-listener.ts";
import { HttpClient, type HttpClientOptions } from "../../src/proxy/http-client/http-client.ts";
import { HeardExchange } from "./heard-exchange.ts";
import { until } from "./poll.ts";
import { RawServer } from "./raw-server.ts";

/** Opens a connection that a request waits for, or fails to. */
export interface Attempt {
  succeed(): void;
  fail(err: Error): void;
}

/** The client, a server on raw sockets, and what is between them. */
export class HttpClientUnderTest {
  readonly server: RawServer;
  readonly client: HttpClient;
  /** The client's ends of the connections, in the order in which they were opened. */
  readonly sockets: Socket[] = [];
  /** What comes on a connection that is opened from now on is an event of its socket. */
  readsThroughStreams = false;
  /** Connections open when the test says so. */
  isHolding = false;
  /** Those that it has to say so of, in the order in which they were asked for. */
  readonly attempts: Attempt[] = [];
  readonly exchanges: HeardExchange[] = [];

  static async start(options: Partial<HttpClientOptions> = {}): Promise<HttpClientUnderTest> {
    return new HttpClientUnderTest(await RawServer.start(), options);
  }

  private constructor(server: RawServer, options: Partial<HttpClientOptions>) {
    this.server = server;
    this.client = new HttpClient({
      connect: this.#connect,
      headersTimeoutMs: 60_000,
      bodyIdleTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      ...options,
    });
  }

  /** Sends a request: `GET /` with nothing besides where nothing else is said. */
  send(
    request: Partial<OutgoingRequest> = {},
    besides: Partial<ExchangeListener> = {},
  ): HeardExchange {
    const heard = new HeardExchange(besides);
    this.exchanges.push(heard);
    this.client.dispatch(
      {
        origin: this.server.url,
        method: "GET",
        target: "/",
        headers: [],
        body: null,
        ...request,
      },
      heard,
    );
    return heard;
  }

  /** Waits until so many connections are open and so many of them rest. */
  async counts(open: number, idle: number): Promise<void> {
    await until(`${open} open connections, ${idle} of them idle`, () => {
      const counts = this.client.count();
      return counts.open === open && counts.idle === idle;
    });
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.server.close();
  }

  readonly #open = createGuardedConnector({
    timeoutMs: 60_000,
    allowedHosts: createAllowedHosts(["127.0.0.1"]),
    lookUp: undefined,
  });

  readonly #connect: HttpClientOptions["connect"] = (target, callback, onRead) => {
    const open = (): void => {
      this.#open(
        target,
        (...connected) => {
          const [err, socket] = connected;
          if (socket !== null) this.sockets.push(socket);
          callback(err, socket);
        },
        this.readsThroughStreams ? undefined : onRead,
      );
    };
    if (this.isHolding) this.attempts.push({ succeed: open, fail: callback });
    else open();
  };
}
