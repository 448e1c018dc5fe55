import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { sendTogether } from "../http/send-together.ts";
import { ClientError } from "./client-error.ts";
import type { RequestText } from "./request-text.ts";

export interface BodySenderEvents {
  /** Some of it has gone out: the server is at it. */
  onProgress(): void;
  /** All of it has been written. */
  onWritten(): void;
  /** It can't be sent to its end. */
  onFault(err: Error): void;
}

/** Sends a request's body while it comes, as fast as the server takes it. */
export class BodySender {
  readonly #socket: Socket;
  readonly #stream: Readable;
  readonly #events: BodySenderEvents;
  /** Bytes that are still to come; undefined where nobody knows, and so it goes out in chunks. */
  #missing: number | undefined;
  #isEnded = false;
  /** The server does not take what it is sent. */
  isBlocked = false;

  constructor(
    socket: Socket,
    { stream, framing }: { readonly stream: Readable; readonly framing: RequestText["framing"] },
    events: BodySenderEvents,
  ) {
    this.#socket = socket;
    this.#stream = stream;
    this.#events = events;
    this.#missing = framing === "chunked" ? undefined : framing.contentLength;
    stream.on("data", this.#onData);
    stream.on("end", this.#onEnd);
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
    socket.on("drain", this.#onDrain);
  }

  /** Takes nothing more of the body, whatever comes. */
  stop(): void {
    this.#isEnded = true;
    this.#socket.off("drain", this.#onDrain);
    this.#stream.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isEnded || chunk.length === 0) return;
    if (this.#missing === undefined) {
      sendTogether(this.#socket, `${chunk.length.toString(16)}\r\n`, chunk, "\r\n");
    } else {
      if (chunk.length > this.#missing) {
        this.#fail(wrongLength("more"));
        return;
      }
      this.#missing -= chunk.length;
      this.#socket.write(chunk);
    }
    this.#events.onProgress();
    if (!this.#socket.writableNeedDrain) return;
    this.isBlocked = true;
    this.#stream.pause();
  };

  readonly #onDrain = (): void => {
    if (this.#isEnded || !this.isBlocked) return;
    this.isBlocked = false;
    this.#events.onProgress();
    this.#stream.resume();
  };

  readonly #onEnd = (): void => {
    if (this.#isEnded) return;
    if (this.#missing !== undefined && this.#missing > 0) {
      this.#fail(wrongLength("fewer"));
      return;
    }
    this.#isEnded = true;
    if (this.#missing === undefined) this.#socket.write("0\r\n\r\n", "latin1");
    this.#events.onWritten();
  };

  readonly #onError = (err: Error): void => this.#fail(err);

  readonly #onClose = (): void => this.#fail(wrongLength("fewer"));

  #fail(err: Error): void {
    if (this.#isEnded) return;
    this.stop();
    this.#events.onFault(err);
  }
}

/** Why nothing of a body can be sent any more: it may have come to grief while it waited. */
export function faultOfBody({ errored, destroyed, readableEnded }: Readable): Error | undefined {
  if (errored !== null) return errored;
  if (!destroyed && !readableEnded) return undefined;
  return new ClientError("ERR_CLIENT_REQUEST", "the body was over before it could be sent");
}

function wrongLength(than: "more" | "fewer"): ClientError {
  return new ClientError("ERR_CLIENT_REQUEST", `the body has ${than} bytes than its head says`);
}
