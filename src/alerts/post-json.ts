import { type Dispatcher, errors } from "undici";
import { ForbiddenAddressError } from "../core/network/forbidden-address-error.ts";
import { readRetryAfterMs } from "../wire/http/retry-after.ts";
import { failed, type SendOutcome } from "./alert-message.ts";

/** A receiver has this long for its whole answer. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** An answer is read to find its end, not for what it says; one that is longer is cut off. */
const MAX_ANSWER_BYTES = 16 * 1024;

export interface PostDeps {
  /** Connects only where it is allowed to. */
  readonly dispatcher: Dispatcher;
  readonly nowMs: () => number;
  readonly timeoutMs?: number;
}

export interface JsonPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Posts once. Delivered is what was answered with 2xx; a redirect is not followed, it leads who knows where. */
export async function postJson(
  { dispatcher, nowMs, timeoutMs = DEFAULT_TIMEOUT_MS }: PostDeps,
  { url, headers, body }: JsonPost,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const { origin, pathname, search } = new URL(url);
    const answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "keyward", ...headers },
      body,
      signal: AbortSignal.any([signal, timeout]),
    });
    const { statusCode } = answer;
    await answer.body.dump({ limit: MAX_ANSWER_BYTES });
    if (statusCode >= 200 && statusCode < 300) return { kind: "delivered" };
    if (statusCode >= 300 && statusCode < 400) {
      return failed(`answered ${statusCode}, a redirect, which is not followed`);
    }
    return failed(`answered ${statusCode}`, readRetryAfterMs(answer.headers, nowMs()));
  } catch (err) {
    if (signal.aborted) return failed("was broken off: the gateway stops");
    if (timeout.aborted) return failed(`did not answer within ${timeoutMs / 1000} seconds`);
    return failed(problemOf(err));
  }
}

function problemOf(err: unknown): string {
  if (err instanceof ForbiddenAddressError) {
    return "leads into a private network; its host must be allowed by name (allowedPrivateHosts)";
  }
  if (err instanceof errors.UndiciError) return `could not be reached (${err.code})`;
  const code = (err as { readonly code?: unknown } | null)?.code;
  return `could not be reached (${typeof code === "string" ? code : "no connection"})`;
}
