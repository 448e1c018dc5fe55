import { PERMISSIONS_OF_ROLE } from "../../core/access/role.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { MemberChange } from "../../store/access-repositories.ts";
import type { AuditedStore } from "../../store/audited-store.ts";
import type { AccessState } from "../../store/sqlite/access-state.ts";

/** How many members each is of. */
export interface CarriedMembers {
  readonly keptPasswords: number;
  readonly loweredRoles: number;
}

type MemberState = AccessState["members"][number];

/**
 * A password that was replaced may be why the member is not the only one who knows it, so the newer one holds. An identity that was left
 * since is forgotten. Roles and environments are taken over where they allow less than in the backup; never the last owner's.
 */
export async function carryOverMembers(
  { members: replaced }: AccessState,
  { access: { members } }: AuditedStore,
): Promise<CarriedMembers> {
  let keptPasswords = 0;
  let loweredRoles = 0;
  for (const state of replaced) {
    const found = await members.findById(state.id);
    if (found === undefined || found.removedAtMs !== null) continue;
    const isOther = state.passwordHash !== null && state.passwordHash !== found.passwordHash;
    const isLastOwner = found.role === "owner" && (await members.countOwners()) <= 1;
    const isLower = allowsLess(state, found) && !isLastOwner;
    const change: MemberChange = {
      ...(isOther && { passwordHash: state.passwordHash }),
      ...(found.subject !== null && state.subject !== found.subject && { subject: null }),
      ...(isLower && { role: state.role, environments: state.environments }),
    };
    if (Object.keys(change).length === 0) continue;
    await members.update(found.id, change);
    if (isOther) keptPasswords += 1;
    if (isLower) loweredRoles += 1;
  }
  return { keptPasswords, loweredRoles };
}

/** Whether nobody could do by it what they could not do before. */
function allowsLess(state: MemberState, found: MemberRecord): boolean {
  if (state.role !== found.role) {
    const before = PERMISSIONS_OF_ROLE[found.role];
    return (
      state.role !== "owner" &&
      [...PERMISSIONS_OF_ROLE[state.role]].every((permission) => before.has(permission))
    );
  }
  const { environments } = found;
  return (
    environments !== null &&
    state.environments !== null &&
    state.environments.length < environments.length &&
    state.environments.every((id) => environments.includes(id))
  );
}
