import type { AdminApp } from "../../src/admin/admin-app.ts";
import { createAdminServer } from "../../src/admin/server.ts";
import type { ConnectionLimits } from "../../src/proxy/http/connection-limits.ts";
import type { HttpHandler } from "../../src/proxy/http/handler.ts";
import { HttpServer, type ConnectionObserver } from "../../src/proxy/http/http-server.ts";
import { createFetchHandler } from "../../src/runtime/fetch-handler.ts";

export interface ServedHandler {
  readonly url: string;
  readonly port: number;
  readonly server: HttpServer;
  readonly close: () => Promise<void>;
}

const PATIENT: ConnectionLimits = {
  maxConnections: 10_000,
  clientHeadersTimeoutMs: 60_000,
  clientRequestTimeoutMs: 60_000,
  clientIdleTimeoutMs: 60_000,
  keepAliveTimeoutMs: 60_000,
};

/** A handler on a port of its own, behind the server that serves everything. */
export async function serveHandler(
  handler: HttpHandler,
  limits: Partial<ConnectionLimits> = {},
  observer: Partial<ConnectionObserver> = {},
): Promise<ServedHandler> {
  const server = new HttpServer(
    handler,
    { ...PATIENT, ...limits },
    { requestRefused: () => undefined, connectionDropped: () => undefined, ...observer },
  );
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    close: () => {
      const closed = server.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

export function serveAdmin(app: AdminApp): Promise<ServedHandler> {
  return serveHandler(
    createFetchHandler({ ...createAdminServer(async () => app), onFault: failTest }),
  );
}

function failTest(err: unknown): never {
  throw err;
}
