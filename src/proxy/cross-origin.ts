import type { Call } from "./call.ts";
import type { GatewayRequest } from "./gateway-request.ts";

/**
 * What lets a page read an answer from another origin (WHATWG Fetch, "CORS protocol"). Any page: what guards a call is
 * its key, which no browser adds by itself, as it would a cookie; those are read nowhere on the data plane.
 */
export const READABLE_BY_ANY_PAGE: readonly string[] = [
  "access-control-allow-origin",
  "*",
  "access-control-expose-headers",
  "*",
];

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const MAX_AGE_SECONDS = "600";
const MAX_HEADER_CHARACTERS = 4096;
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~, -]*$/;
const NO_CONTENT = 204;

/** Whether a browser asks beforehand if a page may make a call. It sends no key with the question. */
export function isPreflight({ method, headers }: GatewayRequest): boolean {
  return (
    method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method")
  );
}

/** Yes: refused here, the call would never come, and nobody could say to whom, and why. */
export function answerPreflight({ request, reply, requestId }: Call): void {
  const asked = request.headers.get("access-control-request-headers") ?? "";
  const isPlain = asked.length <= MAX_HEADER_CHARACTERS && HEADER_NAMES.test(asked);
  reply.writeHead(NO_CONTENT, [
    "x-keyward-request-id",
    requestId,
    "access-control-allow-origin",
    "*",
    "access-control-allow-methods",
    METHODS,
    // `*` would leave out Authorization.
    "access-control-allow-headers",
    isPlain && asked !== "" ? asked : "authorization, content-type",
    "access-control-max-age",
    MAX_AGE_SECONDS,
    "vary",
    "access-control-request-headers",
  ]);
  reply.end();
}
