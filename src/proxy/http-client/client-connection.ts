import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { createFraming, type BodyFraming } from "../http/body-framing.ts";
import { NOTHING, restOf } from "../http/bytes.ts";
import { sendTogether } from "../http/send-together.ts";
import { BodySender, faultOfBody, type BodySenderEvents } from "./body-sender.ts";
import { ClientError } from "./client-error.ts";
import type { ExchangeControl, ExchangeListener, OutgoingRequest } from "./exchange-listener.ts";
import type { RequestText } from "./request-text.ts";
import { ResponseHeadParser, type ResponseHead } from "./response-head.ts";

/** What all connections of a client have in common. */
export interface ClientConnectionHost {
  /** From the request's last byte to the answer's head, and for the server to take the next of its bytes. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the answer's body. */
  readonly bodyIdleTimeoutMs: number;
  /** Where the server does not say for how long it keeps a connection that nobody uses. */
  readonly idleTimeoutMs: number;
}

export interface ClientConnectionEvents {
  /** It can carry the next exchange. */
  onFree(connection: ClientConnection): void;
  onGone(connection: ClientConnection): void;
}

const INTERIM_END = 200;
const SWITCHING_PROTOCOLS = 101;
/** The server may close just as its time is up, while a request is on its way. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
const MAX_KEEP_ALIVE_MS = 600_000;

/** One connection to a server. It carries one exchange after the other, and none behind one that went wrong. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #host: ClientConnectionHost;
  readonly #events: ClientConnectionEvents;
  readonly #parser = new ResponseHeadParser();
  /** What has come and is not read yet. */
  #unread = NOTHING;
  #turn: Turn | undefined;
  #isPumping = false;
  /** The server has said its last. */
  #isEnded = false;
  #expiresAtMs: number;

  constructor(socket: Socket, host: ClientConnectionHost, events: ClientConnectionEvents) {
    this.#socket = socket;
    this.#host = host;
    this.#events = events;
    this.#expiresAtMs = performance.now() + host.idleTimeoutMs;
    // What came before its end is not lost on a reader who takes it later: it is closed here, and not by itself.
    socket.allowHalfOpen = true;
    socket.on("data", (chunk: Buffer) => this.read(chunk));
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /** Nothing is under way on it, it is open, and its server keeps it still: the next check may be too late to tell. */
  get isFree(): boolean {
    const isOpen = this.#turn === undefined && !this.#socket.destroyed;
    return isOpen && performance.now() < this.#expiresAtMs;
  }

  /** Writes the request. False when it ends just before, by its listener or its body: the connection is as it was. It must be free. */
  send(request: OutgoingRequest, text: RequestText, listener: ExchangeListener): boolean {
    const { method, body } = request;
    const isStream = body !== null && !Buffer.isBuffer(body);
    const fault = isStream ? faultOfBody(body) : undefined;
    if (fault !== undefined) {
      listener.onResponseError(fault);
      return false;
    }
    const turn = new Turn(this, method, listener);
    this.#turn = turn;
    try {
      listener.onRequestStart(turn);
    } catch (err) {
      this.fail(turn, err as Error);
    }
    if (this.#turn !== turn) return false;
    turn.hasBegun = true;
    turn.isWritten = !isStream;
    sendTogether(this.#socket, text.head, isStream ? undefined : (body ?? undefined), "");
    if (isStream) {
      turn.sender = new BodySender(this.#socket, { stream: body, framing: text.framing }, turn);
    }
    return true;
  }

  /** Ends what has lasted too long. The client asks now and then. */
  check(nowMs: number): void {
    const turn = this.#turn;
    if (turn === undefined) {
      if (nowMs >= this.#expiresAtMs) this.destroy();
      return;
    }
    // It is not the server that is slow while its answer waits to be read, or while the rest of the request does not come.
    if (turn.isPaused) return;
    if (turn.framing === undefined) {
      const isServersTurn = turn.isWritten || turn.sender?.isBlocked === true;
      if (isServersTurn && nowMs - turn.movedAtMs >= this.#host.headersTimeoutMs) {
        const text = `no answer began within ${this.#host.headersTimeoutMs} ms`;
        this.fail(turn, new ClientError("ERR_CLIENT_HEADERS_TIMEOUT", text));
      }
    } else if (nowMs - turn.movedAtMs >= this.#host.bodyIdleTimeoutMs) {
      const text = `nothing of the answer came for ${this.#host.bodyIdleTimeoutMs} ms`;
      this.fail(turn, new ClientError("ERR_CLIENT_BODY_TIMEOUT", text));
    }
  }

  /** Cuts it, and what is under way on it. */
  cut(err: Error): void {
    this.destroy();
    if (this.#turn !== undefined) this.fail(this.#turn, err);
  }

  /** Takes what has come. */
  read(chunk: Buffer): void {
    const turn = this.#turn;
    if (turn === undefined) {
      // Nothing was asked: it must never be taken for the answer to what is asked next.
      this.destroy();
      return;
    }
    // A head that comes byte by byte has the time of a head.
    if (turn.framing !== undefined) turn.movedAtMs = performance.now();
    this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    this.#pump(turn);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends the exchange, and the connection where it has begun. */
  fail(turn: Turn, err: Error): void {
    if (this.#turn !== turn) return;
    this.#turn = undefined;
    turn.sender?.stop();
    if (turn.hasBegun) this.destroy();
    else if (turn.isPaused) this.#socket.resume();
    turn.listener.onResponseError(err);
  }

  pause(turn: Turn): void {
    if (this.#turn === turn) this.#socket.pause();
  }

  resume(turn: Turn): void {
    turn.movedAtMs = performance.now();
    this.#pump(turn);
    if (this.#mayGoOn(turn)) this.#socket.resume();
  }

  readonly #onEnd = (): void => {
    this.#isEnded = true;
    if (this.#turn === undefined) this.destroy();
    else this.#pump(this.#turn);
  };

  readonly #onError = (err: Error): void => {
    if (this.#turn !== undefined) this.fail(this.#turn, err);
  };

  readonly #onClose = (): void => {
    this.#events.onGone(this);
    if (this.#turn !== undefined) this.fail(this.#turn, cutByServer());
  };

  /** Hands over what can be handed over of what has come. */
  #pump(turn: Turn): void {
    // A listener may resume, or end, the exchange while it is told of a piece: the loop below goes on with that.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#mayGoOn(turn) && this.#step(turn));
      if (this.#isEnded && this.#mayGoOn(turn)) this.#endWithConnection(turn);
    } catch (err) {
      this.fail(turn, err as Error);
    }
    this.#isPumping = false;
  }

  #mayGoOn(turn: Turn): boolean {
    return this.#turn === turn && !turn.isPaused;
  }

  #endWithConnection(turn: Turn): void {
    if (!turn.isUntilClose) throw cutByServer();
    this.#complete(turn, false);
  }

  /** False when something has to come first. */
  #step(turn: Turn): boolean {
    if (this.#unread.length === 0) return false;
    if (turn.framing === undefined) return this.#readHead(turn);
    const end = turn.framing.read(this.#unread, 0);
    if (end === -1) {
      throw new ClientError("ERR_CLIENT_RESPONSE", "the answer's body is malformed");
    }
    const { piece, isComplete } = turn.framing;
    this.#unread = restOf(this.#unread, end);
    if (piece !== undefined) turn.listener.onResponseData(turn, piece);
    if (isComplete && this.#turn === turn) this.#complete(turn, turn.isKept);
    return true;
  }

  #readHead(turn: Turn): boolean {
    const head = this.#parser.parse(this.#unread, turn.method);
    if (head === undefined) return false;
    this.#unread = restOf(this.#unread, this.#parser.end);
    this.#parser.reset();
    const { status, headers, bodyLength } = head;
    if (status === SWITCHING_PROTOCOLS) {
      throw new ClientError(
        "ERR_CLIENT_RESPONSE",
        "the server changes to a protocol nobody asked for",
      );
    }
    turn.movedAtMs = performance.now();
    if (status >= INTERIM_END) this.#begin(turn, head);
    turn.listener.onResponseStart(turn, status, headers);
    const isWhole = status >= INTERIM_END && bodyLength === 0;
    if (isWhole && this.#turn === turn) this.#complete(turn, turn.isKept);
    return true;
  }

  #begin(turn: Turn, { bodyLength, isKeptAlive, keptForMs }: ResponseHead): void {
    turn.framing = createFraming(bodyLength);
    turn.isUntilClose = bodyLength === "until-close";
    turn.isKept = isKeptAlive;
    turn.keptForMs =
      keptForMs === undefined
        ? this.#host.idleTimeoutMs
        : Math.min(keptForMs - KEEP_ALIVE_MARGIN_MS, MAX_KEEP_ALIVE_MS);
  }

  #complete(turn: Turn, isKept: boolean): void {
    this.#turn = undefined;
    this.#expiresAtMs = performance.now() + turn.keptForMs;
    turn.sender?.stop();
    if (isKept && turn.isWritten && turn.keptForMs > 0 && this.#isClean()) this.#release();
    else this.destroy();
    try {
      turn.listener.onResponseEnd();
    } catch (err) {
      turn.listener.onResponseError(err as Error);
    }
  }

  /** Bytes behind an answer belong to nothing that was asked, and what is left of a request would come before the next one. */
  #isClean(): boolean {
    const { readableLength, writableLength } = this.#socket;
    const isRead = this.#unread.length === 0 && readableLength === 0 && !this.#isEnded;
    return isRead && writableLength === 0;
  }

  #release(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#events.onFree(this);
  }
}

/** One exchange on a connection. */
class Turn implements ExchangeControl, BodySenderEvents {
  readonly method: string;
  readonly listener: ExchangeListener;
  readonly #connection: ClientConnection;
  sender: BodySender | undefined;
  /** Undefined until the answer's head has come. */
  framing: BodyFraming | undefined;
  isUntilClose = false;
  isKept = false;
  keptForMs = 0;
  /** Some of the request may have gone out. */
  hasBegun = false;
  isWritten = false;
  isPaused = false;
  /** When either side last did something. */
  movedAtMs = performance.now();

  constructor(connection: ClientConnection, method: string, listener: ExchangeListener) {
    this.#connection = connection;
    this.method = method;
    this.listener = listener;
  }

  abort(err: Error): void {
    this.#connection.fail(this, err);
  }

  pause(): void {
    this.isPaused = true;
    this.#connection.pause(this);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#connection.resume(this);
  }

  onProgress(): void {
    this.movedAtMs = performance.now();
  }

  onWritten(): void {
    this.isWritten = true;
    this.movedAtMs = performance.now();
  }

  onFault(err: Error): void {
    this.#connection.fail(this, err);
  }
}

function cutByServer(): ClientError {
  return new ClientError("ERR_CLIENT_CUT", "the server closed the connection within the exchange");
}
