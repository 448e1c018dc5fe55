import type { Context, HonoRequest, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { decideAccess, hasPermission } from "../../core/access/decide-access.ts";
import type { Principal } from "../../core/access/principal.ts";
import type { ErrorCode } from "../../core/errors/codes.ts";
import { type AccessRule, ACCESS_RULES, type PermissionRule } from "../access-rules.ts";
import type { AdminDeps, AdminEnv } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { refuse } from "../answers/refusal.ts";
import { credentialsOf } from "../authenticator.ts";
import { findTarget, type FoundTarget } from "./find-target.ts";

/** The route that a request is for. */
interface AskedRoute {
  /** `none`: nobody has said who may call it. */
  readonly rule: AccessRule | "none";
  /** What stands in the path for `{id}`; empty where the path has none. */
  readonly pathId: string;
}

/** Undefined where there is no such route. */
export type FindRoute = (context: Context<AdminEnv>) => AskedRoute | undefined;

/** Reads off the router which route has which rule. `publicPath` is a route beside those of the router. */
export function createRouteFinder(
  router: AdminRouter,
  { basePath, publicPath }: { readonly basePath: string; readonly publicPath: string },
): FindRoute {
  const rules = new Map<string, AccessRule>([[`GET ${publicPath}`, "public"]]);
  for (const definition of router.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { method, path, operationId } = definition.route;
    const rule = operationId === undefined ? undefined : ACCESS_RULES[operationId];
    if (rule === undefined) continue;
    rules.set(`${method.toUpperCase()} ${basePath}${path.replaceAll(/\{(\w+)\}/g, ":$1")}`, rule);
  }
  return (context) => {
    // What is registered for every method is a guard; the first of the others is the one that answers.
    const route = matchedRoutes(context).find(({ method }) => method !== "ALL");
    if (route === undefined) return undefined;
    const rule = rules.get(`${route.method} ${route.path}`) ?? "none";
    // A guard is not told the parameters of the route that comes after it.
    const place = route.path.split("/").indexOf(":id");
    return { rule, pathId: place < 0 ? "" : (context.req.path.split("/")[place] ?? "") };
  };
}

/**
 * Lets a principal do what the route's rule allows, and nothing where there is no rule. Runs after it is known who asks
 * and the body has been read, before anything in the request is looked at.
 */
export function requirePermission(
  findRoute: FindRoute,
  deps: Pick<AdminDeps, "store" | "authenticator">,
): MiddlewareHandler<AdminEnv> {
  return async (context, next) => {
    const route = findRoute(context);
    if (route === undefined || route.rule === "public" || route.rule === "anybody") return next();
    const { req: request } = context;
    const { rule, pathId } = route;
    if (rule === "none") {
      const message =
        "Nobody may do this: the route has no access rule. That is a fault of Keyward.";
      return refuse(context, "permission_denied", message);
    }
    const asked = { rule, pathId, request };
    const refusal = await refusalOf(deps, context.get("principal"), asked);
    if (refusal !== undefined) return refuse(context, refusal.code, refusal.message);
    context.set("isStillAllowed", async () => {
      const now = await deps.authenticator.identify(credentialsOf(request.raw), { isUse: false });
      return now !== undefined && (await refusalOf(deps, now, asked)) === undefined;
    });
    return next();
  };
}

interface Asked {
  readonly rule: PermissionRule;
  readonly pathId: string;
  readonly request: HonoRequest;
}

async function refusalOf(
  { store }: Pick<AdminDeps, "store">,
  principal: Principal,
  { rule, pathId, request }: Asked,
): Promise<{ readonly code: ErrorCode; readonly message: string } | undefined> {
  const { permission } = rule;
  const code = "permission_denied";
  // Before anything is looked up, so that nothing is learned by asking for what one may not do anyway.
  if (!hasPermission(principal, permission)) {
    const message = `${describe(principal)} may not do this: it needs the permission \`${permission}\`.`;
    return { code, message };
  }
  if (decideAccess(principal, permission, "all") === "allowed") return undefined;
  const target = await findTarget(store, rule.about, { request, pathId });
  if (target === "missing") {
    const message = "What the request is about, an environment or something of one, is not there.";
    return { code: "not_found", message };
  }
  if (decideAccess(principal, permission, target) === "allowed") return undefined;
  return { code, message: describeReach(principal, rule, target) };
}

function describeReach(
  principal: Principal,
  { permission, about }: PermissionRule,
  target: FoundTarget,
): string {
  const who = `${describe(principal)} has the permission \`${permission}\``;
  if (typeof target === "object") return `${who}, but not in the environment \`${target.name}\`.`;
  if (target === "organization") {
    return `${who}, but is bound to some environments, and this is about all of them together.`;
  }
  const isNamed = about.startsWith("query") || about.startsWith("body");
  return `${who}, but not in every environment, and this is about all of them.${isNamed ? " Name one." : ""}`;
}

function describe({ kind, name, role }: Principal): string {
  const who = kind === "token" ? `The token \`${name}\`` : `\`${name}\``;
  return role === null ? who : `${who} (${role})`;
}
