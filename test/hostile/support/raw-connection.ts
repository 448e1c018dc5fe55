/** A client that sends what it likes, byte for byte, and reads answers with a parser that forgives nothing. */
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { parseResponses, type ParsedResponses } from "./parse-responses.ts";

export type Ending = "open" | "closed" | "reset";

export interface RawConnection {
  readonly socket: Socket;
  /** All that came so far. */
  received(): Buffer;
  /** Parsed; throws where it is no sequence of well-formed answers. `methods`: of the requests, in order. */
  responses(methods?: readonly string[]): ParsedResponses;
  ending(): Ending;
  send(bytes: string | Buffer): void;
  /** Waits for so many final answers, or for the connection's end. */
  answered(count?: number, methods?: readonly string[]): Promise<ParsedResponses>;
  ended(deadlineMs?: number): Promise<Ending>;
  /** Ends with a reset in place of an orderly close. */
  reset(): void;
  close(): void;
}

const DEADLINE_MS = 15_000;

export async function openConnection(
  url: string,
  options: { readonly isPaused?: boolean } = {},
): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const changes = new EventEmitter();
  let ending: Ending = "open";
  const end = (how: Ending): void => {
    if (ending === "open") ending = how;
    changes.emit("change");
  };
  socket.on("error", () => end("reset"));
  await once(socket, "connect");
  socket.on("end", () => {
    end("closed");
    socket.end();
  });
  socket.on("close", () => end("closed"));
  if (options.isPaused === true) {
    socket.pause();
  } else {
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      changes.emit("change");
    });
  }
  const responses = (methods: readonly string[] = []): ParsedResponses =>
    parseResponses(Buffer.concat(chunks), methods, ending !== "open");
  /** Asks again whenever something has come. */
  const whenever = async <Value>(
    what: string,
    read: () => Value | undefined,
    deadlineMs = DEADLINE_MS,
  ): Promise<Value> => {
    const signal = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const value = read();
      if (value !== undefined) return value;
      await once(changes, "change", { signal }).catch(() => {
        throw new Error(`${what} did not happen within ${deadlineMs} ms`);
      });
    }
  };
  return {
    socket,
    received: () => Buffer.concat(chunks),
    responses,
    ending: () => ending,
    send: (bytes) => {
      if (socket.writable) socket.write(bytes);
    },
    answered: (count = 1, methods = []) =>
      whenever(`${count} answers`, () => {
        const parsed = responses(methods);
        return parsed.responses.length >= count || ending !== "open" ? parsed : undefined;
      }),
    ended: (deadlineMs) =>
      whenever("the connection's end", () => (ending === "open" ? undefined : ending), deadlineMs),
    reset: () => socket.resetAndDestroy(),
    close: () => socket.destroy(),
  };
}

/** Sends, waits for the answers and closes. */
export async function exchange(
  url: string,
  bytes: string | Buffer,
  options: { readonly count?: number; readonly methods?: readonly string[] } = {},
): Promise<ParsedResponses & { readonly ending: Ending }> {
  const connection = await openConnection(url);
  try {
    connection.send(bytes);
    const parsed = await connection.answered(options.count, options.methods);
    return { ...parsed, ending: connection.ending() };
  } finally {
    connection.close();
  }
}
