import { type Dispatcher, errors } from "undici";
import { ForbiddenAddressError } from "../../core/network/forbidden-address-error.ts";
import type { AskJson, JsonQuestion, JsonReply } from "../../providers/key-administration.ts";
import { scrubSecrets } from "../../telemetry/scrub-secrets.ts";
import { readUpTo } from "../../wire/http/read-up-to.ts";
import { readRetryAfterMs } from "../../wire/http/retry-after.ts";

export interface AskJsonDeps {
  /** Connects only where it is allowed to. */
  readonly dispatcher: Dispatcher;
  readonly nowMs: () => number;
  /** Breaks off what is being asked. */
  readonly signal?: AbortSignal | undefined;
}

/** For the whole answer. */
const TIMEOUT_MS = 30_000;
/** A page of a list is far smaller; what is longer is no answer of an API. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Asks over HTTP. A redirect is not followed: it leads who knows where, and the question carries a secret. */
export function createAskJson({ dispatcher, nowMs, signal }: AskJsonDeps): AskJson {
  return async ({ method, url, headers, body }): Promise<JsonReply> => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const { origin, pathname, search } = new URL(url);
      const answer = await dispatcher.request({
        origin,
        path: pathname + search,
        method,
        headers: [
          "accept",
          "application/json",
          "accept-encoding",
          "identity",
          "user-agent",
          "keyward",
          ...(body === undefined ? [] : ["content-type", "application/json"]),
          ...headers.flat(),
        ],
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      return {
        kind: "answered",
        status: answer.statusCode,
        headers: new Map(
          Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: parseJson(await readUpTo(answer.body, MAX_ANSWER_BYTES), answer.statusCode, headers),
        retryAfterMs: readRetryAfterMs(answer.headers, nowMs()),
      };
    } catch (err) {
      if (timeout.aborted) {
        return { kind: "unreachable", problem: `no answer within ${TIMEOUT_MS / 1000} seconds` };
      }
      return { kind: "unreachable", problem: problemOf(err) };
    }
  };
}

function parseJson(
  { bytes, isWhole }: Awaited<ReturnType<typeof readUpTo>>,
  status: number,
  asked: JsonQuestion["headers"],
): unknown {
  if (!isWhole) return undefined;
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(status < 400 ? text : withoutSecrets(text, asked));
  } catch {
    return undefined; // Recovered from: who asks is told that it was no JSON.
  }
}

/**
 * What a provider says of a refusal is written down, shown and audited, and some quote the key that they refuse: nothing that
 * was sent with the question gets any further, nor what looks like another secret.
 */
function withoutSecrets(text: string, asked: JsonQuestion["headers"]): string {
  let known = text;
  for (const [, value] of asked) {
    for (const word of value.split(/\s+/)) {
      if (word.length >= MIN_SECRET_CHARACTERS) known = known.replaceAll(word, "[redacted]");
    }
  }
  return scrubSecrets(known);
}

/** Shorter words of a header are names of schemes and versions. */
const MIN_SECRET_CHARACTERS = 12;

function problemOf(err: unknown): string {
  if (err instanceof ForbiddenAddressError) {
    return "the base URL leads into a private network; its host must be allowed by name (allowedPrivateHosts)";
  }
  if (err instanceof errors.UndiciError) return `the provider could not be reached (${err.code})`;
  const code = (err as { readonly code?: unknown } | null)?.code;
  return `the provider could not be reached (${typeof code === "string" ? code : "no connection"})`;
}
