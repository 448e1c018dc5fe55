import {
  type AdminTokenId,
  type EnvironmentId,
  isId,
  type MemberId,
  type SessionId,
} from "../ids/ids.ts";
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
  /** Whose token it is: it may do nothing that this one may not. */
  readonly within?: Principal | undefined;
  /** The member it is, or whose token it is. */
  readonly memberId?: MemberId | undefined;
  /** The session that let a member in. */
  readonly sessionId?: SessionId | undefined;
}

type Who = Pick<Principal, "kind" | "id" | "name" | "within" | "memberId" | "sessionId">;

/**
 * Somebody of a role. Without `environments`, a role's permissions hold everywhere, but for a developer's to write: those
 * hold outside production. With them (a developer's), the permissions to write hold in exactly these.
 */
export function principalOf(
  role: Role,
  who: Who,
  environments: readonly EnvironmentId[] | null = null,
): Principal {
  const writes = environments ?? (role === "developer" ? "all_but_production" : "all");
  return { ...who, role, permissions: PERMISSIONS_OF_ROLE[role], reads: "all", writes };
}

/** A token. `environments` bind it: outside of them it may not even look. */
export function tokenPrincipalOf(
  who: Who,
  scope: {
    readonly role: Role | null;
    readonly permissions: readonly Permission[] | null;
    readonly environments: readonly EnvironmentId[] | null;
  },
): Principal {
  const { role, permissions, environments } = scope;
  const own: Principal =
    role === null
      ? { ...who, role, permissions: new Set(permissions), reads: "all", writes: "all" }
      : principalOf(role, who);
  return environments === null ? own : { ...own, reads: environments, writes: environments };
}

/** The admin token of the store that somebody comes with; null for a member, and for the token of the settings. */
export function tokenOf({ kind, id }: Principal): AdminTokenId | null {
  return kind === "token" && isId("adm", id) ? id : null;
}

/** Whether it may do what only owners may: make, change and remove owners. */
export function isOwner({ role, within }: Principal): boolean {
  return role === "owner" && (within === undefined || isOwner(within));
}
