import { beforeEach, describe, expect, test } from "vitest";
import type {
  InvitationRecord,
  MemberRecord,
  PasswordResetRecord,
  SessionRecord,
} from "../access-records.ts";
import type { OpenInvitations } from "../access-repositories.ts";
import { UniqueViolationError } from "../store.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS, sampleAdminToken, sampleHash } from "./samples.contract.ts";

const NOW = SAMPLE_TIME_MS;
const TOKEN = ids.create("adm");

function sampleMember(overrides: Partial<MemberRecord> = {}): MemberRecord {
  const id = ids.create("mem");
  return {
    id,
    email: `${id.toLowerCase()}@example.com`,
    name: null,
    role: "developer",
    environments: null,
    passwordHash: null,
    subject: null,
    createdAtMs: NOW,
    lastLoginAtMs: null,
    removedAtMs: null,
    ...overrides,
  };
}

function sampleInvitation(overrides: Partial<InvitationRecord> = {}): InvitationRecord {
  return {
    id: ids.create("inv"),
    hash: sampleHash(),
    email: "anna@example.com",
    role: "viewer",
    environments: null,
    createdBy: "local",
    madeWith: null,
    createdAtMs: NOW,
    expiresAtMs: NOW + 1000,
    acceptedAtMs: null,
    revokedAtMs: null,
    ...overrides,
  };
}

export function describeAccess(createDatabase: CreateTestDatabase): void {
  describe("members", () => {
    const fixture = useDatabase(createDatabase);

    test("are found by id, e-mail and subject, with everything that was given", async () => {
      const { members } = fixture.store.access;
      const environments = [ids.create("env"), ids.create("env")];
      const member = sampleMember({
        name: "Anna",
        environments,
        passwordHash: "$x",
        subject: "i s",
      });
      await members.insert(member);
      await members.insert(sampleMember());
      expect(await members.findById(member.id)).toEqual(member);
      expect(await members.findByEmail(member.email)).toEqual(member);
      expect(await members.findBySubject("i s")).toEqual(member);
      expect(await members.findBySubject("i t")).toBeUndefined();
      expect(await readAll(1, (page) => members.list(page))).toHaveLength(2);
    });

    test("have an e-mail and a subject of their own", async () => {
      const { members } = fixture.store.access;
      const member = sampleMember({ subject: "i s" });
      await members.insert(member);
      const other = sampleMember();
      await members.insert(other);
      const taken = [
        members.insert(sampleMember({ email: member.email })),
        members.insert(sampleMember({ subject: "i s" })),
        members.update(other.id, { subject: "i s" }),
      ];
      for (const write of await Promise.allSettled(taken)) {
        expect(write).toMatchObject({
          status: "rejected",
          reason: expect.any(UniqueViolationError),
        });
      }
    });

    test("change in what is given, and in nothing else", async () => {
      const { members } = fixture.store.access;
      const member = sampleMember({ passwordHash: "$x" });
      await members.insert(member);
      expect(await members.update(member.id, { role: "admin", lastLoginAtMs: 5 })).toBe(true);
      expect(await members.update(member.id, {})).toBe(true);
      expect(await members.findById(member.id)).toEqual({
        ...member,
        role: "admin",
        lastLoginAtMs: 5,
      });
      expect(await members.update(ids.create("mem"), { role: "admin" })).toBe(false);
      expect(await members.update(ids.create("mem"), {})).toBe(false);
    });

    test("are gone once removed, with their password, and may be invited again", async () => {
      const { members } = fixture.store.access;
      const member = sampleMember({ role: "owner", passwordHash: "$x" });
      await members.insert(member);
      expect(await members.countOwners()).toBe(1);
      expect(await members.remove(member.id, NOW + 1)).toBe(true);
      expect(await members.remove(member.id, NOW + 2)).toBe(false);
      expect(await members.update(member.id, { role: "viewer" })).toBe(false);
      expect(await members.countOwners()).toBe(0);
      expect(await members.findByEmail(member.email)).toBeUndefined();
      expect((await members.list({ limit: 5 })).rows).toEqual([]);
      const removed = { ...member, passwordHash: null, removedAtMs: NOW + 1 };
      expect(await members.findById(member.id)).toEqual(removed);
      await members.insert(sampleMember({ email: member.email }));
    });
  });

  describe("invitations", () => {
    const fixture = useDatabase(createDatabase);

    test("are accepted once, by one of those who try", async () => {
      const { invitations } = fixture.store.access;
      const invitation = sampleInvitation({ environments: [ids.create("env")] });
      await invitations.insert(invitation);
      expect(await invitations.findByHash(invitation.hash)).toEqual(invitation);
      const tries = Array.from({ length: 5 }, () => invitations.accept(invitation.id, NOW + 1));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await invitations.revoke(invitation.id, NOW + 2)).toBe(false);
      expect((await invitations.list({ limit: 5 })).rows).toEqual([]);
      expect(await invitations.findById(invitation.id)).toMatchObject({ acceptedAtMs: NOW + 1 });
    });

    test("are not accepted when they have expired or were revoked", async () => {
      const { invitations } = fixture.store.access;
      const [late, revoked] = [sampleInvitation(), sampleInvitation()];
      for (const each of [late, revoked]) await invitations.insert(each);
      expect(await invitations.accept(late.id, late.expiresAtMs)).toBe(false);
      expect(await invitations.revoke(revoked.id, NOW + 1)).toBe(true);
      expect(await invitations.accept(revoked.id, NOW + 1)).toBe(false);
    });

    test.each<[string, OpenInvitations, string[]]>([
      ["for one address", { email: "anna@example.com" }, ["a", "expired"]],
      ["for nobody in particular", { email: null }, ["link"]],
      ["that one person has made", { createdBy: "ben@example.com" }, ["link", "c"]],
      ["that were made with one token", { madeWith: TOKEN }, ["c"]],
      ["that were made with any token", { madeWith: "any" }, ["a", "c"]],
    ])("%s are revoked together while they are open, and no others", async (_, which, names) => {
      const { invitations } = fixture.store.access;
      const createdBy = "ben@example.com";
      const all = {
        a: sampleInvitation({ madeWith: ids.create("adm") }),
        expired: sampleInvitation({ expiresAtMs: NOW }),
        link: sampleInvitation({ email: null, createdBy }),
        c: sampleInvitation({ email: "c@example.com", createdBy, madeWith: TOKEN }),
        used: sampleInvitation({ acceptedAtMs: NOW, createdBy, madeWith: TOKEN }),
        before: sampleInvitation({ revokedAtMs: NOW, createdBy }),
      };
      for (const each of Object.values(all)) await invitations.insert(each);
      const revoked = await invitations.revokeOpen(which, NOW + 1);
      const meant = names.map((name) => all[name as keyof typeof all].id).toSorted();
      expect(revoked.map(({ id }) => id).toSorted()).toEqual(meant);
      expect(revoked.every(({ revokedAtMs }) => revokedAtMs === NOW + 1)).toBe(true);
      const open = (await invitations.list({ limit: 9 })).rows.map(({ id }) => id);
      expect(open.some((id) => meant.includes(id))).toBe(false);
      expect(open).toHaveLength(4 - meant.length);
      expect(await invitations.findById(all.before.id)).toEqual(all.before);
      expect(await invitations.revokeOpen(which, NOW + 2)).toEqual([]);
    });

    test("are found while they can be accepted, the newest first: by their address, or as the first owner's", async () => {
      const { invitations } = fixture.store.access;
      const [old, used, revoked] = [1, 2, 3].map((n) => sampleInvitation({ createdAtMs: NOW + n }));
      const owners = { email: null, role: "owner" } as const;
      const link = sampleInvitation(owners);
      const others = [sampleInvitation({ email: null }), sampleInvitation({ email: "b@x.yz" })];
      for (const each of [old, used, revoked, link, ...others]) {
        if (each !== undefined) await invitations.insert(each);
      }
      if (used !== undefined) await invitations.accept(used.id, NOW);
      if (revoked !== undefined) await invitations.revoke(revoked.id, NOW);
      const email = "anna@example.com";
      expect(await invitations.findOpenByEmail(email, NOW + 999)).toEqual(old);
      expect(await invitations.findOpenByEmail(email, NOW + 1000)).toBeUndefined();
      expect(await invitations.findOpenOwnerLink(NOW + 999)).toEqual(link);
      const newer = sampleInvitation({ ...owners, createdAtMs: NOW + 9 });
      await invitations.insert(newer);
      expect(await invitations.findOpenOwnerLink(NOW)).toEqual(newer);
      expect(await invitations.findOpenOwnerLink(NOW + 1000)).toBeUndefined();
    });
  });

  describe("links for a new password", () => {
    const fixture = useDatabase(createDatabase);

    async function inserted(overrides: Partial<PasswordResetRecord> = {}) {
      const record: PasswordResetRecord = {
        id: ids.create("pwr"),
        hash: sampleHash(),
        memberId: member.id,
        createdBy: "local",
        madeWith: null,
        createdAtMs: NOW,
        expiresAtMs: NOW + 1000,
        usedAtMs: null,
        revokedAtMs: null,
        ...overrides,
      };
      await fixture.store.access.passwordResets.insert(record);
      return record;
    }
    let member: MemberRecord;
    beforeEach(async () => {
      member = sampleMember();
      await fixture.store.access.members.insert(member);
    });

    test("are used once, by one of those who try, and not from their end on", async () => {
      const { passwordResets } = fixture.store.access;
      const [link, late] = [await inserted(), await inserted()];
      expect(await passwordResets.findByHash(link.hash)).toEqual(link);
      expect(await passwordResets.findByHash(sampleHash())).toBeUndefined();
      const tries = Array.from({ length: 5 }, () => passwordResets.use(link.id, NOW + 999));
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await passwordResets.findById(link.id)).toEqual({ ...link, usedAtMs: NOW + 999 });
      expect(await passwordResets.use(late.id, late.expiresAtMs)).toBe(false);
    });

    test("are revoked while they are open: a member's, those that somebody has made, or all", async () => {
      const { passwordResets } = fixture.store.access;
      const other = sampleMember();
      await fixture.store.access.members.insert(other);
      const own = await inserted();
      const used = await inserted({ usedAtMs: NOW });
      const others = await inserted({ memberId: other.id, createdBy: member.id });
      const madeWith = ids.create("adm");
      const withToken = await inserted({ memberId: other.id, madeWith });
      const withOther = await inserted({ memberId: other.id, madeWith: ids.create("adm") });
      const third = await inserted({ memberId: other.id });
      const revoke = async (which: Parameters<typeof passwordResets.revokeOpen>[0]) =>
        (await passwordResets.revokeOpen(which, NOW + 1)).map(({ id }) => id);
      expect(await revoke({ memberId: member.id })).toEqual([own.id]);
      expect(await passwordResets.use(own.id, NOW + 2)).toBe(false);
      expect(await revoke({ createdBy: member.id })).toEqual([others.id]);
      expect(await revoke({ madeWith })).toEqual([withToken.id]);
      expect(await revoke({ madeWith: "any" })).toEqual([withOther.id]);
      expect(await revoke("all")).toEqual([third.id]);
      expect(await passwordResets.findById(third.id)).toEqual({ ...third, revokedAtMs: NOW + 1 });
      expect(await passwordResets.findById(used.id)).toEqual(used);
      expect(await revoke("all")).toEqual([]);
    });
  });

  describe("sessions, devices and attempts", () => {
    const fixture = useDatabase(createDatabase);
    let member: MemberRecord;
    beforeEach(async () => {
      member = sampleMember();
      await fixture.store.access.members.insert(member);
    });

    const sampleSession = (overrides: Partial<SessionRecord> = {}): SessionRecord => ({
      id: ids.create("ses"),
      hash: sampleHash(),
      memberId: member.id,
      address: "192.0.2.1",
      userAgent: null,
      createdAtMs: NOW,
      lastSeenAtMs: NOW,
      ...overrides,
    });

    test("lists a member's sessions, last seen first, and ends one of them or all but one", async () => {
      const { sessions } = fixture.store.access;
      const [first, second, third] = [sampleSession(), sampleSession(), sampleSession()];
      for (const each of [first, second, third]) await sessions.insert(each);
      expect(await sessions.findByHash(first.hash)).toEqual(first);
      await sessions.touch(second.id, NOW + 5);
      const [latest] = await sessions.listOf(member.id);
      expect(latest).toEqual({ ...second, lastSeenAtMs: NOW + 5 });
      expect(await sessions.remove(first.id, ids.create("mem"))).toBe(false);
      expect(await sessions.remove(first.id, member.id)).toBe(true);
      expect(await sessions.remove(first.id, member.id)).toBe(false);
      expect(await sessions.removeOf(member.id, third.id)).toBe(1);
      expect((await sessions.listOf(member.id)).map(({ id }) => id)).toEqual([third.id]);
      expect(await sessions.removeOf(member.id)).toBe(1);
    });

    test("forgets sessions that are too old, and those that were not used", async () => {
      const { sessions } = fixture.store.access;
      const old = sampleSession({ createdAtMs: NOW - 100 });
      const unused = sampleSession({ lastSeenAtMs: NOW - 50 });
      const kept = sampleSession({ createdAtMs: NOW - 99, lastSeenAtMs: NOW - 49 });
      for (const each of [old, unused, kept]) await sessions.insert(each);
      expect(await sessions.removeOld({ createdMs: NOW - 99, seenMs: NOW - 49 })).toBe(2);
      expect(await sessions.listOf(member.id)).toEqual([kept]);
    });

    test("keeps the last word on what was tried, until it is forgotten", async () => {
      const { logins } = fixture.store.access;
      const attempt = { subject: "a", failures: 1, lastAtMs: NOW, blockedUntilMs: 0 };
      await logins.putAttempt(attempt);
      await logins.putAttempt({ ...attempt, failures: 2, blockedUntilMs: NOW + 9 });
      await logins.putAttempt({ ...attempt, subject: "b", lastAtMs: NOW - 1 });
      expect(await logins.findAttempts(["a", "c"])).toEqual([
        { ...attempt, failures: 2, blockedUntilMs: NOW + 9 },
      ]);
      expect(await logins.findAttempts([])).toEqual([]);
      expect(await logins.removeAttemptsBefore(NOW)).toBe(1);
      await logins.removeAttempts(["a"]);
      expect(await logins.findAttempts(["a", "b"])).toEqual([]);
    });

    test("knows a member's device, until it expires", async () => {
      const { logins } = fixture.store.access;
      const device = { hash: sampleHash(), memberId: member.id, expiresAtMs: NOW + 10 };
      await logins.insertDevice(device);
      expect(await logins.hasDevice(device.hash, member.id, NOW)).toBe(true);
      expect(await logins.hasDevice(device.hash, ids.create("mem"), NOW)).toBe(false);
      expect(await logins.hasDevice(device.hash, member.id, NOW + 10)).toBe(false);
      expect(await logins.removeDevicesBefore(NOW + 10)).toBe(0);
      await logins.removeDevicesOf(member.id);
      expect(await logins.hasDevice(device.hash, member.id, NOW)).toBe(false);
    });
  });

  describe("admin tokens", () => {
    const fixture = useDatabase(createDatabase);

    test("are listed with what they may do, all or a member's, and revoked one by one", async () => {
      const { adminTokens } = fixture.store;
      const memberId = ids.create("mem");
      const token = sampleAdminToken({
        preview: "kw_admin_…abcd",
        role: null,
        permissions: ["usage:read", "keys:write"],
        environments: [ids.create("env")],
        memberId,
        createdBy: "anna@example.com",
        madeWith: ids.create("adm"),
        expiresAtMs: NOW + 1,
      });
      await adminTokens.insert(token);
      await adminTokens.insert(sampleAdminToken());
      expect(await adminTokens.findById(token.id)).toEqual(token);
      expect((await adminTokens.list({ limit: 5 }, { memberId })).rows).toEqual([token]);
      expect((await adminTokens.list({ limit: 5 })).rows).toHaveLength(2);
      await adminTokens.touch(token.id, NOW + 7);
      expect(await adminTokens.findActiveByHash(token.hash)).toEqual({
        ...token,
        lastUsedAtMs: NOW + 7,
      });
      const made = sampleAdminToken({ madeWith: token.id, revokedAtMs: NOW });
      await adminTokens.insert(made);
      expect(await adminTokens.listMadeWith(token.id)).toEqual([made]);
      expect(await adminTokens.revoke(token.id, NOW)).toBe(true);
      expect(await adminTokens.revoke(token.id, NOW)).toBe(false);
      expect(await adminTokens.findActiveByHash(token.hash)).toBeUndefined();
    });
  });
}
