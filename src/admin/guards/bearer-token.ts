import type { MiddlewareHandler } from "hono";
import type { Principal } from "../../core/access/principal.ts";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import type { AdminEnv } from "../admin-deps.ts";
import { refuse } from "../answers/refusal.ts";
import { type Authenticator, credentialsOf } from "../authenticator.ts";
import type { FindRoute } from "./access.ts";

const MESSAGE =
  "The admin API needs `Authorization: Bearer <admin token>` with a token that is known and not revoked, or the session of a member who has logged in.";

const NO_ORIGIN =
  "A change that is asked for with a session's cookie must come from a page of this server, with its `Origin`. Programs use an admin token.";

/** Lets nobody past without a token, but to public routes; every miss gets the same answer. */
export function requireAdmin(
  authenticator: Authenticator,
  findRoute: FindRoute,
): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    if (findRoute(context)?.rule === "public") return next();
    const { headers, method } = context.req.raw;
    const principal = await identify(authenticator, context.req.raw);
    // A cookie travels by itself: who changes something by it must be a page of ours, and say so.
    if (principal?.sessionId !== undefined && !isFromOwnPage(method, headers)) {
      return refuse(context, "origin_not_allowed", NO_ORIGIN);
    }
    if (principal !== undefined) {
      context.set("principal", principal);
      context.set("actor", principal.name);
      return next();
    }
    context.header("www-authenticate", 'Bearer realm="keyward-admin"');
    return refuse(context, "invalid_admin_token", MESSAGE);
  };
}

/**
 * Looks once more when the body is here: who takes half an hour to send it may have been removed meanwhile. Nothing comes
 * between this and what is asked for that a stranger decides the length of.
 */
export function requireAdminStill(authenticator: Authenticator): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    const { method } = context.req.raw;
    if (method === "GET" || method === "HEAD" || context.get("principal") === undefined) {
      return next();
    }
    const principal = await identify(authenticator, context.req.raw);
    if (principal === undefined) return refuse(context, "invalid_admin_token", MESSAGE);
    context.set("principal", principal);
    return next();
  };
}

/** A fault here is the store's: what the caller may do about it is to try again. */
async function identify(
  authenticator: Authenticator,
  request: Pick<Request, "headers">,
): Promise<Principal | undefined> {
  try {
    return await authenticator.identify(credentialsOf(request));
  } catch (cause) {
    const message = "The database did not answer, so the token could not be checked. Try again.";
    throw new KeywardError("store_unavailable", message, { cause });
  }
}

/** Those of other origins were refused before. */
function isFromOwnPage(method: string, headers: Headers): boolean {
  if (method === "GET" || method === "HEAD") return true;
  return headers.get("origin") !== null || headers.get("sec-fetch-site") === "same-origin";
}
