/** What is written about changes of members, invitations and admin tokens. */
import type { PasswordResetRecord } from "../access-records.ts";
import type {
  AccessRepositories,
  AdminTokenRepository,
  InvitationRepository,
  MemberRepository,
  PasswordResetRepository,
  SessionRepository,
} from "../access-repositories.ts";
import {
  about,
  type ActsOf,
  created,
  removal,
  update,
  type Within,
  withActs,
  type WriteEntry,
  writeChange,
} from "./within.ts";

/** Single sessions, and what protects logins, come and go with use. */
export function withAccessActs(access: AccessRepositories, within: Within): AccessRepositories {
  return {
    members: withActs(access.members, memberActs(within)),
    invitations: withActs(access.invitations, invitationActs(within)),
    passwordResets: withActs(access.passwordResets, passwordResetActs(within)),
    sessions: withActs(access.sessions, sessionActs(within)),
    logins: access.logins,
  };
}

function memberActs(within: Within): ActsOf<MemberRepository> {
  return {
    insert: (record) =>
      within(async ({ access: { members } }, write) => {
        await members.insert(record);
        await write(created("member", record));
      }),
    update: (id, change) =>
      within(async ({ access: { members } }, write) => {
        // A login is use, and no change that somebody makes.
        const isUse = Object.keys(change).every((name) => name === "lastLoginAtMs");
        if (isUse) return await members.update(id, change);
        const isUpdated = await update(
          { kind: "member", write },
          () => members.findById(id),
          () => members.update(id, change),
        );
        const member = isUpdated ? await members.findById(id) : undefined;
        if (member === undefined || change.passwordHash === undefined) return isUpdated;
        const after = JSON.stringify({ password: "set" });
        await write({ ...about("member", "passwordSet", member), before: null, after });
        return true;
      }),
    remove: (id, atMs) =>
      within(({ access: { members } }, write) =>
        removal(
          { kind: "member", write },
          () => members.findById(id),
          () => members.remove(id, atMs),
        ),
      ),
  };
}

function invitationActs(within: Within): ActsOf<InvitationRepository> {
  return {
    insert: (record) =>
      within(async ({ access: { invitations } }, write) => {
        await invitations.insert(record);
        await write(created("invitation", record));
      }),
    accept: (id, atMs) =>
      within(({ access: { invitations } }, write) =>
        update(
          { kind: "invitation", verb: "accepted", write },
          () => invitations.findById(id),
          () => invitations.accept(id, atMs),
        ),
      ),
    revoke: (id, atMs) =>
      within(({ access: { invitations } }, write) =>
        update(
          { kind: "invitation", verb: "revoked", write },
          () => invitations.findById(id),
          () => invitations.revoke(id, atMs),
        ),
      ),
    revokeOpen: (which, atMs) =>
      within(async ({ access: { invitations } }, write) => {
        const revoked = await invitations.revokeOpen(which, atMs);
        for (const after of revoked) {
          const before = { ...after, revokedAtMs: null };
          await writeChange({ kind: "invitation", verb: "revoked", write }, { before, after });
        }
        return revoked;
      }),
  };
}

function passwordResetActs(within: Within): ActsOf<PasswordResetRepository> {
  return {
    insert: (record) =>
      within(async ({ access: { passwordResets, members } }, write) => {
        await passwordResets.insert(record);
        await writingOf(members, record, write)(created("passwordReset", record));
      }),
    use: (id, atMs) =>
      within(async ({ access: { passwordResets, members } }, write) => {
        const record = await passwordResets.findById(id);
        return await update(
          { kind: "passwordReset", verb: "used", write: writingOf(members, record, write) },
          () => passwordResets.findById(id),
          () => passwordResets.use(id, atMs),
        );
      }),
    revokeOpen: (which, atMs) =>
      within(async ({ access: { passwordResets, members } }, write) => {
        const revoked = await passwordResets.revokeOpen(which, atMs);
        for (const after of revoked) {
          const before = { ...after, revokedAtMs: null };
          const act = { kind: "passwordReset", verb: "revoked" } as const;
          const writing = writingOf(members, after, write);
          await writeChange({ ...act, write: writing }, { before, after });
        }
        return revoked;
      }),
  };
}

/** Writes of a link by the address of whose password it sets: it has no name of its own. */
function writingOf(
  members: Pick<MemberRepository, "findById">,
  link: Pick<PasswordResetRecord, "memberId"> | undefined,
  write: WriteEntry,
): WriteEntry {
  return async (draft) => {
    const member = link && (await members.findById(link.memberId));
    await write({ ...draft, target: { ...draft.target, name: member?.email ?? null } });
  };
}

/** One that ends by itself, or is left, is use; to end all of a member's is what somebody does. */
function sessionActs(
  within: Within,
): ActsOf<SessionRepository, "insert" | "touch" | "remove" | "removeOld"> {
  return {
    removeOf: (memberId, but) =>
      within(async ({ access: { sessions, members } }, write) => {
        const ended = await sessions.removeOf(memberId, but);
        const member = ended > 0 ? await members.findById(memberId) : undefined;
        if (member === undefined) return ended;
        const left = but === undefined ? 0 : 1;
        await write({
          ...about("member", "signedOut", member),
          before: JSON.stringify({ sessions: ended + left }),
          after: JSON.stringify({ sessions: left }),
        });
        return ended;
      }),
  };
}

export function adminTokenActs(within: Within): ActsOf<AdminTokenRepository, "touch"> {
  return {
    insert: (record) =>
      within(async ({ adminTokens }, write) => {
        await adminTokens.insert(record);
        await write(created("adminToken", record));
      }),
    revoke: (id, revokedAtMs) =>
      within(({ adminTokens }, write) =>
        update(
          { kind: "adminToken", verb: "revoked", write },
          () => adminTokens.findById(id),
          () => adminTokens.revoke(id, revokedAtMs),
        ),
      ),
    revokeAll: (revokedAtMs) =>
      within(async ({ adminTokens }, write) => {
        const count = await adminTokens.revokeAll(revokedAtMs);
        if (count > 0) await write(allOf("adminToken", "allRevoked", count));
        return count;
      }),
  };
}

function allOf(kind: string, verb: string, count: number) {
  return {
    ...about(kind, verb, { id: "*" }),
    before: JSON.stringify({ active: count }),
    after: JSON.stringify({ active: 0 }),
  };
}
