import { nextTick } from "node:process";
import type { GatewayReply, ReplyListener } from "../gateway-request.ts";
import type { ReadyFields } from "./ready-fields.ts";
import { formatHead, type FormattedHead } from "./reply-head.ts";
import type { RequestHead } from "./request-head.ts";

/** What the connection does for a reply. */
export interface ReplyWire {
  /** Sends these one behind the other, in one write where they are small. False when the client does not keep up. */
  send(before: string, body: Buffer | undefined, after: string): boolean;
  /** Whether another answer can follow this one. */
  mayKeep(): boolean;
  /** The fields that are the connection's, and the head's end. */
  headEnd(isKept: boolean, hasDate: boolean): string;
  replyEnded(isKept: boolean): void;
  destroy(): void;
}

/**
 * How the body's end is found by the client. `whole`: by its length, which is not known yet. `none`: there is no body,
 * whatever is written.
 */
type Framing = "whole" | "length" | "chunked" | "close" | "none";

const NO_LISTENER: ReplyListener = { onDrain: () => undefined, onClientGone: () => undefined };

/**
 * The reply to one request. The head goes out with the first bytes of the body where they come at once, and a body that
 * is there in one piece gets its length; what comes piece by piece goes out in chunks.
 */
export class Reply implements GatewayReply {
  readonly #wire: ReplyWire;
  readonly #request: Pick<RequestHead, "method" | "isHttp10">;
  #listener: ReplyListener = NO_LISTENER;
  #onOver: (() => void) | undefined;
  #head: FormattedHead | undefined;
  #isHeadFlushed = false;
  #framing: Framing = "whole";
  /** Bytes of the body that the head has promised and that are still to come. */
  #missing = 0;
  #isKept = true;
  #isEnded = false;
  #isGone = false;

  constructor(wire: ReplyWire, request: Pick<RequestHead, "method" | "isHttp10">) {
    this.#wire = wire;
    this.#request = request;
  }

  get isHeadSent(): boolean {
    return this.#head !== undefined;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isClosed(): boolean {
    return this.#isEnded || this.#isGone;
  }

  writeHead(status: number, headers: readonly string[], ready?: ReadyFields): void {
    if (this.isClosed) return;
    this.#takeHead(formatHead(status, headers, ready));
    nextTick(flushLoneHead, this);
  }

  answer(status: number, headers: readonly string[], body?: Buffer, ready?: ReadyFields): void {
    if (this.isClosed) return;
    this.#takeHead(formatHead(status, headers, ready));
    this.end(body);
  }

  #takeHead(head: FormattedHead): void {
    if (this.#head !== undefined) throw new Error("the reply has a head already");
    this.#head = head;
    if (this.#request.method === "HEAD" || head.isBodyless) this.#framing = "none";
    else if (head.contentLength !== undefined) {
      this.#framing = "length";
      this.#missing = head.contentLength;
    }
  }

  write(chunk: Buffer): boolean {
    if (this.isClosed || chunk.length === 0) return true;
    const head = this.#flushHead(this.#request.isHttp10 ? "close" : "chunked");
    if (this.#framing === "none") return head === "" || this.#wire.send(head, undefined, "");
    if (this.#framing === "chunked") {
      return this.#wire.send(`${head}${chunk.length.toString(16)}\r\n`, chunk, "\r\n");
    }
    if (!this.#fits(chunk)) return true;
    return this.#wire.send(head, chunk, "");
  }

  end(chunk?: Buffer): void {
    if (this.isClosed) return;
    if (this.#head === undefined) throw new Error("the reply has no head yet");
    if (this.#framing === "whole") {
      this.#framing = "length";
      this.#missing = chunk?.length ?? 0;
      this.#head.lines += `content-length: ${this.#missing}\r\n`;
    }
    const head = this.#flushHead(this.#framing);
    if (this.#framing === "chunked") this.#sendLastChunk(chunk);
    else if (this.#framing === "none") {
      if (head !== "") this.#wire.send(head, undefined, "");
    } else {
      if (chunk !== undefined && !this.#fits(chunk)) return;
      if (this.#framing === "length" && this.#missing > 0) {
        // Less than the head has promised: the next answer would be taken for the rest.
        this.cut();
        return;
      }
      if (head !== "" || chunk !== undefined) this.#wire.send(head, chunk, "");
    }
    this.#isEnded = true;
    this.#wire.replyEnded(this.#isKept);
  }

  cut(): void {
    if (!this.#isEnded) this.#wire.destroy();
  }

  listen(listener: ReplyListener): void {
    this.#listener = listener;
  }

  onceOver(callback: () => void): void {
    this.#onOver = callback;
  }

  /** Sends a head whose body is still to come. */
  flushLoneHead(): void {
    if (this.isClosed || this.#isHeadFlushed) return;
    this.#wire.send(this.#flushHead(this.#request.isHttp10 ? "close" : "chunked"), undefined, "");
  }

  drained(): void {
    if (!this.isClosed) this.#listener.onDrain();
  }

  /** The connection is gone. */
  gone(): void {
    const wasClosed = this.isClosed;
    this.#isGone = true;
    if (!wasClosed) this.#listener.onClientGone();
    this.over();
  }

  /** Nothing of it is on its way any more. */
  over(): void {
    const callback = this.#onOver;
    this.#onOver = undefined;
    callback?.();
  }

  /** The head's text, the first time it is asked for; `undeclared`: how a body whose length is not known is sent. */
  #flushHead(undeclared: Framing): string {
    if (this.#isHeadFlushed) return "";
    const head = this.#head;
    if (head === undefined) throw new Error("the reply has no head yet");
    this.#isHeadFlushed = true;
    if (this.#framing === "whole") this.#framing = undeclared;
    const framing = this.#framing === "chunked" ? "transfer-encoding: chunked\r\n" : "";
    this.#isKept = head.isKept && this.#framing !== "close" && this.#wire.mayKeep();
    return `${head.lines}${framing}${this.#wire.headEnd(this.#isKept, head.hasDate)}`;
  }

  #sendLastChunk(chunk: Buffer | undefined): void {
    if (chunk === undefined || chunk.length === 0) this.#wire.send(LAST_CHUNK, undefined, "");
    else this.#wire.send(`${chunk.length.toString(16)}\r\n`, chunk, `\r\n${LAST_CHUNK}`);
  }

  /** False, with the connection cut, where there is more than the head has promised. */
  #fits(chunk: Buffer): boolean {
    if (this.#framing !== "length") return true;
    this.#missing -= chunk.length;
    if (this.#missing >= 0) return true;
    this.cut();
    return false;
  }
}

const LAST_CHUNK = "0\r\n\r\n";

function flushLoneHead(reply: Reply): void {
  reply.flushLoneHead();
}
