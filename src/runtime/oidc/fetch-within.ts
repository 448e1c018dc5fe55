import { isLoopback } from "../../core/network/loopback.ts";
import { ProviderTrouble } from "./explain-failure.ts";

/** Key sets and discovery documents are a few KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024;
/** Statuses that have no body (fetch standard). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

type FetchOptions = Pick<RequestInit, "method" | "headers" | "redirect" | "signal"> & {
  readonly body?: unknown;
};

/**
 * Fetch for what an identity provider is asked: encrypted or on this machine, no longer than a limit, and with one error
 * for whatever keeps it from answering. Redirects are not followed (the library asks for that).
 */
export async function fetchWithin(url: string, options: FetchOptions): Promise<Response> {
  const { protocol, hostname, host } = new URL(url);
  if (protocol !== "https:" && !isLoopback(hostname)) {
    throw new ProviderTrouble(`it names a place without https: ${host}`);
  }
  try {
    const response = await fetch(url, options as RequestInit);
    const { status, statusText, headers } = response;
    const bytes = await readWithin(response);
    return new Response(BODILESS.has(status) ? null : bytes, { status, statusText, headers });
  } catch (error) {
    if (error instanceof ProviderTrouble) throw error;
    throw new ProviderTrouble(`${host} does not answer (${reasonOf(error)})`);
  }
}

async function readWithin(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      throw new ProviderTrouble(`an answer of it is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** `ECONNREFUSED`, from what fetch wraps; `TimeoutError`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const hasCode = typeof cause === "object" && cause !== null && "code" in cause;
  return hasCode ? String(cause.code) : error.name;
}
