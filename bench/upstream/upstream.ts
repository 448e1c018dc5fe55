/**
 * The provider that every target forwards to, in a process of its own: raw sockets, answers made once, so that it
 * costs as little as it can. Prints its port when it listens.
 *
 * POST …/chat/completions answers 2 KiB of JSON, or, when the body asks for a stream, events at a steady pace.
 */
import { createServer, type Socket } from "node:net";
import { CHUNKS_A_STREAM, CHUNK_PAUSE_MS, STREAM_MARK } from "../workloads.ts";
import { chatJson, chatChunk, LAST_CHUNKS } from "./answers.ts";

const JSON_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\nopenai-processing-ms: 1\r\ncontent-length: ${Buffer.byteLength(chatJson)}\r\n\r\n${chatJson}`,
);
const STREAM_HEAD = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\nx-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n",
);
const CHUNK = chunked(chatChunk);
const LAST = Buffer.concat([...LAST_CHUNKS.map(chunked), Buffer.from("0\r\n\r\n")]);

const HEAD_END = Buffer.from("\r\n\r\n");

function chunked(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

function serve(socket: Socket): void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let neededBytes = 0;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    pending.push(data);
    pendingBytes += data.length;
    if (pendingBytes < neededBytes) return;
    let bytes = pending.length === 1 ? data : Buffer.concat(pending);
    neededBytes = 0;
    for (;;) {
      const end = bytes.indexOf(HEAD_END);
      if (end === -1) break;
      const size = requestBytes(bytes, end);
      if (bytes.length < size) {
        neededBytes = size;
        break;
      }
      answer(socket, bytes.subarray(0, size));
      bytes = bytes.subarray(size);
    }
    pending = bytes.length === 0 ? [] : [bytes];
    pendingBytes = bytes.length;
  });
}

/** Every target sends a content-length here. */
function requestBytes(bytes: Buffer, headEnd: number): number {
  const head = bytes.toString("latin1", 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && /\r\ntransfer-encoding:/i.test(head)) {
    const last = bytes.indexOf("\r\n0\r\n\r\n", headEnd);
    return last === -1 ? bytes.length + 1 : last + 7;
  }
  return headEnd + HEAD_END.length + Number(length ?? 0);
}

function answer(socket: Socket, request: Buffer): void {
  // The mark stands at the end of the bodies that ask for a stream; a target may append a member.
  if (request.subarray(-256).includes(STREAM_MARK)) stream(socket);
  else socket.write(JSON_ANSWER);
}

function stream(socket: Socket): void {
  let sent = 0;
  socket.write(STREAM_HEAD);
  const timer = setInterval(() => {
    if (socket.destroyed) {
      clearInterval(timer);
      return;
    }
    sent += 1;
    if (sent < CHUNKS_A_STREAM) {
      socket.write(CHUNK);
      return;
    }
    clearInterval(timer);
    socket.write(LAST);
  }, CHUNK_PAUSE_MS);
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.stdout.write(`${address.port}\n`);
});
