import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { ErrorCode } from "../../core/errors/codes.ts";
import type { BodyReader } from "../gateway-request.ts";
import { createFraming, type BodyFraming } from "./body-framing.ts";
import { NOTHING, restOf } from "./bytes.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import type { HttpHandler } from "./handler.ts";
import { HeadParser } from "./head-parser.ts";
import { IncomingBody, type BodySource } from "./incoming-body.ts";
import {
  formatRawRefusal,
  NO_BODY,
  NO_TUNNELS,
  SILENT,
  TOO_SLOW,
  type RawRefusal,
} from "./raw-refusal.ts";
import { Reply, type ReplyWire } from "./reply.ts";
import type { RequestHead } from "./request-head.ts";
import { sendTogether } from "./send-together.ts";
import { takeReads } from "./shared-reads.ts";

/** What all connections of a server have in common. */
export interface ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly handler: HttpHandler;
  /** The server takes no new connections, and ends those that it has as soon as it can. */
  readonly isClosing: boolean;
  dateText(): string;
  requestRefused(code: ErrorCode): void;
  forget(connection: Connection): void;
}

/** Beyond, what comes stays in the kernel until somebody takes it, and its sender has to wait. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** How long a connection that has had its last answer is still read: else the kernel would take that answer back. */
const FAREWELL_MS = 1_000;
/** How long, and how much of, a body that nobody wants is read and dropped behind its answer, for the same reason. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 64 * 1024 * 1024;
/** A client may send its next request just as its time is up: it was told of less. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** One request and its reply. */
interface Turn {
  readonly head: RequestHead;
  readonly framing: BodyFraming;
  readonly body: IncomingBody;
  readonly reply: Reply;
  /** Set when the reply has ended. */
  isKept: boolean | undefined;
}

/**
 * One client's connection. Requests are read, handed on and answered one after the other; what comes behind one that is
 * under way waits, in the end in the kernel's buffer and with the client. So a connection has never more than one call,
 * and what it holds is bounded, whatever is sent on it.
 */
export class Connection implements BodySource, ReplyWire {
  readonly #socket: Socket;
  readonly #remoteAddress: string;
  readonly #host: ConnectionHost;
  readonly #parser = new HeadParser();
  /** What has come and is not read yet. */
  #unread: Buffer = NOTHING;
  #turn: Turn | undefined;
  #isAdvancing = false;
  #isPumping = false;
  /** The kernel is not asked for more. */
  #isHeldBack = false;
  /** The client has not taken all that it was sent. */
  #isBehind = false;
  #hasServed = false;
  /** The client holds its body back until it is told to go on. */
  #isGoAheadDue = false;
  /** Since when it waits for a request; then, when the request's first byte came. */
  #sinceMs = performance.now();
  #lastReadMs = this.#sinceMs;
  /** Set while the rest of a body is dropped. */
  #lingersUntilMs = Number.POSITIVE_INFINITY;
  /** Told of its fault, or answered for the last time: what comes from now on is dropped. */
  #leavesAtMs: number | undefined;

  /** `accepted`: as the server hands it over, paused. */
  constructor(accepted: Socket, host: ConnectionHost) {
    const socket = takeReads(accepted, (bytes) => this.#onRead(bytes));
    this.#socket = socket;
    // Gone with the connection; one that ends at once has none.
    this.#remoteAddress = socket.remoteAddress ?? "";
    this.#host = host;
    socket.on("close", this.#onClose);
    socket.on("timeout", this.#onTimeout);
    // Half a connection is none: whoever has said all it wanted is not waited for.
    socket.on("end", () => this.destroy());
    socket.on("error", () => this.destroy());
  }

  /** Nothing of a request has come, and nothing is on its way to the client. */
  get isIdle(): boolean {
    return this.#turn === undefined && this.#unread.length === 0 && !this.#isBehind;
  }

  /** Whoever is under way is told at once, and not when the system has closed the socket. */
  destroy(): void {
    this.#leavesAtMs ??= 0;
    this.#unread = NOTHING;
    this.#socket.destroy();
    this.#abandon();
  }

  /** Ends what has lasted too long. The server asks now and then. */
  check(nowMs: number): void {
    const turn = this.#turn;
    if (this.#leavesAtMs !== undefined) {
      if (nowMs >= this.#leavesAtMs) this.destroy();
    } else if (nowMs >= this.#lingersUntilMs) this.#leave();
    else if (turn === undefined) this.#checkWaiting(nowMs);
    else if (!turn.body.isComplete && turn.isKept === undefined) this.#checkBody(turn, nowMs);
  }

  #checkWaiting(nowMs: number): void {
    const { limits } = this.#host;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#hasServed && this.#unread.length === 0) {
      if (waitedMs >= limits.keepAliveTimeoutMs + KEEP_ALIVE_MARGIN_MS) this.destroy();
      return;
    }
    const limitMs = Math.min(limits.clientHeadersTimeoutMs, limits.clientRequestTimeoutMs);
    if (waitedMs >= limitMs) this.#sayFarewell(TOO_SLOW);
  }

  #checkBody({ body }: Turn, nowMs: number): void {
    const { limits } = this.#host;
    if (nowMs - this.#sinceMs >= limits.clientRequestTimeoutMs) this.#breakOff(TOO_SLOW);
    // Where nobody takes it, it is not the client that is waited for.
    else if (body.isWanted && nowMs - this.#lastReadMs >= limits.clientIdleTimeoutMs) {
      this.#breakOff(SILENT);
    }
  }

  #onRead(chunk: Buffer): void {
    if (this.#leavesAtMs !== undefined) return;
    this.#lastReadMs = performance.now();
    if (this.#unread.length > 0) this.#unread = Buffer.concat([this.#unread, chunk]);
    else {
      this.#unread = chunk;
      // The first one has had its time since the connection was opened.
      if (this.#turn === undefined && this.#hasServed) this.#sinceMs = this.#lastReadMs;
    }
    this.#advance();
  }

  readonly #onClose = (): void => {
    this.#host.forget(this);
    this.#unread = NOTHING;
    this.#abandon();
  };

  /** Armed while the client does not keep up: only the socket sees how far the kernel has come. */
  readonly #onTimeout = (): void => {
    if (this.#isBehind) this.destroy();
  };

  /** Does what can be done with what has come. */
  #advance(): void {
    // A reply may end within the handler's call: that call's loop goes on with what follows.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    while (this.#leavesAtMs === undefined && this.#step());
    this.#isAdvancing = false;
    this.#holdBack();
  }

  /** False when something has to happen first. */
  #step(): boolean {
    const turn = this.#turn;
    if (turn === undefined) return this.#unread.length > 0 && !this.#isBehind && this.#begin();
    this.pump();
    if (turn.isKept === undefined || this.#isBehind) return false;
    if (!turn.body.isComplete && this.#lingersUntilMs !== Number.POSITIVE_INFINITY) return false;
    this.#end(turn, turn.isKept);
    return true;
  }

  #begin(): boolean {
    const head = this.#parser.parse(this.#unread);
    if (head === undefined) return false;
    if ("code" in head) {
      this.#sayFarewell(head);
      return false;
    }
    if (head.method === "CONNECT") {
      // What follows would be meant for the other end of a tunnel, so it is not read.
      this.#sayFarewell(NO_TUNNELS);
      return false;
    }
    this.#unread = restOf(this.#unread, this.#parser.end);
    this.#parser.reset();
    const { method, target, headers } = head;
    const framing = createFraming(head.bodyLength);
    const body = new IncomingBody(this, framing.isComplete);
    const reply = new Reply(this, head);
    this.#isGoAheadDue = head.expectsContinue && !framing.isComplete;
    this.#turn = { head, framing, body, reply, isKept: undefined };
    const remoteAddress = this.#remoteAddress;
    this.#host.handler({ method, target, headers, body, remoteAddress }, reply);
    return true;
  }

  #end({ reply }: Turn, isKept: boolean): void {
    this.#turn = undefined;
    this.#hasServed = true;
    this.#lingersUntilMs = Number.POSITIVE_INFINITY;
    this.#sinceMs = performance.now();
    reply.over();
    if (!isKept) this.#leave();
  }

  pump(): void {
    const turn = this.#turn;
    if (turn === undefined || this.#isPumping) return;
    const { body, framing } = turn;
    // Called because somebody wants more, not because more has come: the client's time begins now.
    if (!this.#isAdvancing) this.#lastReadMs = performance.now();
    if (this.#isGoAheadDue && body.isWanted) this.#goAhead(turn);
    this.#isPumping = true;
    while (this.#unread.length > 0 && body.isWanted && !framing.isComplete) {
      const end = framing.read(this.#unread, 0);
      if (end === -1) {
        this.#breakOff(NO_BODY);
        break;
      }
      this.#unread = restOf(this.#unread, end);
      if (framing.piece !== undefined) body.handOver(framing.piece);
    }
    this.#isPumping = false;
    if (framing.isComplete && !body.isComplete) body.complete();
    this.#advance();
  }

  #goAhead({ reply }: Turn): void {
    this.#isGoAheadDue = false;
    if (this.#unread.length === 0 && !reply.isHeadSent) this.send(CONTINUE, undefined, "");
  }

  send(before: string, body: Buffer | undefined, after: string): boolean {
    const socket = this.#socket;
    sendTogether(socket, before, body, after);
    if (socket.writableLength > 0 && !this.#isBehind) {
      this.#isBehind = true;
      socket.setTimeout(this.#host.limits.clientIdleTimeoutMs);
      socket.write(NOTHING, this.#onTaken);
    }
    // What the kernel took at once waits nowhere.
    return socket.writableLength < socket.writableHighWaterMark;
  }

  /** Everything that was sent before this was asked for has been taken. */
  readonly #onTaken = (err?: Error | null): void => {
    const socket = this.#socket;
    if (err !== null && err !== undefined) return;
    if (socket.writableLength > 0) {
      socket.write(NOTHING, this.#onTaken);
      return;
    }
    this.#isBehind = false;
    socket.setTimeout(0);
    this.#turn?.reply.drained();
    this.#advance();
  };

  mayKeep(): boolean {
    const isWanted = this.#turn?.head.isKeptAlive === true && !this.#host.isClosing;
    return isWanted && !this.#isGoAheadDue;
  }

  headEnd(isKept: boolean, hasDate: boolean): string {
    const { limits } = this.#host;
    const date = hasDate ? "" : `date: ${this.#host.dateText()}\r\n`;
    if (!isKept) return `${date}connection: close\r\n\r\n`;
    const seconds = Math.floor(limits.keepAliveTimeoutMs / 1000);
    return `${date}connection: keep-alive\r\nkeep-alive: timeout=${seconds}\r\n\r\n`;
  }

  replyEnded(isKept: boolean): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    turn.isKept = isKept;
    // A client that was not told to go on sends no body.
    if (!turn.body.isComplete && !this.#isGoAheadDue) {
      this.#lingersUntilMs = performance.now() + LINGER_MS;
      turn.body.read(this.#dropper());
    }
    this.#advance();
  }

  #dropper(): BodyReader {
    let bytes = 0;
    return {
      onData: (chunk) => {
        bytes += chunk.length;
        if (bytes > LINGER_BYTES) this.#leave();
      },
      onEnd: () => undefined,
      onBroken: () => undefined,
    };
  }

  /** What waits unread beyond a limit waits in the kernel. */
  #holdBack(): void {
    const isTooMuch = this.#unread.length >= MAX_UNREAD_BYTES && this.#leavesAtMs === undefined;
    if (isTooMuch === this.#isHeldBack) return;
    this.#isHeldBack = isTooMuch;
    if (isTooMuch) this.#socket.pause();
    else {
      this.#lastReadMs = performance.now();
      this.#socket.resume();
    }
  }

  /** In the middle of a request's body: its answer says so where none has begun, else the connection is cut. */
  #breakOff(refusal: RawRefusal): void {
    const isUnanswered = this.#turn?.reply.isHeadSent === false;
    if (isUnanswered) this.#sayFarewell(refusal);
    else this.destroy();
  }

  #sayFarewell(refusal: RawRefusal): void {
    this.#host.requestRefused(refusal.code);
    this.#leave(formatRawRefusal(refusal));
  }

  /** Closes the connection towards the client, whose last bytes are read and dropped for a while. */
  #leave(lastWords?: Buffer): void {
    this.#leavesAtMs = performance.now() + FAREWELL_MS;
    this.#unread = NOTHING;
    if (lastWords === undefined) this.#socket.end();
    else this.#socket.end(lastWords);
    this.#holdBack();
    this.#abandon();
  }

  #abandon(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.body.break();
    turn?.reply.gone();
  }
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
