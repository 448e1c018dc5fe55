/** A provider for tests: a real HTTP server whose answers the test writes, and which remembers what it was sent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export type Respond = (req: IncomingMessage, res: ServerResponse, seen: SeenRequest) => void;

export interface Upstream {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Answers from now on; `res` may be held as long as the test likes. */
  respond: Respond;
  /** Called with each request as its head arrives, before its body. */
  onHead: (req: IncomingMessage) => void;
  /** Connections that are open now. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function startUpstream(respond: Respond): Promise<Upstream> {
  const seen: SeenRequest[] = [];
  const server: Server = createServer((req, res) => {
    upstream.onHead(req);
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("error", () => res.destroy());
    req.on("end", () => {
      const request: SeenRequest = {
        method: req.method ?? "",
        url: req.url ?? "",
        headers: req.headers,
        body: Buffer.concat(chunks),
      };
      seen.push(request);
      upstream.respond(req, res, request);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    url: `http://127.0.0.1:${port}`,
    seen,
    respond,
    onHead: () => undefined,
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((err, count) => (err ? reject(err) : resolve(count)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return upstream;
}

/** Answers with one JSON body. */
export function respondJson(
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): Respond {
  return (_req, res) => {
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(JSON.stringify(body));
  };
}

/** Answers with server-sent events, each `data` written on its own. */
export function respondEvents(
  events: readonly string[],
  headers: Record<string, string> = {},
): Respond {
  return (_req, res) => {
    res.writeHead(200, { "content-type": "text/event-stream", ...headers });
    for (const event of events) res.write(event);
    res.end();
  };
}
