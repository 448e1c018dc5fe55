import type { GatewayReply, ReplyListener, RequestBody } from "../proxy/gateway-request.ts";
import type { HttpHandler, HttpRequest } from "../proxy/http/handler.ts";

/** What answers a request as the web platform has it. */
type Fetch = (request: Request, caller: { readonly address: string }) => Promise<Response>;

export interface FetchHandlerDeps {
  readonly fetch: Fetch;
  /** The answer to a request whose URL or headers are none, which `fetch` never gets to see. */
  readonly answerMalformed: () => Response;
  /** The answer where `fetch` rejects. */
  readonly answerFault: () => Response;
  readonly onFault: (err: unknown) => void;
}

/**
 * Puts a web application (`Request` in, `Response` out) on the port. A body that is streamed is read no faster than the
 * client takes it; one that breaks off cuts the connection, so that half an answer cannot pass for a whole one; a client
 * that goes away aborts the request's signal and cancels the stream.
 */
export function createFetchHandler(deps: FetchHandlerDeps): HttpHandler {
  return (request, reply) => void answer(deps, request, reply);
}

async function answer(
  deps: FetchHandlerDeps,
  request: HttpRequest,
  reply: GatewayReply,
): Promise<void> {
  const client = new Client(reply);
  const webRequest = createRequest(request, client.signal);
  let response: Response;
  try {
    response =
      webRequest === undefined
        ? deps.answerMalformed()
        : await deps.fetch(webRequest, { address: request.remoteAddress });
  } catch (err) {
    deps.onFault(err);
    response = deps.answerFault();
  }
  try {
    await send(response, { client, reply, isHead: request.method === "HEAD" });
  } catch {
    // The stream broke off; whoever broke it has told the log.
    reply.cut();
  }
}

async function send(
  response: Response,
  { client, reply, isHead }: { client: Client; reply: GatewayReply; isHead: boolean },
): Promise<void> {
  const { body } = response;
  if (isHead || reply.isClosed) await body?.cancel();
  if (reply.isClosed) return;
  reply.writeHead(response.status, listHeaders(response));
  if (body === null || isHead) {
    reply.end();
    return;
  }
  if (isJson(response)) {
    reply.end(Buffer.from(await response.arrayBuffer()));
    return;
  }
  const reader = body.getReader();
  client.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!reply.write(Buffer.from(value.buffer, value.byteOffset, value.byteLength))) {
      await client.drained();
    }
  }
  reply.end();
}

/** The client as an answer sees it. */
class Client implements ReplyListener {
  readonly #controller = new AbortController();
  #waiting: (() => void) | undefined;

  constructor(reply: GatewayReply) {
    reply.listen(this);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves when more can be sent, or nobody is there any more. */
  drained(): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  onDrain(): void {
    this.#waiting?.();
  }

  onClientGone(): void {
    this.#controller.abort();
    this.#waiting?.();
  }
}

/** Undefined where the host or a header is malformed. */
function createRequest(request: HttpRequest, signal: AbortSignal): Request | undefined {
  const { method, target, headers } = request;
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const host = headers.get("host") ?? "localhost";
    const url = new URL(`http://${host}${target}`);
    // A host that holds more than a host ("a/b", "user@c") would make another URL of it.
    if (url.host === "" || !/^[\w.:[\]-]+$/.test(host)) return undefined;
    return new Request(url, {
      method,
      headers: headers.names.map((name, i): [string, string] => [name, headers.values[i] ?? ""]),
      signal,
      ...(hasBody && { body: streamOf(request.body), duplex: "half" }),
    });
  } catch {
    return undefined; // Its URL or a header is no such thing to the web platform.
  }
}

/** Takes nothing from the client before somebody reads. */
function streamOf(body: RequestBody): ReadableStream<Uint8Array> {
  let isReading = false;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (isReading) {
          body.resume();
          return;
        }
        isReading = true;
        body.read({
          onData: (chunk) => {
            controller.enqueue(chunk);
            body.pause();
          },
          onEnd: () => controller.close(),
          onBroken: () => controller.error(new Error("the client closed the connection")),
        });
      },
      cancel: () => body.pause(),
    },
    { highWaterMark: 0 },
  );
}

function listHeaders({ headers }: Response): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

/** Small, and worth the length that a whole body gets. */
function isJson(response: Response): boolean {
  return response.headers.get("content-type") === "application/json";
}
