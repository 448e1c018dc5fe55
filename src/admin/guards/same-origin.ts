import type { MiddlewareHandler } from "hono";
import type { AdminEnv } from "../admin-deps.ts";
import { refuse } from "../answers/refusal.ts";

/**
 * Refuses what a browser sends from a page of another origin. There is no CORS: the pages are served from the same
 * origin, and programs send no `Origin`. A token does not travel by itself as a cookie would, so this is a second
 * wall, for a page that got hold of one. `landings` are paths at which people arrive from another site; what they bring
 * along is judged there.
 */
export function refuseOtherOrigins(landings: readonly string[]): MiddlewareHandler<AdminEnv> {
  return (context, next) => {
    const { headers, method } = context.req.raw;
    if (method === "GET" && landings.includes(context.req.path)) return next();
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    const isOurs =
      (origin === null || isSameHost(origin, headers.get("host"))) &&
      (site === null || site === "same-origin" || site === "none");
    if (isOurs) return next();
    const message =
      "The request came from a web page of another origin. Open the page at this server's own URL.";
    return Promise.resolve(refuse(context, "origin_not_allowed", message));
  };
}

/** The scheme may differ: behind a proxy that ends TLS we are asked over http. */
function isSameHost(origin: string, host: string | null): boolean {
  if (host === null || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const ours = `${protocol}//${host}`;
  return URL.canParse(ours) && new URL(ours).host === originHost && originHost !== "";
}
