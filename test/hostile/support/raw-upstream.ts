/**
 * A provider on a raw socket. It keeps every byte that it was sent and reads requests strictly, so that what was
 * smuggled past the gateway would be seen as what it is: one request too many, or one that cannot be read.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

export interface UpstreamRequest {
  readonly requestLine: string;
  /** As they came, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly socket: Socket;
}

export interface RawUpstream {
  readonly url: string;
  readonly requests: readonly UpstreamRequest[];
  requestCount(): number;
  /** Why bytes that came are no sequence of well-formed requests; empty as long as they are. */
  readonly violations: readonly string[];
  /** Bytes of all connections. */
  receivedBytes(): number;
  /** What is done with a request; answers a small chat where it is not set. */
  respond: (request: UpstreamRequest) => void;
  openConnections(): number;
  /** Requests of which not all came before their connection closed. */
  brokenOff(): number;
  close(): Promise<void>;
}

export const CHAT_ANSWER = {
  id: "chatcmpl-hostile",
  object: "chat.completion",
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
};

/** An answer as it goes over the wire, whole and with a length. */
export function rawAnswer(body: string | Buffer, head: readonly string[] = []): Buffer {
  const bytes = Buffer.from(body);
  const lines = ["HTTP/1.1 200 OK", "content-type: application/json", ...head];
  return Buffer.concat([
    Buffer.from(`${lines.join("\r\n")}\r\ncontent-length: ${bytes.length}\r\n\r\n`, "latin1"),
    bytes,
  ]);
}

/** `keepsRequests: false`: they are looked at as they come and only counted, however many. */
export async function startRawUpstream({ keepsRequests = true } = {}): Promise<RawUpstream> {
  const requests: UpstreamRequest[] = [];
  const violations: string[] = [];
  const sockets = new Set<Socket>();
  let requestCount = 0;
  let receivedBytes = 0;
  let brokenOff = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let buffered: Buffer = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      if (buffered.length > 0) brokenOff += 1;
    });
    socket.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
      buffered = Buffer.concat([buffered, chunk]);
      try {
        for (let one = take(buffered, socket); one !== undefined; one = take(buffered, socket)) {
          buffered = buffered.subarray(one.length);
          requestCount += 1;
          if (keepsRequests) requests.push(one.request);
          upstream.respond(one.request);
        }
      } catch (error) {
        violations.push(String(error));
        socket.destroy();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const answer = rawAnswer(JSON.stringify(CHAT_ANSWER));
  const upstream: RawUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    violations,
    requestCount: () => requestCount,
    receivedBytes: () => receivedBytes,
    respond: ({ socket }) => void socket.write(answer),
    openConnections: () => sockets.size,
    brokenOff: () => brokenOff,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return upstream;
}

const REQUEST_LINE = /^[A-Z]+ \/[\x21-\x7e]* HTTP\/1\.1$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+): ([\t\x20-\x7e\x80-\xff]*)$/;

/** The first request of the bytes; undefined while it is not whole. Throws where it can't be one. */
function take(
  bytes: Buffer,
  socket: Socket,
): { readonly request: UpstreamRequest; readonly length: number } | undefined {
  if (bytes.length === 0) return undefined;
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const [requestLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  if (!REQUEST_LINE.test(requestLine)) throw new Error(`no request line: ${requestLine}`);
  const headers = lines.map((line): [string, string] => {
    const [, name = "", value = ""] = FIELD_LINE.exec(line) ?? [];
    if (name === "") throw new Error(`no field line: ${JSON.stringify(line)}`);
    return [name.toLowerCase(), value];
  });
  const valuesOf = (wanted: string): string[] =>
    headers.filter(([name]) => name === wanted).map(([, value]) => value);
  const lengths = valuesOf("content-length");
  const codings = valuesOf("transfer-encoding");
  if (lengths.length + codings.length > 1) throw new Error(`framed twice: ${lines.join(" | ")}`);
  const start = headEnd + 4;
  const framed =
    codings.length === 1 ? takeChunks(bytes, start) : takeLength(bytes, start, lengths);
  if (framed === undefined) return undefined;
  const { body, end } = framed;
  return { request: { requestLine, headers, body, socket }, length: end };
}

interface Framed {
  readonly body: Buffer;
  readonly end: number;
}

function takeLength(bytes: Buffer, start: number, [declared = "0"]: string[]): Framed | undefined {
  if (!/^\d+$/.test(declared)) throw new Error(`content-length ${declared}`);
  const end = start + Number(declared);
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end), end };
}

function takeChunks(bytes: Buffer, start: number): Framed | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    if (!/^[\da-f]+$/i.test(line)) throw new Error(`a chunk of ${JSON.stringify(line)}`);
    const from = lineEnd + 2;
    const to = from + Number.parseInt(line, 16);
    if (bytes.length < to + 2) return undefined;
    if (to === from) return { body: Buffer.concat(pieces), end: to + 2 };
    pieces.push(bytes.subarray(from, to));
    at = to + 2;
  }
}
