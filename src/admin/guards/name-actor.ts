import type { MiddlewareHandler } from "hono";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import { callerAddress } from "../caller-address.ts";

/** What the request changes is written into the audit log under the name of who asks. */
export function nameActor(
  deps: Pick<AdminDeps, "store" | "clientAddressOf">,
): MiddlewareHandler<AdminEnv> {
  return (context, next) => {
    const principal = context.get("principal") as AdminEnv["Variables"]["principal"] | undefined;
    // The one path that needs nobody changes nothing; if it did, the store would refuse.
    if (principal === undefined) return next();
    const { kind, id, name } = principal;
    const address = callerAddress(deps, context);
    return deps.store.as(
      { actor: { kind, id, name }, address, requestId: context.get("requestId") },
      next,
    );
  };
}
