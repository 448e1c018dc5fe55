/** What is said of secrets that were reported, as what they opened changes afterwards. */
import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS, postOf } from "../../test/support/admin-under-test.ts";
import { isId, type ProviderKeyId } from "../core/ids/ids.ts";
import { createAdminToken, hashAdminToken } from "../core/keys/admin-token.ts";
import { createLoginSecret } from "../core/keys/login-secret.ts";
import { sampleRotation } from "../store/contract/rotations.contract.ts";
import { sampleAdminToken } from "../store/contract/samples.contract.ts";
import type { ProviderKeyRecord } from "../store/records.ts";
import type { AdminApp } from "./admin-app.ts";
import { createTokenAuthenticator } from "./authenticator.ts";

const admin = adminUnderTest();
const SETTING = "a-token-of-the-settings";
const HOUR_MS = 3_600_000;
let app: AdminApp;

beforeEach(() => {
  app = admin.appWith({
    authenticator: createTokenAuthenticator({
      ...admin.store.access,
      adminTokens: admin.store.adminTokens,
      nowMs: () => admin.nowMs,
      extraToken: SETTING,
    }),
  });
});

async function report(...secrets: readonly string[]): Promise<void> {
  const body = { leaks: secrets.map((key) => ({ key })) };
  const answer = await call(app, "/leaks", postOf(body));
  expect([answer.status, answer.body]).toEqual([202, { received: secrets.length }]);
}

/** Of the one that was reported. */
async function standing(): Promise<string> {
  const { data } = (await admin.get("/leaks")).body as { data: readonly ListedLeak[] };
  expect(data).toHaveLength(1);
  const [{ kind, outcome, standing: now, endedAt } = expect.fail()] = data;
  const { openLeaks } = (await admin.get("/status")).body as { openLeaks: readonly object[] };
  expect(openLeaks).toHaveLength(now === "ended" ? 0 : 1);
  return [kind, outcome, now, ...(endedAt === null ? [] : [endedAt])].join(" ");
}

interface ListedLeak {
  readonly kind: string;
  readonly outcome: string;
  readonly standing: string;
  readonly endedAt: string | null;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const providerSecret = (kind: string): string =>
  ["sk", kind, admin.deps.ids.create("req").repeat(2)].join("-");

async function addProviderKey(secret: string): Promise<ProviderKeyRecord> {
  await admin.post("/provider-accounts", {
    name: "main",
    provider: "openai",
    kind: "organization",
  });
  const body = { accountId: "main", environment: "production", name: "main", secret };
  const { id } = (await admin.post("/provider-keys", body)).body as { id: ProviderKeyId };
  const key = await admin.store.providerKeys.findById(id);
  return key ?? expect.fail("no key");
}

async function makeToken(): Promise<string> {
  const { body: key } = await admin.post("/keys", { environment: "production", name: "web" });
  const { id } = key as { id: string };
  const asked = { key: id, customer: "acme", models: ["gpt-4o-mini"], expiresInSeconds: 600 };
  return ((await admin.post("/client-tokens", asked)).body as { token: string }).token;
}

async function invite(email: string): Promise<{ readonly id: string; readonly secret: string }> {
  const { body } = await admin.post("/invitations", { email, role: "viewer" });
  const { id, link } = body as { id: string; link: string };
  return { id, secret: link.slice(link.indexOf("#") + 1) };
}
const join = (secret: string) =>
  call(app, "/invitations/accept", postOf({ secret, password: "a long password of mine" }));
const reset = (secret: string) =>
  call(app, "/login/reset", postOf({ secret, password: "another long password" }));
const whoIs = async (cookie: string): Promise<number> =>
  (await call(app, "/me", { headers: { cookie } })).status;
const anonymousActs = async () =>
  (await admin.store.audit.list({ limit: 100 }, { actor: "anonymous" })).rows.map(
    ({ action }) => action,
  );
const cookieOf = (value: string): string => `keyward_session=${value}`;

describe("a provider key that was reported", () => {
  it("is valid until it is revoked here; what its provider takes is not known from there on", async () => {
    const secret = providerSecret("proj");
    const { id } = await addProviderKey(secret);
    await report(secret);
    expect(await standing()).toBe("providerKey still_valid valid");
    await admin.post(`/provider-keys/${id}/revoke`);
    expect(await standing()).toBe("providerKey still_valid unknown");
    admin.nowMs += 31 * 24 * HOUR_MS;
    const { openLeaks } = (await admin.get("/status")).body as { openLeaks: readonly object[] };
    expect(openLeaks).toEqual([]);
  });

  it("and was replaced since is what is known of its old secret", async () => {
    const secret = providerSecret("proj");
    const key = await addProviderKey(secret);
    await report(secret);
    const { rotations } = admin.store.rotation;
    let rotation = sampleRotation(key);
    await rotations.insert(rotation);
    const next = { version: 2, preview: "sk-proj-…next", sealed: key.sealed };
    const fingerprint = await admin.vault.fingerprint(providerSecret("proj"));
    const replaced = { ...next, fingerprint, previousVersion: key.version };
    expect(await admin.store.providerKeys.replaceSecret(key.id, replaced)).toBe(true);
    expect(await standing()).toBe("providerKey still_valid unknown");
    const replacedBy = { rotationId: rotation.id, hasEnded: false };
    expect((await admin.get("/status")).body).toMatchObject({
      openLeaks: [{ isOldSecret: true, replacedBy }],
    });
    for (const [oldFate, expected] of [
      ["unknown", "unknown"],
      ["valid", "valid"],
      ["refused", `ended ${iso(NOW_MS)}`],
      ["deleted", `ended ${iso(NOW_MS)}`],
      ["confirmed", `ended ${iso(NOW_MS)}`],
    ] as const) {
      const saved = await rotations.save({ ...rotation, oldFate, endedAtMs: NOW_MS });
      rotation = saved ?? expect.fail("it was changed meanwhile");
      expect(await standing()).toBe(`providerKey still_valid ${expected}`);
    }
  });
});

describe("a secret that was reported before and after its key was given another", () => {
  it("is told of once, as the old one that it is", async () => {
    const secret = providerSecret("proj");
    const key = await addProviderKey(secret);
    await report(secret);
    const rotation = sampleRotation(key, { state: "done", endedAtMs: NOW_MS, oldFate: "valid" });
    await admin.store.rotation.rotations.insert(rotation);
    const next = { version: 2, preview: "sk-proj-…next", sealed: key.sealed };
    const fingerprint = await admin.vault.fingerprint(providerSecret("proj"));
    await admin.store.providerKeys.replaceSecret(key.id, {
      ...next,
      fingerprint,
      previousVersion: key.version,
    });
    admin.nowMs += HOUR_MS;
    await report(secret);
    const { data } = (await admin.get("/leaks")).body as { data: readonly ListedLeak[] };
    expect(data.map(({ outcome }) => outcome)).toEqual(["old_secret_valid", "still_valid"]);
    const { openLeaks } = (await admin.get("/status")).body as { openLeaks: readonly object[] };
    expect(openLeaks).toEqual([
      expect.objectContaining({
        reportedAt: iso(NOW_MS),
        standing: "valid",
        isOldSecret: true,
        replacedBy: { rotationId: rotation.id, hasEnded: true },
      }),
    ]);
  });
});

describe("an account's admin key that was reported", () => {
  it("is valid while the account has it, and not known once it has another", async () => {
    const { accountId, sealed } = await addProviderKey(providerSecret("proj"));
    const secret = providerSecret("admin");
    const of = { accountId, sealed, preview: "sk-admin-…1", createdBy: "local" };
    const { adminKeys } = admin.store.rotation;
    const fingerprint = await admin.vault.fingerprint(secret);
    await adminKeys.put({ ...of, version: 1, fingerprint, createdAtMs: NOW_MS });
    await report(secret);
    expect(await standing()).toBe("providerAdminKey still_valid valid");
    const other = await admin.vault.fingerprint(providerSecret("admin"));
    await adminKeys.put({ ...of, version: 2, fingerprint: other, createdAtMs: NOW_MS });
    expect(await standing()).toBe("providerAdminKey still_valid unknown");
  });
});

describe("an admin token that was reported", () => {
  it("is ended from the report on", async () => {
    const token = createAdminToken(admin.deps.randomBytes);
    await admin.store.adminTokens.insert(sampleAdminToken({ hash: hashAdminToken(token) }));
    await report(token);
    admin.nowMs += HOUR_MS;
    expect(await standing()).toBe(`adminToken revoked ended ${iso(NOW_MS)}`);
  });

  it("of the settings is not known: what stands there now is not the store's to say", async () => {
    await report(SETTING);
    expect(await standing()).toBe("adminToken still_valid unknown");
  });
});

describe("a client token that was reported", () => {
  it("is ended from the report on where the policy enforces", async () => {
    await report(await makeToken());
    expect(await standing()).toBe(`clientToken revoked ended ${iso(NOW_MS)}`);
  });

  it("is valid for an hour at most where the policy warns", async () => {
    await call(admin.app, "/environments/production/policy", {
      ...postOf({ rules: { leaked_keys: "warn" } }),
      method: "PATCH",
    });
    await report(await makeToken());
    admin.nowMs = NOW_MS + HOUR_MS - 1;
    expect(await standing()).toBe("clientToken still_valid valid");
    admin.nowMs = NOW_MS + HOUR_MS;
    expect(await standing()).toBe(`clientToken still_valid ended ${iso(NOW_MS + HOUR_MS)}`);
  });
});

describe("what lets somebody in", () => {
  it("is ended where it is a session: that one, and no other of its member", async () => {
    const answer = await join((await invite("anna@example.com")).secret);
    const cookie = String(answer.headers.get("set-cookie"));
    const [secret = expect.fail()] = /kw_session_\w+/.exec(cookie) ?? [];
    const { rows } = await admin.store.access.members.list({ limit: 1 });
    const memberId = rows[0]?.id ?? expect.fail();
    const other = createLoginSecret("session", admin.deps.randomBytes);
    const times = { createdAtMs: NOW_MS, lastSeenAtMs: NOW_MS };
    const session = { id: admin.deps.ids.create("ses"), hash: other.hash, memberId, ...times };
    await admin.store.access.sessions.insert({ ...session, address: null, userAgent: null });
    expect(await whoIs(cookieOf(secret))).toBe(200);

    await report(`cookie: a=b; keyward_session=${secret}; c=d`);
    expect([await whoIs(cookieOf(secret)), await whoIs(cookieOf(other.secret))]).toEqual([
      401, 200,
    ]);
    expect(await standing()).toBe(`session revoked ended ${iso(NOW_MS)}`);
    const [leak] = (await admin.store.exposure.leaks.list({ limit: 1 })).rows;
    expect(leak).toMatchObject({ name: "anna@example.com", preview: null, environmentId: null });
    expect(isId("ses", leak?.subjectId ?? "")).toBe(true);
    expect(await anonymousActs()).toEqual(["session.leaked"]);
    await report(secret);
    expect((await admin.store.exposure.leaks.list({ limit: 9 })).rows).toHaveLength(1);
  });

  it("is revoked where it is an invitation, whole link or secret alone, and told of once", async () => {
    const { id, secret } = await invite("ben@example.com");
    await report(`https://keyward.example.com/join#${secret}`);
    expect((await join(secret)).status).toBe(403);
    expect(await standing()).toBe(`invitation revoked ended ${iso(NOW_MS)}`);
    const [leak] = (await admin.store.exposure.leaks.list({ limit: 1 })).rows;
    expect(leak).toMatchObject({ subjectId: id, name: "ben@example.com" });
    expect((await anonymousActs()).toSorted()).toEqual(["invitation.leaked", "invitation.revoked"]);
    await report(secret, secret);
    expect((await admin.store.exposure.leaks.list({ limit: 9 })).rows).toHaveLength(1);
  });

  it("is revoked where it is a link for a new password, and no newer one with it", async () => {
    await join((await invite("cleo@example.com")).secret);
    const { rows } = await admin.store.access.members.list({ limit: 1 });
    const memberId = rows[0]?.id ?? expect.fail();
    const makeLink = async (): Promise<string> => {
      const { body } = await admin.post(`/members/${memberId}/password-reset`);
      const { link } = body as { link: string };
      return link.slice(link.indexOf("#") + 1);
    };
    const replaced = await makeLink();
    const open = await makeLink();
    await report(replaced);
    expect((await admin.store.exposure.leaks.list({ limit: 9 })).rows).toEqual([]);
    await report(`see ${open}.`);
    expect((await reset(open)).status).toBe(403);
    expect(await standing()).toBe(`passwordReset revoked ended ${iso(NOW_MS)}`);
    expect((await anonymousActs()).toSorted()).toEqual([
      "passwordReset.leaked",
      "passwordReset.revoked",
    ]);
    expect((await reset(await makeLink())).status).toBe(200);
  });

  it("is nobody's business where it opens nothing any more, or never did", async () => {
    const used = await invite("used@example.com");
    await join(used.secret);
    const late = await invite("late@example.com");
    admin.nowMs += 30 * 24 * HOUR_MS;
    const { secret: unknown } = createLoginSecret("session", admin.deps.randomBytes);
    await report(used.secret, late.secret, unknown);
    expect((await admin.store.exposure.leaks.list({ limit: 9 })).rows).toEqual([]);
  });
});
