import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { ERROR_CODES, type ErrorCode } from "../core/errors/codes.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import { isLoopback } from "./loopback.ts";

export interface MetricsListenerDeps {
  readonly contentType: string;
  readonly scrape: () => Promise<string>;
  /** The address that the server listens on. */
  readonly host: string;
  /** Asked for always, where it is set. */
  readonly metricsToken: string | null;
  /** An admin token opens the metrics as well. Rejects when the store does not answer. */
  readonly isAdmin: (authorization: string | null) => Promise<boolean>;
  readonly onFault: (err: unknown) => void;
}

/**
 * Answers `/metrics`. Open to this machine only: a server that listens on a loopback address, asked under a loopback
 * name (a page of another site that has its name resolve to 127.0.0.1, and a proxy that passes a public name on, come
 * with another). Everybody else needs the metrics token or an admin token.
 */
export function createMetricsListener(deps: MetricsListenerDeps): RequestListener {
  return (req, res) => {
    if (req.method !== "GET" && req.method !== "HEAD") {
      sendError(res, "method_not_allowed", "Metrics are read with GET.");
      return;
    }
    answer(deps, req, res).catch((err: unknown) => {
      deps.onFault(err);
      sendError(res, "internal_error", "The metrics could not be put together.");
    });
  };
}

async function answer(
  deps: MetricsListenerDeps,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const access = await checkAccess(deps, req);
  if (access !== "granted") {
    if (access === "invalid_metrics_token") res.setHeader("www-authenticate", "Bearer");
    sendError(res, access, ACCESS_MESSAGES[access]);
    return;
  }
  const body = Buffer.from(await deps.scrape());
  res.writeHead(200, {
    "content-type": deps.contentType,
    "content-length": body.length,
    "cache-control": "no-store",
  });
  res.end(body);
}

const ACCESS_MESSAGES = {
  invalid_metrics_token:
    "Send `Authorization: Bearer <metricsToken>` (the setting metricsToken), or an admin token.",
  store_unavailable:
    "The token could not be looked up because the database does not answer. The setting metricsToken gives one that needs no database.",
} as const satisfies Partial<Record<ErrorCode, string>>;

async function checkAccess(
  deps: MetricsListenerDeps,
  req: IncomingMessage,
): Promise<"granted" | keyof typeof ACCESS_MESSAGES> {
  const { metricsToken } = deps;
  const authorization = req.headers.authorization ?? null;
  if (metricsToken === null && isFromHere(deps.host, req)) return "granted";
  if (authorization === null) return "invalid_metrics_token";
  if (metricsToken !== null && isSame(authorization, `Bearer ${metricsToken}`)) return "granted";
  try {
    return (await deps.isAdmin(authorization)) ? "granted" : "invalid_metrics_token";
  } catch {
    // Whether it is an admin's cannot be known now; the scraper is told why.
    return "store_unavailable";
  }
}

function isFromHere(listeningOn: string, req: IncomingMessage): boolean {
  const name = /^(\[[\d:a-f]+\]|[^:]+)(?::\d+)?$/i.exec(req.headers.host ?? "")?.[1];
  return isLoopback(listeningOn) && name !== undefined && isLoopback(name);
}

/** In constant time: hashes are compared, so that not even the length is told. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function sendError(res: ServerResponse, code: ErrorCode, message: string): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(ERROR_CODES[code].status, {
    "content-type": "application/json",
    "cache-control": "no-store",
  });
  res.end(JSON.stringify(createErrorBody(code, message)));
}
