import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { Agent } from "undici";
import { readUpTo } from "../../wire/http/read-up-to.ts";
import { readRetryAfterMs } from "../../wire/http/retry-after.ts";
import type { Log } from "../log.ts";
import type { OtlpTarget } from "../otlp-settings.ts";
import { readRejected } from "./read-rejected.ts";

export interface OtlpSenderOptions {
  readonly target: OtlpTarget;
  /** For the log: `spans`, `metrics`. */
  readonly what: string;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly pace?: OtlpPace;
}

export interface OtlpPace {
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
  /** No longer wait is granted, whatever a collector asks for. */
  readonly maxWaitMs: number;
  readonly maxAttempts: number;
}

const DEFAULT_PACE: OtlpPace = {
  firstRetryMs: 1_000,
  lastRetryMs: 16_000,
  maxWaitMs: 60_000,
  maxAttempts: 5,
};

/** What became of an export after its retries. `rejected`: of what was taken, what the collector left out after all. */
export type Delivery =
  | { readonly isTaken: true; readonly rejected: number }
  | { readonly isTaken: false };

type Attempt = Delivery | { readonly isTaken: "later"; readonly afterMs: number | undefined };

/** Statuses after which the same may be sent again. Source: OTLP specification, "Failures", retryable response codes. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Of a collector's answer; more says nothing. */
const MAX_ANSWER_BYTES = 64 * 1024;
const compress = promisify(gzip);

/** Sends exports to one endpoint of a collector, one at a time. Nobody's call waits for it. */
export class OtlpSender {
  readonly #options: OtlpSenderOptions;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #url: URL;
  readonly #stopping = new AbortController();
  /** Of the request that is under way. */
  #request = new AbortController();
  #isPastDeadline = false;
  #failed = 0;
  #isFailing = false;

  constructor(options: OtlpSenderOptions) {
    this.#options = options;
    const { url, headers, protocol, isCompressed, timeoutMs } = options.target;
    this.#url = new URL(url);
    // A name and password in the URL are sent as what they are meant for; undici would drop them.
    const { username, password } = this.#url;
    const credentials = Buffer.from(
      `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    );
    this.#url.username = "";
    this.#url.password = "";
    this.#headers = {
      ...(username === "" ? {} : { authorization: `Basic ${credentials.toString("base64")}` }),
      ...Object.fromEntries(headers),
      "user-agent": "keyward",
      "content-type": protocol === "http/json" ? "application/json" : "application/x-protobuf",
      ...(isCompressed ? { "content-encoding": "gzip" } : {}),
    };
    this.#agent = new Agent({ connections: 1, connect: { timeout: timeoutMs } });
  }

  /** Exports that were given up. */
  get failedExports(): number {
    return this.#failed;
  }

  /** Resolves when the collector has taken it, or it is given up; never rejects. One at a time. */
  async send(body: Buffer): Promise<Delivery> {
    const { pace = DEFAULT_PACE, target } = this.#options;
    const bytes = target.isCompressed ? await compress(body) : body;
    let retryMs = pace.firstRetryMs;
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.#try(bytes);
      if (result.isTaken !== "later") return this.#end(result);
      if (attempt >= pace.maxAttempts || this.#stopping.signal.aborted)
        return this.#end({ isTaken: false });
      // Spread, so that all that were turned away together do not come back together.
      const backoffMs = retryMs * (0.8 + 0.4 * this.#options.random());
      await this.#pause(Math.min(result.afterMs ?? backoffMs, pace.maxWaitMs));
      retryMs = Math.min(retryMs * 2, pace.lastRetryMs);
    }
  }

  /** No more waiting between attempts from now on, and after `graceMs` no request either. */
  stop(graceMs: number): void {
    this.#stopping.abort();
    setTimeout(() => {
      this.#isPastDeadline = true;
      this.#request.abort();
    }, graceMs).unref();
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #pause(ms: number): Promise<void> {
    // Where it is stopped meanwhile, the last attempt follows at once.
    const { signal } = this.#stopping;
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }

  async #try(bytes: Buffer): Promise<Attempt> {
    if (this.#isPastDeadline) return { isTaken: false };
    const { target, nowMs } = this.#options;
    this.#request = new AbortController();
    const timer = setTimeout(() => this.#request.abort(), target.timeoutMs).unref();
    try {
      const answer = await this.#agent.request({
        origin: this.#url.origin,
        path: this.#url.pathname + this.#url.search,
        method: "POST",
        headers: this.#headers,
        body: bytes,
        signal: this.#request.signal,
      });
      const { bytes: body } = await readUpTo(answer.body, MAX_ANSWER_BYTES);
      const { statusCode, headers } = answer;
      if (statusCode >= 200 && statusCode < 300) {
        return { isTaken: true, rejected: readRejected(body, target.protocol) };
      }
      this.#complain(`status ${statusCode}`);
      if (!RETRYABLE.has(statusCode)) return { isTaken: false };
      return { isTaken: "later", afterMs: readRetryAfterMs(headers, nowMs()) };
    } catch (err) {
      // Recovered from: nobody listens, or it took too long; it is tried again.
      this.#complain(reasonOf(err));
      return { isTaken: "later", afterMs: undefined };
    } finally {
      clearTimeout(timer);
    }
  }

  #end(delivery: Delivery): Delivery {
    if (!delivery.isTaken) this.#failed += 1;
    else if (this.#isFailing) {
      this.#isFailing = false;
      this.#options.log.info(this.#logFields(), "the OpenTelemetry collector takes data again");
    }
    return delivery;
  }

  /** Once, however long it lasts. */
  #complain(reason: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#options.log.warn(
      { ...this.#logFields(), reason },
      "the OpenTelemetry collector does not take data; it is dropped when too much waits",
    );
  }

  /** Without the query and the headers: keys are sent in both. */
  #logFields() {
    return { what: this.#options.what, collector: this.#url.origin + this.#url.pathname };
  }
}

function reasonOf(err: unknown): string {
  if (!(err instanceof Error)) return "an unknown fault";
  return "code" in err && typeof err.code === "string" ? err.code : err.name;
}
