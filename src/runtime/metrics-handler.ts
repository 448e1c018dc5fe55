import { createHash, timingSafeEqual } from "node:crypto";
import { ERROR_CODES, type ErrorCode } from "../core/errors/codes.ts";
import { isLoopback } from "../core/network/loopback.ts";
import type { GatewayReply } from "../proxy/gateway-request.ts";
import type { HttpHandler, HttpRequest } from "../proxy/http/handler.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import { sendJson } from "./send-json.ts";

export interface MetricsHandlerDeps {
  readonly contentType: string;
  readonly scrape: () => Promise<string>;
  /** The address that the server listens on. */
  readonly host: string;
  /** Asked for always, where it is set. */
  readonly metricsToken: string | null;
  /** An admin token opens the metrics as well. Rejects when the store does not answer. */
  readonly isAdmin: (authorization: string) => Promise<boolean>;
  readonly onFault: (err: unknown) => void;
}

/**
 * Answers `/metrics`. Open to this machine only: a server that listens on a loopback address, asked under a loopback
 * name (a page of another site that has its name resolve to 127.0.0.1, and a proxy that passes a public name on, come
 * with another). Everybody else needs the metrics token or an admin token.
 */
export function createMetricsHandler(deps: MetricsHandlerDeps): HttpHandler {
  return (request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      sendError(reply, { code: "method_not_allowed", message: "Metrics are read with GET." });
      return;
    }
    answer(deps, request, reply).catch((err: unknown) => {
      deps.onFault(err);
      const message = "The metrics could not be put together.";
      sendError(reply, { code: "internal_error", message });
    });
  };
}

async function answer(
  deps: MetricsHandlerDeps,
  request: HttpRequest,
  reply: GatewayReply,
): Promise<void> {
  const access = await checkAccess(deps, request);
  if (access !== "granted") {
    const challenge = access === "invalid_metrics_token" ? ["www-authenticate", "Bearer"] : [];
    sendError(reply, { code: access, message: ACCESS_MESSAGES[access] }, challenge);
    return;
  }
  const body = Buffer.from(await deps.scrape());
  reply.writeHead(200, ["content-type", deps.contentType, "cache-control", "no-store"]);
  reply.end(body);
}

const ACCESS_MESSAGES = {
  invalid_metrics_token:
    "Send `Authorization: Bearer <metricsToken>` (the setting metricsToken), or an admin token.",
  store_unavailable:
    "The token could not be looked up because the database does not answer. The setting metricsToken gives one that needs no database.",
} as const satisfies Partial<Record<ErrorCode, string>>;

async function checkAccess(
  deps: MetricsHandlerDeps,
  request: HttpRequest,
): Promise<"granted" | keyof typeof ACCESS_MESSAGES> {
  const { metricsToken } = deps;
  const authorization = request.headers.get("authorization") ?? null;
  if (metricsToken === null && isFromHere(deps.host, request)) return "granted";
  if (authorization === null) return "invalid_metrics_token";
  if (metricsToken !== null && isSame(authorization, `Bearer ${metricsToken}`)) return "granted";
  try {
    return (await deps.isAdmin(authorization)) ? "granted" : "invalid_metrics_token";
  } catch {
    // Whether it is an admin's cannot be known now; the scraper is told why.
    return "store_unavailable";
  }
}

function isFromHere(listeningOn: string, request: HttpRequest): boolean {
  const name = /^(\[[\d:a-f]+\]|[^:]+)(?::\d+)?$/i.exec(request.headers.get("host") ?? "")?.[1];
  return isLoopback(listeningOn) && name !== undefined && isLoopback(name);
}

/** In constant time: hashes are compared, so that not even the length is told. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function sendError(
  reply: GatewayReply,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  headers: readonly string[] = [],
): void {
  if (reply.isHeadSent || reply.isClosed) return;
  sendJson(reply, ERROR_CODES[code].status, createErrorBody(code, message), headers);
}
