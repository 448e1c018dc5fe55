import type { GatewayRequest } from "./gateway-request.ts";

/**
 * Whether a browser sent the request. Pages cannot leave these headers out, and servers have no reason to send them:
 * `Origin` goes with every request to another origin, `Sec-Fetch-Site` and `Sec-Fetch-Dest` with every one at all.
 * `Sec-Fetch-Mode` says nothing: Node's own `fetch` sends it. Source: WHATWG Fetch, W3C Fetch Metadata.
 */
export function isFromBrowser({ headers }: Pick<GatewayRequest, "headers">): boolean {
  return headers.has("origin") || headers.has("sec-fetch-site") || headers.has("sec-fetch-dest");
}
