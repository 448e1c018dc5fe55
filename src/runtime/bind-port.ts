import { createServer } from "node:net";
import { Agent } from "undici";
import { reachableUrl } from "../core/network/reachable-url.ts";
import type { ConnectionLimits } from "../proxy/http/connection-limits.ts";
import type { HttpHandler } from "../proxy/http/handler.ts";
import { HttpServer, type ConnectionObserver } from "../proxy/http/http-server.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import { sendJson } from "./send-json.ts";
import { StartError } from "./start-error.ts";

/** A port that is ours. Until `serve` is called everything is answered with `starting_up`. */
export interface BoundPort {
  readonly port: number;
  /** Where this machine reaches it: `http://127.0.0.1:4141` */
  readonly url: string;
  /** Throws StartError where the port is listened on only now, and cannot be. */
  serve(handler: HttpHandler, observer: ConnectionObserver): Promise<void>;
  /** Takes no new connections and ends the idle ones; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Ends connections that are still in use. */
  closeAllConnections(): void;
}

/**
 * How a port is shared with the other workers on it: `none` = not at all; `kernel` = each listens on a socket of its own
 * (`SO_REUSEPORT`), and the kernel spreads the connections; `supervisor` = all accept from one socket of the supervisor.
 */
export type PortSharing = "none" | "kernel" | "supervisor";

export interface PortUse {
  readonly sharing: PortSharing;
  /**
   * Others serve on the port already: this process takes its share of the connections when it can serve them, and not
   * before. The port is then a given one.
   */
  readonly isJoined: boolean;
}

const ALONE: PortUse = { sharing: "none", isJoined: false };

/** Listens, before anything is made or changed: a busy port is found out while there is nothing to undo. */
export async function bindPort(
  address: { readonly host: string; readonly port: number },
  limits: ConnectionLimits,
  { sharing, isJoined }: PortUse = ALONE,
): Promise<BoundPort> {
  let current: HttpHandler = answerStarting;
  let currentObserver = NO_OBSERVER;
  const server = new HttpServer((came, reply) => current(came, reply), limits, {
    requestRefused: (code) => currentObserver.requestRefused(code),
    connectionDropped: () => currentObserver.connectionDropped(),
  });
  const listen = async (): Promise<number> => {
    try {
      return await server.listen({ ...address, ...listenOptions(sharing) });
    } catch (err) {
      throw await explain(err as NodeJS.ErrnoException, address);
    }
  };
  const port = isJoined ? address.port : await listen();
  return {
    port,
    url: reachableUrl(address.host, port),
    serve: async (handler, observer) => {
      current = handler;
      currentObserver = observer;
      if (isJoined) await listen();
    },
    close: () => server.close(),
    closeAllConnections: () => server.closeAllConnections(),
  };
}

/** While there is no ledger yet that could count. */
const NO_OBSERVER: ConnectionObserver = {
  requestRefused: () => undefined,
  connectionDropped: () => undefined,
};

const answerStarting: HttpHandler = (_request, reply) => {
  const body = createErrorBody("starting_up", "Keyward is starting. Try again.");
  sendJson(reply, 503, body, ["x-should-retry", "true"]);
};

/** Whether the kernel spreads connections over several sockets on a port: Linux and the BSDs do, macOS and Windows don't. */
export function canKernelShare(host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    // Whatever the reason: a socket of the supervisor can always be shared.
    server.once("error", () => resolve(false));
    server.listen({ host, port: 0, ...listenOptions("kernel") }, () =>
      server.close(() => resolve(true)),
    );
  });
}

function listenOptions(sharing: PortSharing) {
  return { exclusive: sharing !== "supervisor", reusePort: sharing === "kernel" };
}

async function explain(
  err: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
): Promise<StartError> {
  const cause = { cause: err };
  switch (err.code ?? "") {
    case "EADDRINUSE": {
      const isOurs = await isKeywardAt(host, port);
      return new StartError(
        `Port ${port} on ${host} is in use by ${isOurs ? "a Keyward that is running already" : "another program"}.`,
        `Use that one, stop it, or choose another port: keyward start --port ${port + 1}`,
        cause,
      );
    }
    case "EACCES":
      return new StartError(
        `This user may not listen on port ${port}.`,
        "Choose a port above 1023, for example: keyward start --port 4141",
        cause,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new StartError(
        `${host} is no address of this machine.`,
        "Choose one that is, for example: keyward start --host 127.0.0.1",
        cause,
      );
    default:
      return new StartError(
        `Keyward cannot listen on ${host}:${port} (${err.code ?? err.message}).`,
        "Choose another address: keyward start --host 127.0.0.1 --port 4141",
        cause,
      );
  }
}

const PROBE_TIMEOUT_MS = 1_000;

async function isKeywardAt(host: string, port: number): Promise<boolean> {
  const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const agent = new Agent({ headersTimeout: PROBE_TIMEOUT_MS, bodyTimeout: PROBE_TIMEOUT_MS });
  try {
    const origin = `http://${authority}`;
    const res = await agent.request({ origin, path: "/healthz", method: "GET" });
    const body = (await res.body.json()) as { service?: unknown };
    return body.service === "keyward";
  } catch {
    return false; // Whatever answers there, or does not, it is not Keyward.
  } finally {
    await agent.destroy();
  }
}
