/**
 * The request and the reply as the stages see them. `http/` makes them from the bytes of a connection; nothing else on
 * the data plane knows what carries them.
 */
import type { HeaderFields } from "./http/header-fields.ts";
import type { ReadyFields } from "./http/ready-fields.ts";

export interface GatewayRequest {
  readonly method: string;
  /** Path and query as they came; those of a client of a dated API as OpenAI has them. */
  readonly target: string;
  /** The target without its query. */
  readonly path: string;
  /** Set when the client called a path of a dated API, as Azure has it: what that path said besides. */
  readonly dated: {
    readonly apiVersion: string | null;
    /** The model, where the path names it: it counts, whatever the body says. */
    readonly deployment: string | null;
  } | null;
  readonly headers: HeaderFields;
  readonly body: RequestBody;
  readonly remoteAddress: string;
}

/** A request's body. Nothing of it is taken from the client until somebody reads it. */
export interface RequestBody {
  /** Somebody has begun to read it: it can't be read from its beginning any more. */
  readonly isRead: boolean;
  /** The client went away within it: no more will come. */
  readonly isBroken: boolean;
  /** Hands what comes from now on to the reader, in place of the one before; what is there already within this call. */
  read(reader: BodyReader): void;
  /** Nothing more is handed over until `resume`: the client's flow stops. */
  pause(): void;
  resume(): void;
}

export interface BodyReader {
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** The client went away; neither of the others is called any more. */
  onBroken(): void;
}

export interface GatewayReply {
  readonly isHeadSent: boolean;
  /** True once the reply has ended or the client's connection is gone. */
  readonly isClosed: boolean;
  /** `headers` is a flat list of names (in lower case) and values; `ready` are further ones. */
  writeHead(status: number, headers: readonly string[], ready?: ReadyFields): void;
  /** False when the client reads more slowly than it is sent to; wait for `onDrain` then. */
  write(chunk: Buffer): boolean;
  end(chunk?: Buffer): void;
  /** `writeHead` and `end` in one: an answer that is there as a whole. */
  answer(status: number, headers: readonly string[], body?: Buffer, ready?: ReadyFields): void;
  /** Cuts the connection, so that the client sees that the answer is not whole. */
  cut(): void;
  /** Told from now on, in place of whoever was before. */
  listen(listener: ReplyListener): void;
  /** Calls back once, when the last byte has left or the connection is gone. */
  onceOver(callback: () => void): void;
}

export interface ReplyListener {
  /** The client has taken what it was sent. */
  onDrain(): void;
  /** The client's connection closed before the reply had ended. */
  onClientGone(): void;
}
