import { PERMISSIONS, type Permission } from "./permission.ts";

/** From the one that may do most. */
export const ROLES = ["owner", "admin", "developer", "billing", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** Where people and their secrets are managed, a viewer has no business. */
const NOT_FOR_VIEWERS: readonly Permission[] = ["members:read", "tokens:read", "audit:read"];

const isForViewers = (permission: Permission): boolean =>
  permission.endsWith(":read") && !NOT_FOR_VIEWERS.includes(permission);

const VIEWER = PERMISSIONS.filter(isForViewers);

/**
 * What a role may do. Admins differ from owners in one thing that no permission says: an admin makes, changes and
 * removes no owner. Where a developer's permissions to write hold is said by `principalOf` (principal.ts).
 */
export const PERMISSIONS_OF_ROLE: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(PERMISSIONS),
  admin: new Set(PERMISSIONS),
  developer: new Set<Permission>([
    ...VIEWER,
    "projects:write",
    "policy:write",
    "provider-keys:write",
    "routing:write",
    "keys:write",
    "client-tokens:write",
    "customers:write",
    "limits:write",
    "alerts:write",
  ]),
  billing: new Set<Permission>([
    "projects:read",
    "environments:read",
    "customers:read",
    "customers:write",
    "budgets:read",
    "budgets:write",
    "limits:read",
    "prices:read",
    "prices:write",
    "usage:read",
    "usage:write",
    "alerts:read",
    "alerts:write",
    "status:read",
  ]),
  viewer: new Set(VIEWER),
};
