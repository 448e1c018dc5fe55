/** A real HTTP listener that alerts are posted to. It answers as it is told, and remembers what came. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface AlertReceiver {
  readonly url: string;
  readonly host: string;
  readonly posts: ReceivedPost[];
  /** How it answers from now on; `undefined` = never. */
  answer: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

export async function startAlertReceiver(): Promise<AlertReceiver> {
  const posts: ReceivedPost[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { url: path = "", headers } = request;
      posts.push({ path, headers, body: Buffer.concat(pieces).toString("utf8") });
      receiver.answer?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const receiver: AlertReceiver = {
    url: `http://${host}`,
    host,
    posts,
    answer: (response) => void response.end("ok"),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export function answerWith(status: number, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => void response.writeHead(status, headers).end();
}
