/** A server on raw sockets: the test itself says what is sent, and when, and sees what came byte for byte. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { until } from "./poll.ts";

/** The server's end of one connection. */
export class RawPeer {
  readonly socket: Socket;
  received = "";
  /** The client has ended it, or cut it. */
  isGone = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => (this.received += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.isGone = true));
  }

  /** So many requests' heads have come. */
  async asked(count = 1): Promise<void> {
    await until(`${count} requests`, () => this.received.split("\r\n\r\n").length > count);
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Answers with a length. */
  answer(body: string, fields = ""): void {
    this.send(`HTTP/1.1 200 OK\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`);
  }

  /** Ends the connection where `isLast`; waits until all that was sent has left, and is with the client's kernel. */
  async sent(text: string, { isLast = false } = {}): Promise<void> {
    this.send(text);
    if (isLast) this.socket.end();
    await until("the last byte's leaving", () =>
      isLast ? this.socket.writableFinished : this.socket.writableLength === 0,
    );
  }

  async gone(): Promise<void> {
    await until("the connection's end", () => this.isGone);
  }
}

export class RawServer {
  /** In the order in which they came. */
  readonly peers: RawPeer[] = [];
  url = "";
  readonly #server = createServer((socket) => this.peers.push(new RawPeer(socket)));

  static async start(): Promise<RawServer> {
    const server = new RawServer();
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  /** The connection with this number, from 0, once so many requests have come on it. */
  async peer(index = 0, requests = 1): Promise<RawPeer> {
    const peer = await until(`connection ${index}`, () => this.peers[index]);
    await peer.asked(requests);
    return peer;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
