import type { EnvironmentKind } from "../environments/environment.ts";
import type { EnvironmentId } from "../ids/ids.ts";
import type { Permission } from "./permission.ts";
import type { EnvironmentReach, Principal } from "./principal.ts";

/** What a request is about. */
export type AccessTarget =
  /** Something that is of no environment. */
  | "shared"
  /** Something that all environments have together: whoever is bound to some of them has no part in it. */
  | "organization"
  /** Every environment there is. */
  | "all"
  | { readonly id: EnvironmentId; readonly kind: EnvironmentKind };

export type AccessDecision = "allowed" | "no_permission" | "other_environment";

/** Whether the principal has the permission at all, wherever it holds. */
export function hasPermission(principal: Principal, permission: Permission): boolean {
  const { permissions, within } = principal;
  return permissions.has(permission) && (within === undefined || hasPermission(within, permission));
}

/** Whether the principal may do it. Nothing is allowed that no permission says. */
export function decideAccess(
  principal: Principal,
  permission: Permission,
  target: AccessTarget,
): AccessDecision {
  if (!principal.permissions.has(permission)) return "no_permission";
  const { within } = principal;
  const decision = within && decideAccess(within, permission, target);
  if (decision !== undefined && decision !== "allowed") return decision;
  if (target === "shared") return "allowed";
  if (target === "organization") {
    return principal.reads === "all" ? "allowed" : "other_environment";
  }
  const reach = permission.endsWith(":read") ? principal.reads : principal.writes;
  return reaches(reach, target) ? "allowed" : "other_environment";
}

/** Whether everything in `target` is within the reach. */
function reaches(
  reach: EnvironmentReach,
  target: Exclude<AccessTarget, "shared" | "organization">,
): boolean {
  if (reach === "all") return true;
  if (target === "all") return false;
  return reach === "all_but_production" ? target.kind !== "production" : reach.includes(target.id);
}
