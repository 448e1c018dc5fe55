/**
 * Who may do what. Pure rules: what a role may do, whom a request comes from, and whether that is enough. Who somebody
 * is (tokens, passwords, sessions) is found out elsewhere.
 */

/** Everything that may be allowed, `<what>:<read or write>`. A closed list: routes, roles and tokens name these. */
export const PERMISSIONS = [
  "projects:read",
  "projects:write",
  "environments:read",
  "environments:write",
  "policy:write",
  "provider-accounts:read",
  "provider-accounts:write",
  "provider-keys:read",
  "provider-keys:write",
  "routing:read",
  "routing:write",
  "keys:read",
  "keys:write",
  "client-tokens:write",
  "customers:read",
  "customers:write",
  "budgets:read",
  "budgets:write",
  "limits:read",
  "limits:write",
  "prices:read",
  "prices:write",
  "usage:read",
  "usage:write",
  "alerts:read",
  "alerts:write",
  "alert-rules:write",
  "status:read",
  "members:read",
  "members:write",
  "tokens:read",
  "tokens:write",
  "audit:read",
] as const;

export type Permission = (typeof PERMISSIONS)[number];
