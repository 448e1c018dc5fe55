import type { MiddlewareHandler } from "hono";
import type { Principal } from "../../core/access/principal.ts";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import type { AdminEnv } from "../admin-deps.ts";
import { refuse } from "../answers/refusal.ts";
import type { Authenticator } from "../authenticator.ts";
import type { FindRoute } from "./access.ts";

const MESSAGE =
  "The admin API needs `Authorization: Bearer <admin token>` with a token that is known and not revoked.";

/** Lets nobody past without a token, but to public routes; every miss gets the same answer. */
export function requireAdmin(
  authenticator: Authenticator,
  findRoute: FindRoute,
): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    if (findRoute(context)?.rule === "public") return next();
    const principal = await identify(authenticator, context.req.raw.headers.get("authorization"));
    if (principal !== undefined) {
      context.set("principal", principal);
      context.set("actor", principal.name);
      return next();
    }
    context.header("www-authenticate", 'Bearer realm="keyward-admin"');
    return refuse(context, "invalid_admin_token", MESSAGE);
  };
}

/** A fault here is the store's: what the caller may do about it is to try again. */
async function identify(
  authenticator: Authenticator,
  authorization: string | null,
): Promise<Principal | undefined> {
  try {
    return await authenticator.identify(authorization);
  } catch (cause) {
    const message = "The database did not answer, so the token could not be checked. Try again.";
    throw new KeywardError("store_unavailable", message, { cause });
  }
}
