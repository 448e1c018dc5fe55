/** What happens between the proof of who somebody is and the session that it opens. */
import { describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../test/support/admin-under-test.ts";
import type { MemberRecord } from "../store/access-records.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { createTokenAuthenticator } from "./authenticator.ts";
import { openSession } from "./log-in.ts";

const PASSWORD = "correct horse battery";
const HOST = { host: "keyward.test", origin: "http://keyward.test" };
const SOURCE = { address: null, userAgent: null, device: undefined };

describe("a login", () => {
  const admin = adminUnderTest();

  const appOf = (changes: Partial<AdminDeps> = {}) =>
    admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        adminTokens: admin.store.adminTokens,
        nowMs: () => admin.nowMs,
      }),
      ...changes,
    });
  async function addMember(changes: Partial<MemberRecord>): Promise<MemberRecord> {
    const member: MemberRecord = {
      id: admin.deps.ids.create("mem"),
      email: "anna@example.com",
      name: null,
      role: "viewer",
      environments: null,
      passwordHash: null,
      subject: null,
      createdAtMs: admin.nowMs,
      lastLoginAtMs: null,
      removedAtMs: null,
      ...changes,
    };
    await admin.store.access.members.insert(member);
    return member;
  }

  it("opens no session, and sets no password, by one that was replaced while it was checked", async () => {
    const passwordHash = await admin.deps.passwords.hash(PASSWORD);
    const member = await addMember({ passwordHash });
    const opened = await openSession(admin.deps, { member, by: "passwordHash" }, SOURCE);
    const headers = { ...HOST, cookie: `keyward_session=${opened?.session}` };
    const checked = Promise.withResolvers<void>();
    const replaced = Promise.withResolvers<void>();
    let waiting = 0;
    const slow = appOf({
      passwords: {
        hash: (password) => admin.deps.passwords.hash(password),
        verify: async (password, hash) => {
          const isRight = await admin.deps.passwords.verify(password, hash);
          if ((waiting += 1) === 2) checked.resolve();
          await replaced.promise;
          return isRight;
        },
      },
    });
    const { email } = member;
    const theirs = { currentPassword: PASSWORD, newPassword: "the thief's own words" };
    const late = [
      call(slow, "/login", postOf({ email, password: PASSWORD }, HOST)),
      call(slow, "/me/password", postOf(theirs, headers)),
    ];
    await checked.promise;
    const app = appOf();
    const ours = { currentPassword: PASSWORD, newPassword: "another horse battery" };
    expect((await call(app, "/me/password", postOf(ours, headers))).status).toBe(200);
    replaced.resolve();
    for (const answer of await Promise.all(late)) {
      expect(answer.body).toMatchObject({ error: { code: "invalid_login" } });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await admin.store.access.sessions.listOf(member.id)).toHaveLength(1);
    const again = { email, password: ours.newPassword };
    expect((await call(app, "/login", postOf(again, HOST))).status).toBe(200);
  });

  it("opens no session for somebody who was unbound, or removed, in the moment they came back", async () => {
    const member = await addMember({ subject: "i s" });
    const { members, sessions } = admin.store.access;
    const open = () => openSession(admin.deps, { member, by: "subject" }, SOURCE);
    expect(await open()).toBeDefined();
    await members.update(member.id, { subject: null });
    expect(await open()).toBeUndefined();
    await members.update(member.id, { subject: "i s" });
    await members.remove(member.id, admin.nowMs);
    expect(await open()).toBeUndefined();
    expect(await sessions.listOf(member.id)).toHaveLength(1);
  });
});
