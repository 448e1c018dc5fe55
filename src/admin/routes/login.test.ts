import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS, postOf } from "../../../test/support/admin-under-test.ts";
import type { Role } from "../../core/access/role.ts";
import type { AdminApp } from "../admin-app.ts";
import { createTokenAuthenticator } from "../authenticator.ts";
import { makeInvitation } from "../make-invitation.ts";

const PASSWORD = "correct horse battery";
const HOST = { host: "keyward.test", origin: "http://keyward.test" };
const HOUR_MS = 3_600_000;

interface Link {
  readonly id: string;
  readonly link: string;
}
type SentHeaders = Readonly<Record<string, string>>;

const secretOf = ({ link }: Link) => link.split("#")[1];
const cookiesOf = (answer: { readonly headers: Headers }) =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");

describe("members, their logins and their tokens", { timeout: 60_000 }, () => {
  const admin = adminUnderTest();
  let app: AdminApp;

  beforeEach(() => {
    app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        adminTokens: admin.store.adminTokens,
        nowMs: () => admin.nowMs,
        extraToken: "the token of the settings",
      }),
    });
  });

  const invite = async (email: string, role: string, more: object = {}) =>
    (await admin.post("/invitations", { email, role, ...more })).body as Link;
  const post = (path: string, body: unknown, headers: SentHeaders = {}) =>
    call(app, path, postOf(body, { ...HOST, ...headers }));
  const get = (path: string, headers: SentHeaders = {}) => call(app, path, { headers });

  async function joined(email: string, role: string, more: object = {}): Promise<string> {
    const secret = secretOf(await invite(email, role, more));
    const answer = await post("/invitations/accept", { secret, password: PASSWORD });
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    return cookiesOf(answer);
  }
  const accept = (secret: string | undefined) =>
    post("/invitations/accept", { secret, password: PASSWORD });
  /** An open link as versions left it that kept more than one. */
  async function leftOver(of: { email: string; role: Role }): Promise<string> {
    const about = { ...of, environments: null, createdBy: "local", madeWith: null };
    const { record, secret } = makeInvitation(admin.deps, about);
    await admin.store.access.invitations.insert(record);
    return secret;
  }
  const logIn = (email: string, password: string, headers: SentHeaders = {}) =>
    post("/login", { email, password }, headers);
  const from = async (password: string) => {
    const init = postOf({ email: "anna@example.com", password }, HOST);
    const request = new Request("http://keyward.test/api/v1/login", init);
    return (await app.fetch(request, { address: "192.0.2.7" })).status;
  };
  const failures = async () => {
    const [found] = await admin.store.access.logins.findAttempts(["address 192.0.2.7"]);
    return found?.failures;
  };
  const idOf = async (email: string) => (await admin.store.access.members.findByEmail(email))?.id;
  const changeAnna = async (body: object) => {
    const path = `/members/${await idOf("anna@example.com")}`;
    const { status } = await call(admin.app, path, { ...postOf(body), method: "PATCH" });
    expect(status).toBe(200);
  };

  it("lets somebody in by a link, once, and by their password from then on", async () => {
    const invitation = await invite("Anna@Example.com", "developer");
    const secret = secretOf(invitation);
    const answer = await post("/invitations/accept", { secret, password: PASSWORD, name: "Anna" });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email: "anna@example.com", role: "developer" });
    expect((await get("/me", { cookie: cookiesOf(answer) })).body).toMatchObject({
      kind: "member",
      name: "anna@example.com",
    });
    const again = await post("/invitations/accept", { secret, password: PASSWORD });
    expect(again.body).toMatchObject({ error: { code: "invalid_invitation" } });
    const login = await logIn("ANNA@example.com ", PASSWORD);
    expect(login.status).toBe(200);
    const [session = ""] = login.headers.getSetCookie();
    expect(session).toMatch(
      /^keyward_session=kw_session_\w+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/,
    );
  });

  it("refuses another address than the invited one, and leaves the link open", async () => {
    const secret = secretOf(await invite("anna@example.com", "viewer"));
    const body = { secret, password: PASSWORD, email: "eve@example.com" };
    const refused = await post("/invitations/accept", body);
    expect([refused.status, refused.body]).toMatchObject([400, { error: { param: "email" } }]);
    const same = { ...body, email: "Anna@Example.com" };
    expect((await post("/invitations/accept", same)).status).toBe(201);
  });

  it("has one open link for an address, the newest, and none when its person has joined", async () => {
    const left = await leftOver({ email: "anna@example.com", role: "admin" });
    const older = await invite("anna@example.com", "admin");
    const newest = await invite("ANNA@example.com", "viewer");
    const open = (await admin.get("/invitations")).body as { data: unknown[] };
    expect(open.data).toMatchObject([{ id: newest.id, role: "viewer" }]);
    const again = await leftOver({ email: "anna@example.com", role: "admin" });
    for (const secret of [left, secretOf(older)]) expect((await accept(secret)).status).toBe(403);
    expect((await accept(secretOf(newest))).body).toMatchObject({ role: "viewer" });
    expect((await accept(again)).status).toBe(403);
    expect((await admin.get("/invitations")).body).toMatchObject({ data: [] });
    const { data } = (await admin.get("/audit?action=invitation.revoked")).body as {
      data: { target: { id: string } }[];
    };
    expect(data).toHaveLength(3);
    expect(data.map(({ target }) => target.id)).toContain(older.id);
  });

  it("lets no removed member back by a link from before, neither their own nor one that they have made", async () => {
    const cookie = await joined("anna@example.com", "admin");
    const own = await leftOver({ email: "anna@example.com", role: "admin" });
    const asked = { email: "second@example.com", role: "admin" };
    const byCookie = (await post("/invitations", asked, { cookie })).body as Link;
    const token = (await post("/admin-tokens", { name: "t", role: "admin" }, { cookie })).body;
    const bearer = { authorization: `Bearer ${(token as { token: string }).token}` };
    const third = { ...asked, email: "third@example.com" };
    const byToken = (await post("/invitations", third, bearer)).body as Link;
    const others = await invite("ben@example.com", "viewer");
    const id = await idOf("anna@example.com");
    expect((await call(admin.app, `/members/${id}`, { method: "DELETE" })).status).toBe(200);
    for (const secret of [own, secretOf(byCookie), secretOf(byToken)]) {
      expect((await accept(secret)).status).toBe(403);
    }
    expect((await accept(secretOf(others))).status).toBe(201);
    expect((await accept(secretOf(await invite("anna@example.com", "viewer")))).status).toBe(201);
  });

  it("leaves no link open that somebody has made who may invite less now", async () => {
    const cookie = await joined("anna@example.com", "owner");
    const ask = async (email: string) =>
      secretOf((await post("/invitations", { email, role: "admin" }, { cookie })).body as Link);
    const others = secretOf(await invite("ben@example.com", "viewer"));
    await joined("other@example.com", "owner");
    const first = await ask("first@example.com");
    await changeAnna({ role: "owner", name: "Anna" });
    expect((await accept(first)).status).toBe(201);
    for (const role of ["admin", "viewer"]) {
      const made = await ask(`${role}@example.com`);
      await changeAnna({ role });
      expect((await accept(made)).status).toBe(403);
    }
    expect((await accept(others)).status).toBe(201);
  });

  it("refuses links that were revoked, have expired or were never made, with one answer", async () => {
    const revoked = await invite("a@example.com", "viewer");
    await admin.post(`/invitations/${revoked.id}/revoke`);
    const expired = await invite("b@example.com", "viewer");
    admin.nowMs += 3 * 24 * HOUR_MS;
    const texts = new Set<string>();
    for (const secret of [secretOf(revoked), secretOf(expired), "kw_invite_no"]) {
      const answer = await post("/invitations/accept", { secret, password: PASSWORD });
      expect(answer.status).toBe(403);
      texts.add(answer.text);
    }
    expect(texts.size).toBe(1);
  });

  it("gives an unknown member, a wrong password and one without a password the same answer", async () => {
    await joined("anna@example.com", "viewer");
    const answers = [
      await logIn("nobody@example.com", PASSWORD),
      await logIn("anna@example.com", "wrong"),
    ];
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    for (const { status, headers } of answers) {
      expect(status).toBe(401);
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  it("delays guesses more and more, counts those made at once, and lets a known browser through", async () => {
    const cookies = await joined("anna@example.com", "viewer");
    const guesses = Array.from({ length: 12 }, () => logIn("anna@example.com", "wrong"));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(7);
    const right = await logIn("anna@example.com", PASSWORD);
    expect(right.body).toMatchObject({ error: { code: "login_throttled" } });
    expect(right.headers.get("retry-after")).toBe("1");
    expect((await logIn("anna@example.com", PASSWORD, { cookie: cookies })).status).toBe(200);
    admin.nowMs += 1000;
    expect((await logIn("anna@example.com", "wrong")).status).toBe(401);
    expect((await logIn("anna@example.com", PASSWORD)).headers.get("retry-after")).toBe("2");
    admin.nowMs += 2000;
    expect((await logIn("anna@example.com", PASSWORD)).status).toBe(200);
    expect((await logIn("anna@example.com", "wrong")).status).toBe(401);
    expect((await logIn("anna@example.com", PASSWORD)).status).toBe(200);
  });

  it("delays guesses at what no member has as it does for a member", async () => {
    for (let i = 0; i < 5; i += 1) await logIn("nobody@example.com", "wrong");
    expect((await logIn("nobody@example.com", "wrong")).status).toBe(429);
  });

  it("counts no login that is right against the address it comes from, and every one that is wrong", async () => {
    await joined("anna@example.com", "viewer");
    for (let i = 0; i < 40; i += 1) expect(await from(PASSWORD)).toBe(200);
    expect(await failures()).toBeUndefined();
    expect(await from("wrong")).toBe(401);
    expect(await from(PASSWORD)).toBe(200);
    expect(await failures()).toBe(1);
    const at = await Promise.all([from(PASSWORD), from("wrong"), from(PASSWORD)]);
    expect(at.filter((status) => status === 200)).toHaveLength(2);
    expect(await failures()).toBe(2);
  });

  it("ends a session that lies idle, one that is old, and one that was logged out", async () => {
    const cookie = await joined("anna@example.com", "viewer");
    admin.nowMs += 11 * HOUR_MS;
    expect((await get("/me", { cookie })).status).toBe(200);
    admin.nowMs += 12 * HOUR_MS - 1;
    expect((await get("/me", { cookie })).status).toBe(200);
    admin.nowMs += 12 * HOUR_MS;
    expect((await get("/me", { cookie })).status).toBe(401);
    const second = cookiesOf(await logIn("anna@example.com", PASSWORD));
    for (let i = 0; i < 16; i += 1) {
      expect((await get("/me", { cookie: second })).status).toBe(200);
      admin.nowMs += 10 * HOUR_MS;
    }
    admin.nowMs += 8 * HOUR_MS;
    expect((await get("/me", { cookie: second })).status).toBe(401);
    const third = cookiesOf(await logIn("anna@example.com", PASSWORD));
    expect((await post("/logout", {}, { cookie: third })).status).toBe(200);
    expect((await get("/me", { cookie: third })).status).toBe(401);
  });

  it("ends the other sessions with a new password, and asks for the old one", async () => {
    const cookie = await joined("anna@example.com", "viewer");
    const other = cookiesOf(await logIn("anna@example.com", PASSWORD));
    const change = { currentPassword: "wrong", newPassword: "another horse battery" };
    expect((await post("/me/password", change, { cookie })).status).toBe(401);
    const right = { ...change, currentPassword: PASSWORD };
    expect((await post("/me/password", right, { cookie })).status).toBe(200);
    expect((await get("/me", { cookie })).status).toBe(200);
    expect((await get("/me", { cookie: other })).status).toBe(401);
    expect((await logIn("anna@example.com", PASSWORD)).status).toBe(401);
  });

  it("takes one spelling of an address, and none that could be taken for another", async () => {
    await joined("kim@example.com", "viewer");
    expect((await logIn("KIM@example.com", PASSWORD)).status).toBe(200);
    for (const email of ["\u{212A}im@example.com", "ｋim@example.com", "ki\u200Bm@example.com"]) {
      const input = { email, role: "viewer" };
      const invited = await admin.post("/invitations", input);
      expect(invited).toMatchObject({ status: 400, body: { error: { param: "email" } } });
      expect((await logIn(email, PASSWORD)).status).toBe(400);
    }
  });

  it("lists one's own sessions and ends one of them, and nobody else's", async () => {
    const cookie = await joined("anna@example.com", "viewer");
    const bens = await joined("ben@example.com", "owner");
    await logIn("anna@example.com", PASSWORD, { "user-agent": "another browser" });
    const { data } = (await get("/sessions", { cookie })).body as {
      data: { id: string; isCurrent: boolean }[];
    };
    expect(data.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
    const id = data.find(({ isCurrent }) => !isCurrent)?.id ?? "";
    expect((await post(`/sessions/${id}/revoke`, {}, { cookie: bens })).status).toBe(404);
    expect((await post(`/sessions/${id}/revoke`, {}, { cookie })).status).toBe(200);
  });

  it("takes a change by cookie from its own pages alone", async () => {
    const cookie = await joined("anna@example.com", "owner");
    const headers = { cookie, "content-type": "application/json" };
    const init = { method: "POST", body: '{"name":"x"}' };
    expect((await call(app, "/projects", { ...init, headers })).status).toBe(403);
    const foreign = { ...headers, ...HOST, origin: "https://evil.example" };
    expect((await call(app, "/projects", { ...init, headers: foreign })).status).toBe(403);
    const own = { ...headers, "sec-fetch-site": "same-origin" };
    expect((await call(app, "/projects", { ...init, headers: own })).status).toBe(201);
    expect((await get("/projects", { cookie })).status).toBe(200);
  });

  it("holds a change of role from the next request on, and a removal as well", async () => {
    const cookie = await joined("anna@example.com", "viewer");
    const id = await idOf("anna@example.com");
    const made = await post("/admin-tokens", { name: "mine", role: "viewer" }, { cookie });
    const { token } = made.body as { token: string };
    const bearer = { authorization: `Bearer ${token}` };
    expect((await get("/usage/events", bearer)).status).toBe(200);
    const patch = { ...postOf({ role: "billing" }), method: "PATCH" };
    expect((await call(admin.app, `/members/${id}`, patch)).status).toBe(200);
    expect((await get("/keys", { cookie })).status).toBe(403);
    // Within the member: a billing member has no keys, so the viewer's token has none either.
    expect((await get("/keys", bearer)).status).toBe(403);
    expect((await call(admin.app, `/members/${id}`, { method: "DELETE" })).status).toBe(200);
    expect((await get("/me", { cookie })).status).toBe(401);
    expect((await get("/me", bearer)).status).toBe(401);
    expect((await logIn("anna@example.com", PASSWORD)).status).toBe(401);
  });

  it("keeps the last owner, also when two demote each other at once", async () => {
    const annas = await joined("anna@example.com", "owner");
    const bens = await joined("ben@example.com", "owner");
    const [anna, ben] = [await idOf("anna@example.com"), await idOf("ben@example.com")];
    const demote = (id: string | undefined, cookie: string) =>
      call(app, `/members/${id}`, {
        ...postOf({ role: "viewer" }, { ...HOST, cookie }),
        method: "PATCH",
      });
    const answers = await Promise.all([demote(ben, annas), demote(anna, bens)]);
    expect(answers.map(({ status }) => status)).toContain(200);
    expect(await admin.store.access.members.countOwners()).toBe(1);
    const owner = (await admin.store.access.members.findById(anna ?? ("" as never)))?.role;
    const [left, cookie] = owner === "owner" ? [anna, annas] : [ben, bens];
    expect((await demote(left, cookie)).body).toMatchObject({ error: { code: "conflict" } });
    const removal = { method: "DELETE", headers: { ...HOST, cookie } };
    expect((await call(app, `/members/${left}`, removal)).status).toBe(409);
  });

  it("lets an admin manage members, and no owners", async () => {
    const cookie = await joined("ada@example.com", "admin");
    await joined("olga@example.com", "owner");
    const olga = await idOf("olga@example.com");
    const refused = [
      await post("/invitations", { email: "x@example.com", role: "owner" }, { cookie }),
      await call(app, `/members/${olga}`, { method: "DELETE", headers: { ...HOST, cookie } }),
      await call(app, `/members/${await idOf("ada@example.com")}`, {
        ...postOf({ role: "owner" }, { ...HOST, cookie }),
        method: "PATCH",
      }),
    ];
    for (const { status } of refused) expect(status).toBe(403);
    const token = await post("/admin-tokens", { name: "t", role: "owner" }, { cookie });
    expect(token.status).toBe(400);
    const invited = await post(
      "/invitations",
      { email: "x@example.com", role: "viewer" },
      { cookie },
    );
    expect(invited.status).toBe(201);
  });

  it("makes no token that may do more than who makes it", async () => {
    const cookie = await joined("dev@example.com", "developer");
    const beyond = { name: "t", permissions: ["budgets:write", "keys:read"] };
    const refused = await post("/admin-tokens", beyond, { cookie });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain("`budgets:write`");
    const made = await post("/admin-tokens", { name: "t", role: "developer" }, { cookie });
    const { token } = made.body as { token: string };
    const bearer = { authorization: `Bearer ${token}` };
    const issue = (environment: string) => post("/keys", { environment, name: "bot" }, bearer);
    expect((await issue("production")).status).toBe(403);
    expect((await issue("staging")).status).toBe(201);
    expect((await post("/admin-tokens", { name: "u", role: "developer" }, bearer)).status).toBe(
      403,
    );
  });

  it("binds a token to its environments, notes its use and ends it in time", async () => {
    const expiresAt = new Date(NOW_MS + HOUR_MS).toISOString();
    const input = { name: "ci", role: "developer", environments: ["staging"], expiresAt };
    const made = await admin.post("/admin-tokens", input);
    const { token, id } = made.body as { token: string; id: string };
    const bearer = { authorization: `Bearer ${token}` };
    expect((await get("/keys", bearer)).status).toBe(403);
    expect((await get("/keys?environment=production", bearer)).status).toBe(403);
    expect((await get("/keys?environment=staging", bearer)).status).toBe(200);
    const { body } = await admin.get("/admin-tokens");
    const used = new Date(NOW_MS).toISOString();
    expect(body).toMatchObject({
      data: [{ id, lastUsedAt: used, preview: `kw_admin_…${token.slice(-4)}` }],
    });
    admin.nowMs += HOUR_MS;
    expect((await get("/keys?environment=staging", bearer)).status).toBe(401);
    const other = await admin.post("/admin-tokens", { name: "x", permissions: ["usage:read"] });
    const second = other.body as { token: string; id: string };
    await admin.post(`/admin-tokens/${second.id}/revoke`);
    expect((await get("/usage/events", { authorization: `Bearer ${second.token}` })).status).toBe(
      401,
    );
  });

  it("gives a developer exactly the environments that were given", async () => {
    const more = { environments: ["production"] };
    const cookie = await joined("dev@example.com", "developer", more);
    const issue = (environment: string) => post("/keys", { environment, name: "b" }, { cookie });
    expect((await issue("production")).status).toBe(201);
    expect((await issue("development")).status).toBe(403);
    const viewer = { email: "v@example.com", role: "viewer", ...more };
    expect((await admin.post("/invitations", viewer)).status).toBe(400);
  });

  it("shows no password, token, link or cookie a second time, and keeps none in clear", async () => {
    const invitation = await invite("anna@example.com", "owner");
    const secret = secretOf(invitation) ?? "";
    const answer = await post("/invitations/accept", { secret, password: PASSWORD });
    const cookie = cookiesOf(answer);
    const made = await post("/admin-tokens", { name: "t", role: "viewer" }, { cookie });
    const { token } = made.body as { token: string };
    const texts = [answer.text];
    for (const path of ["/me", "/members", "/invitations", "/sessions", "/admin-tokens"]) {
      texts.push((await get(path, { cookie })).text);
    }
    const rows = await admin.store.access.sessions.listOf(
      (await idOf("anna@example.com")) as never,
    );
    texts.push(
      JSON.stringify(rows),
      JSON.stringify(await admin.store.access.members.list({ limit: 9 })),
    );
    texts.push(JSON.stringify(await admin.store.adminTokens.list({ limit: 9 })));
    const session = /kw_session_\w+/.exec(cookie)?.[0] ?? "none";
    const hash = (await admin.store.access.members.findByEmail("anna@example.com"))?.passwordHash;
    for (const text of texts) {
      for (const planted of [PASSWORD, secret, token, session]) expect(text).not.toContain(planted);
    }
    expect(texts.slice(0, 6).join("")).not.toContain(hash);
  });
});
