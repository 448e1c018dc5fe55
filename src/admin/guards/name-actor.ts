import type { MiddlewareHandler } from "hono";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";

/** What the request changes is written into the audit log under the name of who asks. */
export function nameActor({ store }: Pick<AdminDeps, "store">): MiddlewareHandler<AdminEnv> {
  return (context, next) => {
    const principal = context.get("principal") as AdminEnv["Variables"]["principal"] | undefined;
    // The one path that needs nobody changes nothing; if it did, the store would refuse.
    if (principal === undefined) return next();
    const { kind, id, name } = principal;
    const { address } = context.env;
    return store.as(
      { actor: { kind, id, name }, address, requestId: context.get("requestId") },
      next,
    );
  };
}
