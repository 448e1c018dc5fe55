import type { EnvironmentId } from "../ids/ids.ts";
import type { Permission } from "./permission.ts";
import { PERMISSIONS_OF_ROLE, type Role } from "./role.ts";

/** Environments in which something is allowed. */
export type EnvironmentReach = "all" | "all_but_production" | readonly EnvironmentId[];

/** Whom a request comes from, and what they may do. */
export interface Principal {
  /** `system`: whoever owns the data directory, and Keyward itself. */
  readonly kind: "member" | "token" | "system";
  /** Of the member or the token; for what is in no store a name of its own. */
  readonly id: string;
  /** Short, for people: it is written beside what they change. */
  readonly name: string;
  /** Null for a token that has permissions of its own. */
  readonly role: Role | null;
  readonly permissions: ReadonlySet<Permission>;
  /** Where the permissions to read hold. */
  readonly reads: EnvironmentReach;
  /** Where the permissions to write hold. */
  readonly writes: EnvironmentReach;
}

/**
 * Somebody of a role. Without `environments`, a role's permissions hold everywhere, but for a developer's to write: those
 * hold outside production. With them (a developer's), the permissions to write hold in exactly these.
 */
export function principalOf(
  role: Role,
  who: Pick<Principal, "kind" | "id" | "name">,
  environments: readonly EnvironmentId[] | null = null,
): Principal {
  const writes = environments ?? (role === "developer" ? "all_but_production" : "all");
  return { ...who, role, permissions: PERMISSIONS_OF_ROLE[role], reads: "all", writes };
}
