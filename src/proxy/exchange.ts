import { NO_QUANTITIES, type Quantities } from "../core/usage/quantities.ts";
import {
  NO_FACTS,
  NO_TEXT,
  type CountableText,
  type ResponseFacts,
} from "../wire/openai/operation.ts";
import type { Answer, Send } from "./answers/answer.ts";
import type { SecretMask } from "./answers/secret-mask.ts";
import { createDecoder, isDecodable, type Decoder } from "./decoder.ts";
import type { GatewayReply, ReplyListener } from "./gateway-request.ts";
import { createClientHeaders } from "./headers.ts";
import type { ExchangeControl, ExchangeListener } from "./http-client/exchange-listener.ts";
import type { HeaderFields } from "./http/header-fields.ts";
import type { ReadyFields } from "./http/ready-fields.ts";
import { classifyFault, type UpstreamFault } from "./upstream.ts";

/** How one exchange with a provider ended, before money is looked at. */
export interface ExchangeResult {
  /**
   * `whole`: the provider's answer came to its end. `dropped`: the rest of one that is not passed on was not awaited.
   * `revoked`: the call's key is refused by now.
   */
  readonly ending: "whole" | "client-gone" | "dropped" | "revoked" | UpstreamFault;
  /** Null when no response head came. */
  readonly httpStatus: number | null;
  /** Whether the provider may know of the call. */
  readonly wasStarted: boolean;
  readonly firstByteAtMs: number | null;
  readonly facts: ResponseFacts;
  /** False for a body in a form that could not be read. */
  readonly isUnderstood: boolean;
  /** False when more was delivered after the usage that `facts` holds. */
  readonly isUsageCurrent: boolean;
  readonly deliveredText: () => CountableText;
  readonly deliveredUnits: () => Quantities;
  /** For the log, never for the client. */
  readonly fault: Error | undefined;
  /** The client has had the head: nothing but the rest of the body can follow. */
  readonly isHeadSent: boolean;
  /** Ends the reply, with a head that is still held where there is one. */
  readonly finishReply: (extraHeaders: readonly string[]) => void;
}

export interface ExchangeOptions {
  readonly reply: GatewayReply;
  /** Headers of our own that every reply carries; and those of them that other replies carry alike. */
  readonly ownHeaders: readonly string[];
  readonly readyHeaders: ReadyFields | undefined;
  /** Chooses how the answer is handled, once its head is known. */
  readonly createAnswer: (head: ResponseHead, send: Send) => AnswerPlan;
  readonly monotonicMs: () => number;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderFields;
  /** Ends the exchange: the rest of the answer is not wanted. */
  readonly drop: () => void;
}

export interface AnswerPlan {
  readonly answer: Answer;
  /** The answer is read, so a content-encoding must come off. */
  readonly isRead: boolean;
  /** Bytes may be taken out. */
  readonly isBodyChanged: boolean;
  /** What the head, and what is held until the end, are passed through. */
  readonly mask?: SecretMask | undefined;
}

/** More of them announce nothing. */
const MAX_INTERIM_HEADS = 32;
/** A provider that delivers faster than it is read is cut off all the same. */
const MAX_LAST_READ_MS = 100;

class ClientGoneError extends Error {}
class AnswerDroppedError extends Error {}
class KeyRefusedError extends Error {}

/**
 * One call's exchange with a provider: the HTTP client's callbacks on one side, the client's reply on the other, back-pressure
 * in both directions, and an abort of either end that reaches the other at once.
 */
export class Exchange implements ExchangeListener, ReplyListener {
  readonly result: Promise<ExchangeResult>;
  readonly #options: ExchangeOptions;
  readonly #reply: GatewayReply;
  #resolve!: (result: ExchangeResult) => void;
  #isDone = false;
  #isClientGone = false;
  #readChunks = 0;
  #wasStarted = false;
  #controller: ExchangeControl | undefined;
  #interimHeads = 0;
  #head: Pick<ResponseHead, "status" | "headers"> | undefined;
  #plan: AnswerPlan | undefined;
  #decoder: Decoder | undefined;
  #firstByteAtMs: number | null = null;
  #rest: Buffer | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#reply = options.reply;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#isClientGone = this.#reply.isClosed;
    this.#reply.listen(this);
  }

  onClientGone(): void {
    this.#isClientGone = true;
    if (this.#isDone) return;
    // Nobody will drain the reply any more: what is still to be decoded, or to be read, must not wait for that.
    this.#decoder?.resume();
    const controller = this.#controller;
    if (controller === undefined) return;
    if (this.#head === undefined) {
      controller.abort(new ClientGoneError("the client closed the connection"));
      return;
    }
    controller.resume();
    this.#abortWhenRead(controller, this.#options.monotonicMs() + MAX_LAST_READ_MS);
  }

  /** Ends it, whatever has come: the call may not go on. */
  revoke(): void {
    if (this.#isDone) return;
    const err = new KeyRefusedError("the call's key was revoked");
    this.#finish("revoked", err);
    this.#controller?.abort(err);
    this.#decoder?.destroy();
  }

  /**
   * A client that leaves is charged for what the provider has delivered: what of it has reached this machine already is read
   * before the provider is told. A turn of the event loop in which nothing came was the last.
   */
  #abortWhenRead(controller: ExchangeControl, untilMs: number): void {
    const readBefore = this.#readChunks;
    setImmediate(() => {
      if (this.#isDone) return;
      const isMore = this.#readChunks > readBefore && this.#options.monotonicMs() < untilMs;
      if (isMore) this.#abortWhenRead(controller, untilMs);
      else controller.abort(new ClientGoneError("the client closed the connection"));
    });
  }

  onDrain(): void {
    if (this.#isDone) return;
    if (this.#decoder === undefined) this.#controller?.resume();
    else this.#decoder.resume();
  }

  /** Ends the exchange before it began: the call could not be, or need not be, sent. */
  cancel(fault: Error): void {
    this.#finish(this.#isClientGone ? "client-gone" : "unreachable", fault);
  }

  onRequestStart(controller: ExchangeControl): void {
    this.#controller = controller;
    if (this.#isClientGone) {
      controller.abort(new ClientGoneError("the client closed the connection"));
      return;
    }
    this.#wasStarted = true;
  }

  onResponseStart(controller: ExchangeControl, status: number, headers: HeaderFields): void {
    if (status < 200) {
      // An interim answer, such as 103 Early Hints. Each one winds up the clock that waits for the real one.
      this.#interimHeads += 1;
      if (this.#interimHeads > MAX_INTERIM_HEADS) {
        controller.abort(new Error(`the provider sent ${this.#interimHeads} interim answers`));
      }
      return;
    }
    this.#head = { status, headers };
    const drop = (): void => this.#drop(controller);
    const plan = this.#options.createAnswer({ status, headers, drop }, this.#send);
    this.#plan = plan;
    const encoding = headers.get("content-encoding");
    if (plan.isRead && isDecodable(encoding)) {
      this.#decoder = createDecoder(encoding, {
        onData: (chunk) => plan.answer.push(chunk),
        onEnd: () => this.#whole(),
        onError: (err) => {
          controller.abort(err);
          this.#finish("broken", err);
        },
        onPause: () => controller.pause(),
        onResume: () => controller.resume(),
      });
    }
    if (!plan.answer.isHeadHeld) this.#writeHead();
  }

  onResponseData(_controller: ExchangeControl, chunk: Buffer): void {
    if (this.#isDone) return;
    this.#readChunks += 1;
    if (this.#decoder !== undefined) this.#decoder.write(chunk);
    else this.#plan?.answer.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#decoder !== undefined) this.#decoder.end();
    else this.#whole();
  }

  onResponseError(err: Error): void {
    this.#decoder?.destroy();
    const isClientGone = this.#isClientGone || err instanceof ClientGoneError;
    this.#finish(isClientGone ? "client-gone" : classifyFault(err, this.#wasStarted), err);
  }

  /** Sends bytes on; a client that reads slowly stops the provider's flow. */
  readonly #send: Send = (bytes) => {
    if (bytes.length === 0) return;
    this.#firstByteAtMs ??= this.#options.monotonicMs();
    if (!this.#reply.isHeadSent) this.#writeHead();
    if (this.#reply.write(bytes)) return;
    if (this.#decoder === undefined) this.#controller?.pause();
    else this.#decoder.pause();
  };

  #drop(controller: ExchangeControl): void {
    this.#finish("dropped", undefined);
    controller.abort(new AnswerDroppedError("the answer is not passed on"));
  }

  #whole(): void {
    if (this.#isDone) return;
    const rest = this.#plan?.answer.finish();
    this.#rest = this.#plan?.mask === undefined ? rest : this.#plan.mask.finish(rest);
    this.#finish("whole", undefined);
  }

  #finish(ending: ExchangeResult["ending"], fault: Error | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const plan = this.#plan;
    this.#resolve({
      ending,
      httpStatus: this.#head?.status ?? null,
      wasStarted: this.#wasStarted,
      firstByteAtMs: this.#firstByteAtMs,
      facts: plan?.answer.facts() ?? NO_FACTS,
      isUnderstood: plan?.answer.isUnderstood() ?? false,
      isUsageCurrent: plan?.answer.isUsageCurrent() ?? true,
      deliveredText: () => plan?.answer.deliveredText() ?? NO_TEXT,
      deliveredUnits: () => plan?.answer.deliveredUnits() ?? NO_QUANTITIES,
      fault,
      isHeadSent: this.#reply.isHeadSent,
      finishReply: (extraHeaders) => this.#endReply(extraHeaders),
    });
  }

  #endReply(extraHeaders: readonly string[]): void {
    const reply = this.#reply;
    const head = this.#head;
    if (reply.isClosed) return;
    if (reply.isHeadSent || head === undefined) {
      reply.end(this.#rest);
      return;
    }
    const headers = this.#headersFrom(head.headers);
    headers.push(...extraHeaders);
    reply.answer(head.status, headers, this.#rest, this.#options.readyHeaders);
  }

  #writeHead(): void {
    const head = this.#head;
    if (this.#reply.isClosed || head === undefined) return;
    const headers = this.#headersFrom(head.headers);
    this.#reply.writeHead(head.status, headers, this.#options.readyHeaders);
  }

  #headersFrom(upstream: HeaderFields): string[] {
    return createClientHeaders(upstream, this.#options.ownHeaders, {
      isBodyChanged: this.#plan?.isBodyChanged ?? false,
      isDecoded: this.#decoder !== undefined,
      ready: this.#options.readyHeaders,
      mask: this.#plan?.mask,
    });
  }
}
