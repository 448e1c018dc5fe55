import type { Readable } from "node:stream";
import type { HeaderFields } from "../http/header-fields.ts";

export interface OutgoingRequest {
  /** `https://host` or `https://host:port`. */
  readonly origin: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** A flat list of names and values, without those that belong to the connection. */
  readonly headers: readonly string[];
  readonly body: Buffer | Readable | null;
}

/**
 * What is heard of one request. After `onResponseEnd` or `onResponseError`, one of which comes, nothing more does. What one
 * of the others throws ends the exchange, and `onResponseError` is told of it, which must not throw: it is the last to hear.
 */
export interface ExchangeListener {
  /** Its first byte is about to be written: unless it is aborted within this call, the server may know of it. */
  onRequestStart(control: ExchangeControl): void;
  /** For interim answers (status 1xx) too, which have no body and after which the real one comes. */
  onResponseStart(control: ExchangeControl, status: number, headers: HeaderFields): void;
  onResponseData(control: ExchangeControl, chunk: Buffer): void;
  onResponseEnd(): void;
  onResponseError(err: Error): void;
}

export interface ExchangeControl {
  /** Ends it at once, and its connection where the request was written; the listener is told with `err` within this call. */
  abort(err: Error): void;
  /** Nothing more of the answer's body is handed over until `resume`: the server's flow stops. */
  pause(): void;
  resume(): void;
}
