/**
 * The request and the reply as the stages see them. `server.ts` makes them from node:http; nothing else on the data
 * plane knows what carries them.
 */
import type { Readable } from "node:stream";

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
  /** By lower-case name; a header that came twice is joined as RFC 9110 has it. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
}

export interface GatewayReply {
  readonly isHeadSent: boolean;
  /** True once the reply has ended or the client's connection is gone. */
  readonly isClosed: boolean;
  /** `headers` is a flat list of names and values. */
  writeHead(status: number, headers: string[]): void;
  /** False when the client reads more slowly than it is sent to; wait for `onDrain` then. */
  write(chunk: Buffer): boolean;
  end(chunk?: Buffer): void;
  /** Cuts the connection, so that the client sees that the answer is not whole. */
  cut(): void;
  onDrain(listener: () => void): void;
  /** Called at most once, when the client's connection closes before the reply has ended. */
  onClientGone(listener: () => void): void;
}

/** One header's value; the first one where it came as a list. */
export function headerOf(request: GatewayRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}
