import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type AdminUnderTest,
  adminUnderTest,
  call,
  postOf,
  type RawAnswer,
} from "../../../test/support/admin-under-test.ts";
import {
  type OpenIdDouble,
  type OpenIdPerson,
  startOpenIdDouble,
} from "../../../test/support/openid-double.ts";
import { OpenIdProvider } from "../../runtime/oidc/openid-provider.ts";
import type { AdminApp } from "../admin-app.ts";
import type { AdminRefusal } from "../admin-deps.ts";
import { createTokenAuthenticator } from "../authenticator.ts";
import { CALLBACK_PATH } from "./identity-login.ts";

const ANNA: OpenIdPerson = { sub: "anna-1", email: "Anna@example.com", email_verified: true };
const BASE = "https://keyward.test";
const HOST = { host: "keyward.test", origin: BASE, "sec-fetch-site": "same-origin" };

interface Begun {
  readonly url: string;
  /** As the browser sends it. */
  readonly cookie: string;
}

/** Where nobody listens any more. */
async function closedUrl(): Promise<string> {
  const double = await startOpenIdDouble();
  const { issuer } = double;
  await double.close();
  return issuer;
}

function providerOf({ issuer, clientId, clientSecret }: OpenIdDouble, changes: object = {}) {
  return new OpenIdProvider({ name: "Example", issuer, clientId, clientSecret, ...changes });
}

const cookiesOf = (answer: RawAnswer) =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");

const secretOf = ({ link }: { link: string }) => link.split("#")[1] ?? "";

function expectOut(answer: RawAnswer, status: number, words: string): void {
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(words)]);
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(cookiesOf(answer)).toBe("__Host-keyward_checks=");
}

describe("logins by an identity provider", { timeout: 60_000 }, () => {
  const admin = adminUnderTest();
  let double: OpenIdDouble;
  let app: AdminApp;
  let refusals: AdminRefusal[];

  beforeAll(async () => {
    double = await startOpenIdDouble();
  });
  afterAll(() => double.close());
  beforeEach(() => {
    double.mischief = {};
    refusals = [];
    app = appOf(admin, providerOf(double));
  });

  function appOf({ store }: AdminUnderTest, identityProvider: OpenIdProvider | undefined) {
    return admin.appWith({
      identityProvider,
      publicUrl: BASE,
      onRefusal: (refusal) => refusals.push(refusal),
      authenticator: createTokenAuthenticator({
        ...store.access,
        adminTokens: store.adminTokens,
        nowMs: () => admin.nowMs,
        isSecure: true,
      }),
    });
  }

  const startWith = (body: object, headers: Readonly<Record<string, string>> = HOST) =>
    call(app, "/login/oidc", postOf(body, headers));
  async function begin(body: object = {}): Promise<Begun> {
    const answer = await startWith(body);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    return { url: (answer.body as Begun).url, cookie: cookiesOf(answer) };
  }
  /** As a browser comes back from another site. */
  const arrive = (query: string, cookie = "") =>
    call(app, `/login/oidc/callback${query}`, {
      headers: { host: "10.0.0.7:4141", "sec-fetch-site": "cross-site", cookie },
    });
  async function logIn(person: OpenIdPerson, body: object = {}): Promise<RawAnswer> {
    const { url, cookie } = await begin(body);
    return await arrive(double.logIn(url, person), cookie);
  }
  async function expectIn(answer: RawAnswer, email: string): Promise<void> {
    expect([answer.status, answer.text]).toEqual([303, ""]);
    expect(answer.headers.get("location")).toBe("/login#in");
    const me = await call(app, "/me", { headers: { cookie: cookiesOf(answer) } });
    expect(me.body).toMatchObject({ kind: "member", name: email });
  }
  const invite = async (email: string, role = "developer") =>
    (await admin.post("/invitations", { email, role })).body as { id: string; link: string };
  async function addMember(email: string, changes: object = {}) {
    const member = {
      id: admin.deps.ids.create("mem"),
      email,
      name: null,
      role: "viewer",
      environments: null,
      passwordHash: null,
      subject: null,
      createdAtMs: admin.nowMs,
      lastLoginAtMs: null,
      removedAtMs: null,
      ...changes,
    } as const;
    await admin.store.access.members.insert(member);
    return member;
  }
  const find = (email: string) => admin.store.access.members.findByEmail(email);

  it("sends the browser away with PKCE, state and nonce, and a cookie of ten minutes that scripts can't read", async () => {
    const answer = await startWith({});
    const { searchParams } = new URL((answer.body as Begun).url);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: double.clientId,
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: `${BASE}${CALLBACK_PATH}`,
      scope: "openid email profile",
    });
    for (const name of ["state", "nonce", "code_challenge"]) {
      expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/);
    }
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(
      /^__Host-keyward_checks=[\w.-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    const shown = JSON.stringify([...searchParams]);
    expect(shown).not.toContain(cookie.split(".")[2]?.split(";")[0] ?? "");
  });

  it("makes a member of somebody who was invited, by a verified address or by the link", async () => {
    await invite("anna@example.com");
    await expectIn(await logIn({ ...ANNA, name: "Anna\u0007 B" }), "anna@example.com");
    expect(await find("anna@example.com")).toMatchObject({
      role: "developer",
      subject: `${double.issuer} anna-1`,
      passwordHash: null,
      // A name with control characters is none.
      name: null,
    });
    expect((await admin.get("/invitations")).body).toMatchObject({ data: [] });
    const link = secretOf(await invite("ben@example.com"));
    const ben = { sub: "ben-1", email: "ben@example.com", name: "Ben" };
    await expectIn(await logIn(ben, { invitation: link }), "ben@example.com");
    expect(await find("ben@example.com")).toMatchObject({ name: "Ben" });
    // By the subject from now on, whatever becomes of the address.
    await expectIn(await logIn({ sub: "ben-1", email: "other@example.com" }), "ben@example.com");
  });

  it("lets a member in by a verified address, and writes into the audit log that the two are bound", async () => {
    const { id } = await addMember("anna@example.com", { passwordHash: "$x" });
    await expectIn(await logIn(ANNA), "anna@example.com");
    expect(await find("anna@example.com")).toMatchObject({ passwordHash: "$x" });
    const { body } = await admin.get(`/audit?target=${id}`);
    const subject = `${double.issuer} anna-1`;
    expect(body).toMatchObject({
      data: [{ action: "member.updated", actor: { kind: "member", id }, after: { subject } }],
    });
    const before = (body as { data: unknown[] }).data.length;
    await expectIn(await logIn(ANNA), "anna@example.com");
    const again = await admin.get(`/audit?target=${id}`);
    expect((again.body as { data: unknown[] }).data).toHaveLength(before);
  });

  it("takes what an ID token leaves out from the userinfo endpoint, also as a text, and not of somebody else", async () => {
    await addMember("anna@example.com");
    double.mischief = { thinToken: true };
    await expectIn(await logIn({ ...ANNA, email_verified: "true" }), "anna@example.com");
    double.mischief = { thinToken: true, userinfo: { sub: "eve-1" } };
    expectOut(await logIn({ ...ANNA, sub: "anna-2" }), 403, "does not hold");
  });

  it("lets in nobody whose address is not verified, and tells them nothing of who is here", async () => {
    const { id } = await addMember("anna@example.com");
    const texts = new Set<string>();
    for (const verified of [false, undefined, "false", 1]) {
      const person = { sub: "eve", email: "anna@example.com", email_verified: verified };
      const answer = await logIn(person as OpenIdPerson);
      expectOut(answer, 403, "is verified");
      texts.add(answer.text);
    }
    await admin.store.access.members.remove(id, 1);
    texts.add((await logIn({ sub: "eve", email: "anna@example.com" })).text);
    expect(texts.size).toBe(1);
    expectOut(await logIn({ sub: "eve" }), 403, "tells no e-mail address");
    expectOut(await logIn({ sub: "eve", email: "<b>" }), 403, "tells no e-mail address");
  });

  it("lets in no stranger, no removed member and nobody who is bound to another account", async () => {
    expectOut(await logIn(ANNA), 403, "is no member");
    expect(refusals.at(-1)).toMatchObject({ code: "login_refused", reason: "stranger" });
    const { id } = await addMember("anna@example.com");
    await expectIn(await logIn(ANNA), "anna@example.com");
    expectOut(await logIn({ ...ANNA, sub: "anna-2" }), 403, "another account");
    const patch = { ...postOf({ hasIdentity: false }), method: "PATCH" };
    expect((await call(admin.app, `/members/${id}`, patch)).body).toMatchObject({
      hasIdentity: false,
    });
    await expectIn(await logIn({ ...ANNA, sub: "anna-2" }), "anna@example.com");
    await call(admin.app, `/members/${id}`, { method: "DELETE" });
    expectOut(await logIn({ ...ANNA, sub: "anna-2" }), 403, "is no member");
  });

  it("ends the sessions of a member who is unbound, and leaves the password and the tokens", async () => {
    const { id } = await addMember("anna@example.com", { passwordHash: "$x" });
    const cookie = cookiesOf(await logIn(ANNA));
    const token = postOf({ name: "t", role: "viewer" }, { ...HOST, cookie });
    const made = await call(app, "/admin-tokens", token);
    const authorization = `Bearer ${(made.body as { token: string }).token}`;
    await call(admin.app, `/members/${id}`, { ...postOf({ hasIdentity: false }), method: "PATCH" });
    expect((await call(app, "/me", { headers: { cookie } })).status).toBe(401);
    expect((await call(app, "/me", { headers: { authorization } })).status).toBe(200);
    expect(await find("anna@example.com")).toMatchObject({ passwordHash: "$x", subject: null });
  });

  it("asks the provider so often for one network, as logins with a password are counted, and again for another", async () => {
    await addMember("anna@example.com");
    const from = async (address: string, person?: OpenIdPerson) => {
      const { url, cookie } = await begin();
      const state = new URL(url).searchParams.get("state") ?? "";
      const query = person === undefined ? `?code=x&state=${state}` : double.logIn(url, person);
      const headers = { "sec-fetch-site": "cross-site", cookie };
      return await app.fetch(new Request(`${BASE}${CALLBACK_PATH}${query}`, { headers }), {
        address,
      });
    };
    for (let i = 0; i < 30; i += 1) expect((await from("192.0.2.7")).status).toBe(403);
    const asked = double.asked.length;
    const { status, headers: told } = await from("192.0.2.7");
    expect([status, told.get("retry-after"), double.asked.length]).toEqual([429, "1", asked]);
    // One that is right counts for nothing, there or elsewhere.
    admin.nowMs += 1000;
    for (const address of ["192.0.2.8", "192.0.2.7"]) {
      expect((await from(address, ANNA)).status).toBe(303);
    }
    const counted = await admin.store.access.logins.findAttempts(["address 192.0.2.7"]);
    expect(counted).toMatchObject([{ failures: 30 }]);
  });

  it("lets a link in only whom it is for, once, and no link that is none", async () => {
    const invitation = await invite("ben@example.com");
    const link = { invitation: secretOf(invitation) };
    expectOut(await logIn(ANNA, link), 403, "is not for Anna@example.com");
    const { url, cookie } = await begin(link);
    await admin.post(`/invitations/${invitation.id}/revoke`);
    const ben = { sub: "ben-1", email: "ben@example.com" };
    expectOut(await arrive(double.logIn(url, ben), cookie), 403, "revoked");
    const refused = await startWith(link);
    expect(refused.body).toMatchObject({ error: { code: "invalid_invitation" } });
    expect(refused.headers.getSetCookie()).toEqual([]);
    const other = await startWith({ invitation: "kw_invite_no" });
    expect(other.status).toBe(403);
  });

  it("of two who come with one link at once, or one identity twice, lets one in", async () => {
    const link = { invitation: secretOf(await invite("ben@example.com")) };
    const both = ["ben-1", "ben-2"].map((sub) => logIn({ sub, email: "ben@example.com" }, link));
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([303, 403]));
    await addMember("anna@example.com");
    const subjects = ["anna-1", "anna-2"].map((sub) => logIn({ ...ANNA, sub }));
    const bound = (await Promise.all(subjects)).map(({ status }) => status);
    expect(new Set(bound)).toEqual(new Set([303, 403]));
  });

  it("takes nothing back that this browser was not sent away with", async () => {
    await addMember("anna@example.com");
    const { url, cookie } = await begin();
    const query = double.logIn(url, ANNA);
    const asked = double.asked.length;
    const planted = await begin();
    for (const [came, sent] of [
      [query, ""],
      [query, planted.cookie],
      [query.replace(/state=./, (found) => (found.endsWith("A") ? "state=B" : "state=A")), cookie],
      [`${query}&state=x`, cookie],
      [query.replace(/&state=.*/, ""), cookie],
      ["", cookie],
      [`${query}&x=${"x".repeat(9000)}`, cookie],
      [query, "__Host-keyward_checks=..."],
    ] as const) {
      expectOut(await arrive(came, sent), 400, "was not begun in this browser");
    }
    // Nothing of it went to the provider.
    expect(double.asked.slice(asked)).toEqual([]);
    await expectIn(await arrive(query, cookie), "anna@example.com");
  });

  it("finishes in any process what another one began, also as a public client", async () => {
    await addMember("anna@example.com");
    const { url, cookie } = await begin();
    app = appOf(admin, providerOf(double));
    await expectIn(await arrive(double.logIn(url, ANNA), cookie), "anna@example.com");
    double.mischief = { isPublicClient: true };
    app = appOf(admin, providerOf(double, { clientSecret: null }));
    await expectIn(await logIn(ANNA), "anna@example.com");
  });

  it("refuses a code that was used, one of another login, and every ID token that is not for this one", async () => {
    await addMember("anna@example.com");
    const { url, cookie } = await begin();
    const query = double.logIn(url, ANNA);
    await expectIn(await arrive(query, cookie), "anna@example.com");
    expectOut(await arrive(query, cookie), 403, "was used before");
    // Somebody else's code, put into this browser's login: the verifier is not its own.
    const other = new URLSearchParams(double.logIn((await begin()).url, ANNA));
    const mine = await begin();
    const state = new URL(mine.url).searchParams.get("state") ?? "";
    const mixed = `?${new URLSearchParams({ code: other.get("code") ?? "", state }).toString()}`;
    expectOut(await arrive(mixed, mine.cookie), 403, "does not hold");
    const nowSeconds = Math.floor(Date.now() / 1000);
    for (const mischief of [
      { claims: { nonce: "another" } },
      { claims: { nonce: undefined } },
      { claims: { aud: "another-client" } },
      { claims: { iss: "https://elsewhere.example" } },
      { claims: { exp: nowSeconds - 3600 } },
      { claims: { sub: undefined } },
      { claims: { sub: "s".repeat(256) } },
      { foreignKey: true },
      { algorithmNone: true },
    ]) {
      double.mischief = mischief;
      const answer = await logIn(ANNA);
      expect([mischief, answer.status]).toEqual([mischief, 403]);
      expectOut(answer, 403, "does not hold");
    }
    expect(refusals.every(({ reason }) => reason !== undefined)).toBe(true);
  });

  it("shows what the provider says against a login as text, and nothing of what strangers make it say", async () => {
    const { url, cookie } = await begin();
    const state = new URL(url).searchParams.get("state") ?? "";
    const said = { error: "access_denied", error_description: "<script>alert(1)</script>" };
    const query = `?${new URLSearchParams({ ...said, state }).toString()}`;
    const answer = await arrive(query, cookie);
    expectOut(answer, 403, "access_denied: &lt;script&gt;alert(1)&lt;/script&gt;");
    expect(answer.text).not.toContain("<script>");
    const forged = await arrive(`?error=x&error_description=call+555-0199&state=${"f".repeat(43)}`);
    expectOut(forged, 400, "was not begun");
    expect(forged.text).not.toContain("555");
  });

  it("says so when the provider is away or answers as none, and tells the log without a token", async () => {
    const { url, cookie } = await begin();
    const query = double.logIn(url, ANNA);
    const bodies = ["<html>", "{", '{"error":"invalid_client"}', "x".repeat(1024 * 1024 + 1)];
    for (const body of bodies) {
      double.mischief = { token: { status: body.length === 26 ? 401 : 200, body } };
      expectOut(await arrive(query, cookie), 503, "does not answer as it should");
    }
    const wrong = [
      { issuer: await closedUrl() },
      { issuer: `${double.issuer}/tenant` },
      { clientId: "another" },
    ];
    double.mischief = {};
    for (const changes of wrong) {
      app = appOf(admin, providerOf(double, changes));
      const started = await startWith({});
      const isKnown = started.status === 200;
      const code = "identity_provider_unavailable";
      if (isKnown) {
        const came = cookiesOf(started);
        const state = new URL((started.body as Begun).url).searchParams.get("state") ?? "";
        expectOut(await arrive(`?code=c&state=${state}`, came), 503, "does not answer");
      } else expect(started.body).toMatchObject({ error: { code } });
    }
    expect(admin.faults).toHaveLength(bodies.length + wrong.length);
    const told = admin.faults.map(({ error }) => String(error)).join("\n");
    expect(told).toContain("invalid_client");
    expect(told).toContain("ECONNREFUSED");
    expect(told).not.toContain(new URLSearchParams(query).get("code"));
    admin.faults.length = 0;
  });

  it("refuses a provider that answers for another issuer, and endpoints without https", async () => {
    for (const metadata of [
      { issuer: "https://login.microsoftonline.com/{tenantid}/v2.0" },
      { authorization_endpoint: "http://elsewhere.example/authorize" },
      { authorization_endpoint: "javascript:alert(1)" },
    ]) {
      double.mischief = { metadata };
      app = appOf(admin, providerOf(double));
      expect((await startWith({})).status).toBe(503);
    }
    double.mischief = { metadata: { token_endpoint: "http://elsewhere.example/token" } };
    app = appOf(admin, providerOf(double));
    expectOut(await logIn(ANNA), 503, "does not answer");
    expect(admin.faults.splice(0)).toHaveLength(4);
  });

  it("begins no login from a page of another origin, or where the provider would not send people back to", async () => {
    const foreign = { ...HOST, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect((await startWith({}, foreign)).status).toBe(403);
    const elsewhere = await startWith(
      {},
      { host: "10.0.0.7:4141", origin: "http://10.0.0.7:4141" },
    );
    expect(elsewhere.body).toMatchObject({ error: { code: "origin_not_allowed" } });
    expect(elsewhere.text).toContain(`Open ${BASE}/login`);
    expect((await startWith({ next: "https://evil.example" })).status).toBe(400);
  });

  it("asks the provider what it is once for many logins, and has none without a provider", async () => {
    const asked = double.asked.length;
    await Promise.all(Array.from({ length: 5 }, () => startWith({})));
    expect(double.asked.slice(asked)).toEqual(["GET /.well-known/openid-configuration"]);
    app = appOf(admin, undefined);
    expect((await startWith({})).status).toBe(404);
    const answer = await arrive("?code=c&state=s");
    expect([answer.status, answer.text]).toEqual([
      404,
      expect.stringContaining("No identity provider"),
    ]);
  });
});
