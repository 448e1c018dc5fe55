import { hasPermission } from "./decide-access.ts";
import { isOwner, type Principal } from "./principal.ts";
import { PERMISSIONS_OF_ROLE, type Role } from "./role.ts";

/**
 * Whether it may have somebody of this role let in, or make somebody one of this role: only where that one may do nothing that it may
 * not do itself. The permission to manage members would else be every permission: who invites somebody could be that somebody.
 */
export function mayLetIn(principal: Principal, role: Role): boolean {
  if (role === "owner") return isOwner(principal);
  return [...PERMISSIONS_OF_ROLE[role]].every((each) => hasPermission(principal, each));
}

/** Whether it may give a member of this role a new way in, by which it could come in as that member: nobody's who may do as much as an admin. */
export function mayStandInFor(principal: Principal, role: Role): boolean {
  if (role === "owner" || role === "admin") return isOwner(principal);
  return mayLetIn(principal, role);
}
