/** A pass-through that does nothing but forward: `bare-program.ts <port> <upstream port>`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, type Dispatcher } from "undici";

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const origin = `http://127.0.0.1:${upstreamPort}`;
const agent = new Agent({ connections: null, pipelining: 1 });

/** RFC 9110, section 7.6.1, and what undici and node:http set themselves. */
const NOT_FORWARDED = new Set(["connection", "keep-alive", "transfer-encoding", "host"]);

const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    forward(req, res, body);
  });
});
server.listen(port, "127.0.0.1");

function forward(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (controller) => {
      res.on("drain", () => controller.resume());
      res.on("close", () => {
        if (!res.writableEnded) controller.abort(new Error("the client is gone"));
      });
    },
    onResponseStart: (_controller, status, headers) => {
      const passed: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(headers)) {
        if (value !== undefined && !NOT_FORWARDED.has(name)) passed[name] = value;
      }
      res.writeHead(status, passed);
    },
    onResponseData: (controller, chunk) => {
      if (!res.write(chunk)) controller.pause();
    },
    onResponseEnd: () => res.end(),
    onResponseError: () => res.destroy(),
  };
  const headers: string[] = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i] as string;
    if (!NOT_FORWARDED.has(name.toLowerCase())) headers.push(name, req.rawHeaders[i + 1] as string);
  }
  const method = req.method as Dispatcher.HttpMethod;
  agent.dispatch({ origin, path: req.url ?? "/", method, body, headers }, handler);
}
