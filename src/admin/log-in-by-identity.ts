import type { MemberRecord } from "../store/access-records.ts";
import { UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { emailField } from "./fields/login-fields.ts";
import { nameField } from "./fields/names.ts";
import type { Identity } from "./identity-provider.ts";
import { findInvitation, type JoinedFrom, joinByInvitation } from "./join-by-invitation.ts";

type Deps = Pick<AdminDeps, "store" | "ids" | "clock">;

/** Why somebody whom the provider knows is not let in. */
export type IdentityRefusal =
  /** Neither a member nor invited. */
  | "stranger"
  | "no_email"
  /** The provider does not say that the address is the person's. */
  | "unverified"
  /** There is a member of the address, who is somebody else at the provider. */
  | "other_identity"
  /** The invitation is for another address. */
  | "other_email"
  | "invalid_invitation"
  /** There is already a member of the address that the link would make one of. */
  | "taken";

const nameSchema = nameField("For people.", "Anna");

/**
 * The member that somebody is whom the identity provider has named. A known subject is enough. Else an address that the
 * provider has verified leads to the member, or to the open invitation, that has it; and the secret of an invitation's link
 * leads to that invitation, whether the address is verified or not, as long as it is the one that was invited. To be
 * known to the provider makes nobody a member.
 */
export async function admitIdentity(
  deps: Deps,
  { identity, link }: { readonly identity: Identity; readonly link: string | undefined },
  from: JoinedFrom,
): Promise<{ readonly member: MemberRecord } | { readonly refusal: IdentityRefusal }> {
  const { members, invitations } = deps.store.access;
  const known = await members.findBySubject(identity.subject);
  if (known !== undefined) return { member: known };
  const email = emailField.safeParse(identity.email ?? "").data;
  if (email === undefined) return { refusal: "no_email" };
  const who = { ...identity, email };
  if (link !== undefined) return await joinByLink(deps, { who, link }, from);
  // Before anything is looked up: whoever gives an address that is not theirs learns nothing of who is here.
  if (!identity.isEmailVerified) return { refusal: "unverified" };
  const member = await members.findByEmail(email);
  if (member !== undefined) return await bindMember(deps, { member, who }, from);
  const invitation = await invitations.findOpenByEmail(email, deps.clock.nowMs());
  if (invitation === undefined) return { refusal: "stranger" };
  return outcomeOf(await joinByInvitation(deps, invitation, asMember(who), from));
}

type Who = Identity & { readonly email: string };

async function joinByLink(
  deps: Deps,
  { who, link }: { readonly who: Who; readonly link: string },
  from: JoinedFrom,
): ReturnType<typeof admitIdentity> {
  const invitation = await findInvitation(deps, link);
  if (invitation === undefined) return { refusal: "invalid_invitation" };
  const { email } = invitation;
  if (email !== null && email !== who.email) return { refusal: "other_email" };
  return outcomeOf(await joinByInvitation(deps, invitation, asMember(who), from));
}

/** From now on the member is known by the subject. */
async function bindMember(
  { store }: Deps,
  { member, who }: { readonly member: MemberRecord; readonly who: Who },
  from: JoinedFrom,
): ReturnType<typeof admitIdentity> {
  const actor = { kind: "member", id: member.id, name: member.email } as const;
  const { subject } = who;
  try {
    return await store.as({ ...from, actor }, () =>
      store.transaction(async ({ access: { members } }) => {
        const current = await members.findById(member.id);
        if (current === undefined || current.removedAtMs !== null) return { refusal: "stranger" };
        if (current.subject !== null) return { refusal: "other_identity" };
        await members.update(member.id, { subject });
        return { member: { ...current, subject } };
      }),
    );
  } catch (error) {
    // Somebody of this subject became a member meanwhile: the transaction is undone.
    if (!(error instanceof UniqueViolationError) || error.field !== "subject") throw error;
    return { refusal: "other_identity" };
  }
}

function asMember({ email, name, subject }: Who) {
  const parsed = nameSchema.safeParse(name ?? "");
  return { email, name: parsed.data ?? null, subject, passwordHash: null };
}

function outcomeOf(
  joined: MemberRecord | "invalid" | "taken",
): Awaited<ReturnType<typeof admitIdentity>> {
  if (joined === "invalid") return { refusal: "invalid_invitation" };
  return joined === "taken" ? { refusal: "taken" } : { member: joined };
}
