import type { Act } from "../core/audit/audit-entry.ts";
import { hashLoginSecret } from "../core/keys/login-secret.ts";
import type { InvitationRecord, MemberRecord } from "../store/access-records.ts";
import { UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";

type JoinDeps = Pick<AdminDeps, "store" | "ids" | "clock">;

/** Where a request that nobody has identified themselves with came from. */
export type JoinedFrom = Omit<Act, "actor">;

/** The open invitation of a link's secret. */
export async function findInvitation(
  { store, clock }: Pick<JoinDeps, "store" | "clock">,
  secret: string,
): Promise<InvitationRecord | undefined> {
  const hash = hashLoginSecret("invitation", secret);
  const found = hash && (await store.access.invitations.findByHash(hash));
  return found && isOpen(found, clock.nowMs()) ? found : undefined;
}

/**
 * Makes a member of who was invited. `invalid`: the invitation was used, revoked or ran out meanwhile. `taken`: there is
 * already a member of this address or of this identity; the invitation stays good.
 */
export async function joinByInvitation(
  { store, ids, clock }: JoinDeps,
  invitation: Pick<InvitationRecord, "id" | "role" | "environments">,
  who: Pick<MemberRecord, "email" | "name" | "passwordHash" | "subject">,
  from: JoinedFrom,
): Promise<MemberRecord | "invalid" | "taken"> {
  const nowMs = clock.nowMs();
  const member: MemberRecord = {
    ...who,
    id: ids.create("mem"),
    role: invitation.role,
    environments: invitation.environments,
    createdAtMs: nowMs,
    lastLoginAtMs: null,
    removedAtMs: null,
  };
  try {
    // Nobody is logged in yet: who joins is who does it.
    const actor = { kind: "member", id: member.id, name: member.email } as const;
    return await store.as({ ...from, actor }, () =>
      store.transaction(async ({ access }) => {
        if (!(await access.invitations.accept(invitation.id, nowMs))) return "invalid";
        await access.members.insert(member);
        // Whoever is removed some day must not come back by what was left over.
        await access.invitations.revokeOpen({ email: member.email }, nowMs);
        return member;
      }),
    );
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error;
    if (error.field !== "email" && error.field !== "subject") throw error;
    return "taken";
  }
}

function isOpen(record: InvitationRecord, nowMs: number): boolean {
  const { acceptedAtMs, revokedAtMs, expiresAtMs } = record;
  return acceptedAtMs === null && revokedAtMs === null && expiresAtMs > nowMs;
}
