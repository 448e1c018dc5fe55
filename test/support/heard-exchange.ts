import type {
  ExchangeControl,
  ExchangeListener,
} from "../../src/proxy/http-client/exchange-listener.ts";
import type { HeaderFields } from "../../src/proxy/http/header-fields.ts";
import { until } from "./poll.ts";

/** Keeps all that is heard of one exchange, and can do something besides within each call. */
export class HeardExchange implements ExchangeListener {
  control: ExchangeControl | undefined;
  readonly heads: { readonly status: number; readonly headers: HeaderFields }[] = [];
  body = "";
  ending: "end" | "error" | undefined;
  error: (Error & { readonly code?: string }) | undefined;
  /** Calls that may not come: a second start, and anything behind the end. */
  readonly surplus: string[] = [];
  readonly #besides: Partial<ExchangeListener>;

  constructor(besides: Partial<ExchangeListener> = {}) {
    this.#besides = besides;
  }

  get isStarted(): boolean {
    return this.control !== undefined;
  }

  onRequestStart(control: ExchangeControl): void {
    this.#check("start");
    if (this.isStarted) this.surplus.push("a second start");
    this.control = control;
    this.#besides.onRequestStart?.(control);
  }

  onResponseStart(control: ExchangeControl, status: number, headers: HeaderFields): void {
    this.#check("head");
    this.heads.push({ status, headers });
    this.#besides.onResponseStart?.(control, status, headers);
  }

  onResponseData(control: ExchangeControl, chunk: Buffer): void {
    this.#check("data");
    this.body += chunk.toString("latin1");
    this.#besides.onResponseData?.(control, chunk);
  }

  onResponseEnd(): void {
    this.#check("end");
    this.ending = "end";
    this.#besides.onResponseEnd?.();
  }

  onResponseError(err: Error): void {
    this.#check("error");
    this.ending = "error";
    this.error = err;
    this.#besides.onResponseError?.(err);
  }

  /** Waits for the answer's end; returns its body. */
  async answered(): Promise<string> {
    await until("the exchange's end", () => this.ending !== undefined);
    if (this.error !== undefined) throw this.error;
    return this.body;
  }

  /** Waits for the fault that the exchange ends with; returns its code, or its message where it has none. */
  async failed(): Promise<string> {
    await until("the exchange's end", () => this.ending !== undefined);
    if (this.error === undefined) throw new Error("the exchange did not fail");
    return this.error.code ?? this.error.message;
  }

  /** Waits for so many bytes of the answer's body. */
  async heard(text: string): Promise<void> {
    await until(`the answer's ${JSON.stringify(text)}`, () => this.body === text);
  }

  #check(call: string): void {
    if (this.ending !== undefined) this.surplus.push(`${call} behind the ${this.ending}`);
  }
}
