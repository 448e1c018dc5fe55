import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { ProviderRoute } from "../../proxy/snapshot.ts";
import { readRetryAfterMs } from "../../wire/http/retry-after.ts";
import { targetOf } from "../provider-target.ts";

export interface AskDeps {
  readonly upstream: Dispatcher;
  readonly nowMs: () => number;
}

/** What a provider says when it is asked for something by its path. */
export type ProviderAnswer<Value> =
  | { readonly kind: "read"; readonly value: Value }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly retryAfterMs: number | undefined;
    }
  /** No answer, or one that broke off. */
  | { readonly kind: "unreachable"; readonly cause: unknown }
  /** An answer of status 200 in a form that nobody can read. */
  | { readonly kind: "unreadable" };

/** The rest of a refusal is read up to here, so that its connection can be used again. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** The Assistants API wants its version named; the other endpoints do not mind. Source: OpenAI's API reference. */
const ASSISTANTS_BETA = ["openai-beta", "assistants=v2"] as const;

/**
 * Asks by one way, and hands the body to `read` as it comes. `read` returns undefined for what it can't read. Never
 * rejects; the reason of an abort is the answer's cause.
 */
export async function askProvider<Value>(
  deps: AskDeps,
  way: { readonly route: ProviderRoute; readonly path: string; readonly signal: AbortSignal },
  read: (body: Readable) => Promise<Value | undefined>,
): Promise<ProviderAnswer<Value>> {
  const { route, path, signal } = way;
  try {
    const { statusCode, headers, body } = await deps.upstream.request({
      origin: route.origin,
      path: targetOf({ ...route, path }),
      method: "GET",
      headers: headersOf(route, path),
      signal,
    });
    if (statusCode !== 200) {
      await body.dump({ limit: MAX_REFUSAL_BYTES, signal });
      const retryAfterMs = readRetryAfterMs(headers, deps.nowMs());
      return { kind: "refused", status: statusCode, retryAfterMs };
    }
    if (isEncoded(headers["content-encoding"])) {
      body.destroy();
      return { kind: "unreadable" };
    }
    const value = await read(body);
    if (value !== undefined) return { kind: "read", value };
    body.destroy();
    return { kind: "unreadable" };
  } catch (cause) {
    return { kind: "unreachable", cause };
  }
}

function headersOf(route: ProviderRoute, path: string): string[] {
  const headers = ["accept", "*/*", "accept-encoding", "identity"];
  if (path.startsWith("/threads/")) headers.push(...ASSISTANTS_BETA);
  for (const [name, value] of route.provider.defaultHeaders ?? []) headers.push(name, value);
  for (const [name, value] of route.authHeaders) headers.push(name, value);
  return headers;
}

function isEncoded(encoding: string | string[] | undefined): boolean {
  return encoding !== undefined && String(encoding).trim().toLowerCase() !== "identity";
}
