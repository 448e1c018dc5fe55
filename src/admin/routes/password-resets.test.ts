import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS, postOf } from "../../../test/support/admin-under-test.ts";
import { principalOf } from "../../core/access/principal.ts";
import type { Role } from "../../core/access/role.ts";
import { BY_LOCAL } from "../../runtime/open-audit.ts";
import { rotateAdminToken } from "../../runtime/rotate-admin-token.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { AdminApp } from "../admin-app.ts";
import { createTokenAuthenticator, TRUST_CALLER } from "../authenticator.ts";

const OLD = "correct horse battery";
const NEW = "another horse battery";
const DAY_MS = 86_400_000;
const HOST = { host: "keyward.test", origin: "http://keyward.test" };

const admin = adminUnderTest();
/** Where people come in. */
let app: AdminApp;

beforeEach(() => {
  const { access, adminTokens } = admin.store;
  const nowMs = () => admin.nowMs;
  app = admin.appWith({
    authenticator: createTokenAuthenticator({ ...access, adminTokens, nowMs }),
  });
});

const post = (path: string, body: unknown = {}, headers: Readonly<Record<string, string>> = {}) =>
  call(app, path, postOf(body, { ...HOST, ...headers }));
const cookieOf = (answer: { readonly headers: Headers }) =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");
const logIn = (email: string, password: string) => post("/login", { email, password });
const whoIs = async (cookie: string) =>
  (await call(app, "/me", { headers: { cookie, host: HOST.host } })).status;

async function memberOf(role: Role, changes: Partial<MemberRecord> = {}): Promise<MemberRecord> {
  const member: MemberRecord = {
    id: admin.deps.ids.create("mem"),
    email: `${role}-${admin.deps.ids.create("req").toLowerCase()}@example.com`,
    name: null,
    role,
    environments: null,
    passwordHash: await admin.deps.passwords.hash(OLD),
    subject: null,
    createdAtMs: NOW_MS,
    lastLoginAtMs: null,
    removedAtMs: null,
    ...changes,
  };
  await admin.store.access.members.insert(member);
  return member;
}

const appAs = (principal: ReturnType<typeof principalOf>) =>
  admin.appWith({
    authenticator: { ...TRUST_CALLER, identify: () => Promise.resolve(principal) },
  });
const appOf = (role: Role) => appAs(principalOf(role, { kind: "token", id: role, name: role }));

async function linkFor(member: MemberRecord, by: AdminApp = admin.app): Promise<string> {
  const answer = await call(by, `/members/${member.id}/password-reset`, postOf({}));
  expect([answer.status, answer.body]).toMatchObject([201, { email: member.email }]);
  return (answer.body as { link: string }).link.split("#")[1] ?? "";
}
const patch = (of: MemberRecord, body: object) =>
  call(admin.app, `/members/${of.id}`, { ...postOf(body), method: "PATCH" });
const follow = (secret: string, password = NEW) => post("/login/reset", { secret, password });

const join = (secret: string) => post("/invitations/accept", { secret, password: NEW });

async function tokenOf(body: object, headers?: Readonly<Record<string, string>>) {
  const made = await call(headers ? app : admin.app, "/admin-tokens", postOf(body, headers));
  const { id, token } = made.body as { id: string; token: string };
  return { id, authorization: `Bearer ${token}` };
}

/** The secrets of a link for this member and of an invitation, both made with a token. */
async function linksMadeBy(authorization = "", member: MemberRecord) {
  const make = async (path: string, body: object) => {
    const answer = await call(app, path, postOf(body, { authorization }));
    expect(answer.status).toBe(201);
    return (answer.body as { link: string }).link.split("#")[1] ?? "";
  };
  const email = `${admin.deps.ids.create("req").toLowerCase()}@example.com`;
  return {
    reset: await make(`/members/${member.id}/password-reset`, {}),
    invitation: await make("/invitations", { email, role: "owner" }),
  };
}

describe("a link for a new password", () => {
  it("sets one, once: what was let in before is out, and the member is in", async () => {
    const member = await memberOf("viewer");
    const before = cookieOf(await logIn(member.email, OLD));
    const secret = await linkFor(member);
    // Made, and not used: nothing has changed for whoever knows the password.
    expect(await whoIs(before)).toBe(200);
    const answer = await follow(secret);
    expect([answer.status, answer.body]).toMatchObject([200, { id: member.id }]);
    expect(await whoIs(cookieOf(answer))).toBe(200);
    expect(await whoIs(before)).toBe(401);
    expect((await logIn(member.email, OLD)).status).toBe(401);
    expect((await logIn(member.email, NEW)).status).toBe(200);
    const again = await follow(secret);
    expect([again.status, again.body]).toMatchObject([
      403,
      { error: { code: "invalid_reset_link" } },
    ]);
  });

  it("is told in the audit log, by who made it and by whose it is, without its secret", async () => {
    const member = await memberOf("viewer");
    await logIn(member.email, OLD);
    const secret = await linkFor(member);
    await follow(secret);
    const { body, text } = await admin.get("/audit");
    const { data } = body as { data: { action: string; actor: { name: string } }[] };
    expect(data.map(({ action, actor }) => [action, actor.name])).toEqual([
      ["member.signedOut", member.email],
      ["member.passwordSet", member.email],
      ["passwordReset.used", member.email],
      ["passwordReset.created", "local"],
    ]);
    expect(text).not.toContain(secret);
  });

  it("does nothing for what is over: a day, a newer link, another password, a removed member", async () => {
    const member = await memberOf("viewer");
    const first = await linkFor(member);
    const second = await linkFor(member);
    expect((await follow(first)).status).toBe(403);
    admin.nowMs = NOW_MS + DAY_MS;
    expect((await follow(second)).status).toBe(403);
    const third = await linkFor(member);
    const cookie = cookieOf(await logIn(member.email, OLD));
    const change = { currentPassword: OLD, newPassword: NEW };
    expect((await post("/me/password", change, { cookie })).status).toBe(200);
    expect((await follow(third)).status).toBe(403);
    const fourth = await linkFor(member);
    await call(admin.app, `/members/${member.id}`, { method: "DELETE" });
    expect((await follow(fourth)).status).toBe(403);
    expect((await follow("kw_reset_made_up")).status).toBe(403);
    expect((await follow(fourth, "short")).status).toBe(400);
  });

  it("is made by an owner for anybody, and by an admin for those who may do less", async () => {
    const roles: readonly Role[] = ["owner", "admin", "developer", "billing", "viewer"];
    const members = await Promise.all(roles.map((role) => memberOf(role)));
    const statuses = async (by: AdminApp) => {
      const paths = members.map(({ id }) => `/members/${id}/password-reset`);
      const answers = await Promise.all(paths.map((path) => call(by, path, postOf({}))));
      return answers.map(({ status }) => status);
    };
    expect(await statuses(appOf("owner"))).toEqual([201, 201, 201, 201, 201]);
    expect(await statuses(appOf("admin"))).toEqual([403, 403, 201, 201, 201]);
    expect(await statuses(appOf("developer"))).toEqual([403, 403, 403, 403, 403]);
    const token = { kind: "token", id: "t", name: "t" } as const;
    const within = principalOf("admin", { kind: "member", id: "m", name: "m" });
    expect(await statuses(appAs(principalOf("owner", { ...token, within })))).toEqual([
      403, 403, 201, 201, 201,
    ]);
    expect((await call(admin.app, "/members/mem_x/password-reset", postOf({}))).status).toBe(404);
  });

  it("is not for oneself: a browser that was left open must not be enough", async () => {
    const { id, email } = await memberOf("owner");
    const own = appAs(principalOf("owner", { kind: "member", id, name: email, memberId: id }));
    const refused = await call(own, `/members/${id}/password-reset`, postOf({}));
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringContaining("server's machine"),
    ]);
  });

  it("ends when its member's role changes, and when its maker may not make it any more", async () => {
    const member = await memberOf("viewer");
    const maker = await memberOf("admin");
    const { id, email } = maker;
    const by = appAs(principalOf("admin", { kind: "member", id, name: email, memberId: id }));
    const raised = await linkFor(member, by);
    expect((await patch(member, { role: "owner" })).status).toBe(200);
    expect((await follow(raised)).status).toBe(403);
    expect((await patch(member, { role: "viewer" })).status).toBe(409);
    await memberOf("owner");
    expect((await patch(member, { role: "viewer" })).status).toBe(200);
    const kept = await linkFor(member, by);
    expect((await patch(member, { name: "Ben" })).status).toBe(200);
    expect((await patch(maker, { role: "viewer" })).status).toBe(200);
    expect((await follow(kept)).status).toBe(403);
  });

  it("ends with the token that it was made with, as an invitation does; what others have made stays", async () => {
    const member = await memberOf("owner");
    const made = await Promise.all(["a", "b"].map((name) => tokenOf({ name, role: "owner" })));
    const [first, second] = made.map(({ authorization }) => authorization);
    const withFirst = await linksMadeBy(first, member);
    const other = await linksMadeBy(second, await memberOf("viewer"));
    const child = await tokenOf({ name: "child", role: "viewer" }, { authorization: first ?? "" });
    const revoked = await admin.post(`/admin-tokens/${made[0]?.id}/revoke`);
    expect(revoked.status).toBe(200);
    expect((await follow(withFirst.reset)).status).toBe(403);
    expect((await join(withFirst.invitation)).status).toBe(403);
    expect((await follow(other.reset)).status).toBe(200);
    expect((await join(other.invitation)).status).toBe(201);
    // That is how a token is replaced with its own help.
    const { authorization } = child;
    expect((await call(app, "/me", { headers: { authorization } })).status).toBe(200);
    const { body } = await admin.get("/audit?action=passwordReset.revoked");
    expect(body).toMatchObject({ data: [{ actor: { name: "local" } }] });
  });

  it("ends with a token of its maker's, while the maker's own links stay", async () => {
    const maker = await memberOf("owner");
    const { id: makerId, email: name } = maker;
    const asMaker = appAs(
      principalOf("owner", { kind: "member", id: makerId, name, memberId: makerId }),
    );
    const body = { name: "ci", role: "owner" };
    const made = await call(asMaker, "/admin-tokens", postOf(body));
    const { id, token } = made.body as { id: string; token: string };
    const [one, two] = [await memberOf("viewer"), await memberOf("viewer")];
    const withToken = await linksMadeBy(`Bearer ${token}`, one);
    const own = await linkFor(two, asMaker);
    expect((await admin.post(`/admin-tokens/${id}/revoke`)).status).toBe(200);
    expect((await follow(withToken.reset)).status).toBe(403);
    expect((await join(withToken.invitation)).status).toBe(403);
    expect((await follow(own)).status).toBe(200);
  });

  it("ends when all tokens are replaced by a new one, if it was made with any of them", async () => {
    const { authorization } = await tokenOf({ name: "a", role: "owner" });
    const made = await linksMadeBy(authorization, await memberOf("owner"));
    const own = await linkFor(await memberOf("viewer"));
    const { store, ids, randomBytes } = admin.deps;
    const nowMs = () => admin.nowMs;
    await store.as(BY_LOCAL, () => rotateAdminToken({ store, ids, nowMs, randomBytes }));
    expect((await follow(made.reset)).status).toBe(403);
    expect((await join(made.invitation)).status).toBe(403);
    expect((await follow(own)).status).toBe(200);
  });

  it("gives a first password to who comes from the identity provider, and leaves that bound", async () => {
    const member = await memberOf("viewer", { passwordHash: null, subject: "issuer 1" });
    const made = await call(admin.app, `/members/${member.id}/password-reset`, postOf({}));
    expect(made.body).toMatchObject({ hasPassword: false });
    expect((await follow(await linkFor(member))).status).toBe(200);
    expect((await logIn(member.email, NEW)).status).toBe(200);
    const found = await admin.store.access.members.findById(member.id);
    expect(found?.subject).toBe("issuer 1");
  });

  it("lets one of those in who follow it at once", async () => {
    const secret = await linkFor(await memberOf("viewer"));
    const answers = await Promise.all([follow(secret), follow(secret), follow(secret)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403, 403]);
  });
});

describe("signing out everywhere", () => {
  it("ends every session of one's own and forgets the cookie; whoever has none is told", async () => {
    const member = await memberOf("viewer");
    const cookies = [
      cookieOf(await logIn(member.email, OLD)),
      cookieOf(await logIn(member.email, OLD)),
    ];
    const other = cookieOf(await logIn((await memberOf("viewer")).email, OLD));
    const answer = await post("/sessions/revoke-all", {}, { cookie: cookies[0] ?? "" });
    expect([answer.status, answer.body]).toEqual([200, { endedSessions: 2 }]);
    expect(answer.headers.getSetCookie()[0]).toContain("Max-Age=0");
    for (const cookie of cookies) expect(await whoIs(cookie)).toBe(401);
    expect(await whoIs(other)).toBe(200);
    expect((await admin.post("/sessions/revoke-all")).status).toBe(404);
    const foreign = { cookie: other, origin: "http://elsewhere.test" };
    expect((await post("/sessions/revoke-all", {}, foreign)).status).toBe(403);
  });

  it("ends a member's, and the open link; an owner's by an owner only", async () => {
    const member = await memberOf("admin");
    const cookie = cookieOf(await logIn(member.email, OLD));
    const secret = await linkFor(member);
    const path = `/members/${member.id}/sessions/revoke-all`;
    expect((await call(appOf("developer"), path, postOf({}))).status).toBe(403);
    expect((await call(appOf("admin"), path, postOf({}))).body).toEqual({ endedSessions: 1 });
    expect(await whoIs(cookie)).toBe(401);
    expect((await follow(secret)).status).toBe(403);
    expect((await logIn(member.email, OLD)).status).toBe(200);
    const { body } = await admin.get("/audit?action=member.signedOut");
    expect(body).toMatchObject({
      data: [{ actor: { name: "admin" }, before: { sessions: 1 }, after: { sessions: 0 } }],
    });
    const owner = await memberOf("owner");
    const ofOwner = `/members/${owner.id}/sessions/revoke-all`;
    expect((await call(appOf("admin"), ofOwner, postOf({}))).status).toBe(403);
    expect((await call(appOf("owner"), ofOwner, postOf({}))).body).toEqual({ endedSessions: 0 });
    expect((await call(admin.app, "/members/mem_x/sign-out", postOf({}))).status).toBe(404);
  });
});
