import { beforeEach, describe, expect, it } from "vitest";
import {
  adminUnderTest,
  call,
  NOW_MS,
  postOf,
  type RawAnswer,
} from "../../../test/support/admin-under-test.ts";
import type { ProviderKeyId } from "../../core/ids/ids.ts";
import { createAdminToken, hashAdminToken } from "../../core/keys/admin-token.ts";
import { createGatewayKey } from "../../core/keys/gateway-key.ts";
import { sampleRotation } from "../../store/contract/rotations.contract.ts";
import { sampleAdminToken } from "../../store/contract/samples.contract.ts";
import type { AdminApp } from "../admin-app.ts";
import { createTokenAuthenticator } from "../authenticator.ts";

describe("reports of leaked keys", { timeout: 60_000 }, () => {
  const admin = adminUnderTest();
  const SETTING = "a-token-of-the-settings";
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

  const from = (address: string, path: string, body: unknown): Promise<Response> =>
    app.fetch(new Request(`http://keyward.test/api/v1${path}`, postOf(body)), { address });
  const report = (body: unknown): Promise<RawAnswer> => call(app, "/leaks", postOf(body));
  const providerSecret = () => ["sk", "proj", admin.deps.ids.create("req").repeat(2)].join("-");

  async function issue(environment: string): Promise<{ id: string; key: string }> {
    const answer = await admin.post("/keys", { environment, name: "support-bot" });
    return answer.body as { id: string; key: string };
  }
  const statusOf = async (id: string) =>
    ((await admin.get(`/keys/${id}`)).body as { status: string }).status;
  const leaks = async () => (await admin.store.exposure.leaks.list({ limit: 100 })).rows;
  const audited = async () =>
    (await admin.store.audit.list({ limit: 100 }, {})).rows.filter(
      ({ actor }) => actor.name === "anonymous",
    );
  const setMode = (environment: string, mode: string) =>
    call(admin.app, `/environments/${environment}/policy`, {
      ...postOf({ rules: { leaked_keys: mode } }),
      method: "PATCH",
    });
  async function addProviderKey(secret: string): Promise<string> {
    const account = { name: "main", provider: "openai", kind: "organization" };
    const { id: accountId } = (await admin.post("/provider-accounts", account)).body as {
      id: string;
    };
    const body = { accountId, environment: "production", name: "main", secret };
    return ((await admin.post("/provider-keys", body)).body as { id: string }).id;
  }

  it("revoke a gateway key of production at once, by nobody known, from the report's address", async () => {
    const { id, key } = await issue("production");
    const url = "https://example.com/repository/blob/main.js?token=1";
    const answer = await from("192.0.2.7", "/leaks", { key, url, source: "commit" });
    expect([answer.status, await answer.json()]).toEqual([202, { received: 1 }]);
    expect(await statusOf(id)).toBe("revoked");
    expect(await leaks()).toMatchObject([
      {
        kind: "gatewayKey",
        subjectId: id,
        outcome: "revoked",
        place: "https://example.com/repository/blob/main.js",
        source: "commit",
        address: "192.0.2.7",
      },
    ]);
    const entries = await audited();
    expect(entries.map(({ action }) => action).toSorted()).toEqual([
      "gatewayKey.leaked",
      "gatewayKey.revoked",
    ]);
    for (const { address, target } of entries) {
      expect([address, target.id]).toEqual(["192.0.2.7", id]);
    }
    expect(await admin.store.changes.listSince(0, 1000)).toContainEqual(
      expect.objectContaining({ kind: "gatewayKey", entityId: id }),
    );
  });

  it("have one answer for hit and miss: status, body, headers; and take as long", async () => {
    const { key } = await issue("production");
    const token = createAdminToken(admin.deps.randomBytes);
    await admin.store.adminTokens.insert(sampleAdminToken({ hash: hashAdminToken(token) }));
    const secret = providerSecret();
    await addProviderKey(secret);
    const unknown = createGatewayKey("production", admin.deps.randomBytes);
    const answers: string[] = [];
    for (const found of [key, key, unknown, token, secret, "anything at all", SETTING]) {
      const startedMs = performance.now();
      const { status, headers, text } = await report({ key: found });
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(190);
      const names = [...headers]
        .filter(([name]) => name !== "x-keyward-request-id")
        .map((pair) => pair.join(": "));
      answers.push(JSON.stringify([status, text, names]));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await leaks()).toHaveLength(4);
  });

  it("find a secret as it was copied: in quotes, behind a name, in an address", async () => {
    const forms = [
      (key: string) => `"${key}"`,
      (key: string) => `${key},`,
      (key: string) => `export OPENAI_API_KEY=${key}`,
      (key: string) => `https://user:${key}@example.com/v1`,
      (key: string) => `${key}\u200b`,
      (key: string) => `\ufeff<${key}>\\n`,
      (key: string) => `const headers = { authorization: 'Bearer ${key}' };`,
    ];
    const issued = await Promise.all(forms.map(() => issue("production")));
    const secret = providerSecret();
    const providerKeyId = await addProviderKey(secret);
    const texts = issued.map(({ key }, n) => ({ key: forms[n]?.(key) ?? "" }));
    const answer = await report({ leaks: [...texts, { key: `openai_key: "${secret}",` }] });
    expect(answer.body).toEqual({ received: forms.length + 1 });
    for (const { id } of issued) expect(await statusOf(id)).toBe("revoked");
    expect(await leaks()).toHaveLength(forms.length + 1);
    expect(await leaks()).toContainEqual(
      expect.objectContaining({ subjectId: providerKeyId, outcome: "still_valid" }),
    );
  });

  it("only tell where the policy warns, only note where it is off, and revoke once it enforces", async () => {
    await setMode("production", "warn");
    await setMode("staging", "off");
    const [warned, noted] = [await issue("production"), await issue("staging")];
    const keys = [warned, warned, noted].map(({ key }) => ({ key }));
    expect((await report({ leaks: keys })).body).toEqual({ received: 3 });
    expect(await leaks()).toMatchObject([
      { subjectId: noted.id, outcome: "noted" },
      { subjectId: warned.id, outcome: "still_valid" },
    ]);
    expect([await statusOf(warned.id), await statusOf(noted.id)]).toEqual(["active", "active"]);
    await setMode("production", "enforce");
    await report({ key: warned.key });
    expect(await statusOf(warned.id)).toBe("revoked");
    expect(await leaks()).toHaveLength(3);
  });

  it("end an old secret within its overlap, and leave the key its own; after the overlap do nothing", async () => {
    const { id, key: old } = await issue("production");
    const rotate = (overlapSeconds: number) => admin.post(`/keys/${id}/rotate`, { overlapSeconds });
    const { key: current } = (await rotate(3600)).body as { key: string };
    await report({ key: old });
    expect((await admin.get(`/keys/${id}`)).body).toMatchObject({
      status: "active",
      oldSecrets: [],
    });
    expect(await leaks()).toMatchObject([{ outcome: "old_secret_ended" }]);
    await report({ key: old });
    expect(await leaks()).toHaveLength(1);
    await report({ key: current });
    expect(await statusOf(id)).toBe("revoked");
    expect(await leaks()).toHaveLength(2);
  });

  it("revoke an admin token, and tell of a provider key and of the setting's token without touching them", async () => {
    const token = createAdminToken(admin.deps.randomBytes);
    const record = sampleAdminToken({ hash: hashAdminToken(token), name: "ci" });
    await admin.store.adminTokens.insert(record);
    const secret = providerSecret();
    const providerKeyId = await addProviderKey(secret);
    const leaked = [` ${token}\n`, secret, SETTING].map((key) => ({ key }));
    await report({ leaks: leaked });
    const found = (await leaks()).map(({ kind, subjectId, outcome }) =>
      [kind, subjectId, outcome].join(),
    );
    expect(found.toSorted()).toEqual([
      "adminToken,KEYWARD_ADMIN_TOKEN,still_valid",
      `adminToken,${record.id},revoked`,
      `providerKey,${providerKeyId},still_valid`,
    ]);
    const authorization = `Bearer ${token}`;
    expect((await call(app, "/projects", { headers: { authorization } })).status).toBe(401);
    const key = await admin.store.providerKeys.findById(
      providerKeyId as Parameters<typeof admin.store.providerKeys.findById>[0],
    );
    expect(key?.revokedAtMs).toBeNull();
  });

  it("end with an admin token what it has made: links, and tokens also by way of one that was revoked", async () => {
    const owner = createAdminToken(admin.deps.randomBytes);
    await admin.store.adminTokens.insert(sampleAdminToken({ hash: hashAdminToken(owner) }));
    const made = async (path: string, body: object, token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await call(app, path, postOf(body, headers));
      expect(answer.status).toBe(201);
      return answer.body as { id: string; token: string; link: string };
    };
    const body = { name: "made", role: "owner" };
    const child = await made("/admin-tokens", body, owner);
    const grandchild = await made("/admin-tokens", body, child.token);
    const about = { email: "thief@example.com", role: "owner" };
    const { link } = await made("/invitations", about, grandchild.token);
    expect((await admin.post(`/admin-tokens/${child.id}/revoke`)).status).toBe(200);
    const isLetIn = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await call(app, "/me", { headers })).status;
    };
    expect(await isLetIn(grandchild.token)).toBe(200);
    await report({ key: owner });
    expect(await isLetIn(grandchild.token)).toBe(401);
    const join = { secret: link.split("#")[1], password: "correct horse battery" };
    expect((await call(app, "/invitations/accept", postOf(join))).status).toBe(403);
    const actions = (await audited()).map(({ action }) => action);
    expect(actions.filter((action) => action === "adminToken.revoked")).toHaveLength(2);
    expect(actions).toContain("invitation.revoked");
  });

  it("tell of a provider's old secret until it is known to be refused, and of an account's admin key", async () => {
    const [current, valid, dead, admins] = Array.from({ length: 4 }, providerSecret);
    const fingerprint = (secret = "") => admin.vault.fingerprint(secret);
    const key = await admin.store.providerKeys.findById(
      (await addProviderKey(current ?? "")) as ProviderKeyId,
    );
    if (key === undefined) throw new Error("no key");
    const { rotations, adminKeys } = admin.store.rotation;
    for (const [secret, oldFate] of [
      [valid, "unknown"],
      [dead, "refused"],
      // Under way: the old one is still the key's own.
      [current, null],
    ] as const) {
      const rotation = sampleRotation(key);
      const old = { ...rotation.old, fingerprint: await fingerprint(secret), preview: "sk-…old" };
      const endedAtMs = oldFate === null ? null : NOW_MS;
      await rotations.insert({ ...rotation, old, oldFate, endedAtMs });
    }
    const { accountId, sealed } = key;
    const of = { preview: "sk-admin-…1", createdBy: "local", createdAtMs: NOW_MS };
    const print = await fingerprint(admins);
    await adminKeys.put({ ...of, accountId, version: 1, sealed, fingerprint: print });
    await report({ leaks: [current, valid, dead, admins].map((secret) => ({ key: secret })) });
    const found = (await leaks()).map(({ kind, subjectId, name, preview, outcome }) =>
      [kind, subjectId, name, preview, outcome].join(),
    );
    expect(found.toSorted()).toEqual(
      [
        `providerAdminKey,${accountId},main,sk-admin-…1,still_valid`,
        `providerKey,${key.id},main,sk-…old,old_secret_valid`,
        `providerKey,${key.id},main,${key.preview},still_valid`,
      ].toSorted(),
    );
  });

  it("are one act and one leak, however many come at the same moment", async () => {
    const { key } = await issue("production");
    await Promise.all(Array.from({ length: 5 }, () => report({ key })));
    expect(await leaks()).toHaveLength(1);
    expect(await audited()).toHaveLength(2);
  });

  it("come in GitHub's shape as well, with fields that are not known yet", async () => {
    const { id, key } = await issue("production");
    const body = [
      { token: key, type: "keyward_key", url: "https://example.com/a", source: "content", x: 1 },
      { token: "something else", type: "keyward_key" },
    ];
    const answer = await call(app, "/leaks/github", postOf(body));
    expect([answer.status, answer.body]).toEqual([202, { received: 2 }]);
    expect(await statusOf(id)).toBe("revoked");
    expect((await call(app, "/leaks/github", postOf({ token: key }))).status).toBe(400);
    expect((await report([{ key }])).status).toBe(400);
  });

  it("are refused for what they lack, and no answer repeats what was found", async () => {
    const secret = createGatewayKey("production", admin.deps.randomBytes);
    const wrong = [
      {},
      { key: secret, leaks: [{ key: secret }] },
      { leaks: [] },
      { leaks: Array.from({ length: 101 }, () => ({ key: secret })) },
      { key: secret.repeat(100) },
      { key: 7, url: secret },
      { key: secret, url: [secret] },
    ];
    for (const body of wrong) {
      const { status, text } = await report(body);
      expect(status).toBe(400);
      expect(text).not.toContain(secret);
    }
    expect(await leaks()).toEqual([]);
  });

  it("are kept without the secret, in every column of every table", async () => {
    const { key } = await issue("production");
    const other = createGatewayKey("production", admin.deps.randomBytes);
    const url = `https://example.com/${key}?x=${key}`;
    await report({
      leaks: [
        { key, url, source: key },
        { key: other, url: `https://a.b/${other}` },
      ],
    });
    const { readFile } = await import("node:fs/promises");
    for (const suffix of ["", "-wal"]) {
      const file = await readFile(`${admin.databasePath}${suffix}`).catch(() => Buffer.alloc(0));
      expect([suffix, file.includes(key), file.includes(other)]).toEqual([suffix, false, false]);
    }
    expect(await leaks()).toMatchObject([{ place: null, source: null }]);
  });

  it("are throttled for each address, by whom the trusted proxy names, with nothing looked at", async () => {
    const { id, key } = await issue("production");
    app = admin.appWith({
      clientAddressOf: ({ address }, headers) => headers.get("x-forwarded-for") ?? address,
    });
    const send = (client: string) =>
      call(app, "/leaks", postOf({ key: "noise" }, { "x-forwarded-for": client }));
    await Promise.all(Array.from({ length: 20 }, () => send("192.0.2.1")));
    const refused = await call(app, "/leaks", postOf({ key }, { "x-forwarded-for": "192.0.2.1" }));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
    expect(await statusOf(id)).toBe("active");
    expect((await send("192.0.2.2")).status).toBe(202);
    admin.nowMs = NOW_MS + 3000;
    await call(app, "/leaks", postOf({ key }, { "x-forwarded-for": "192.0.2.1" }));
    expect(await statusOf(id)).toBe("revoked");
  });

  it("are answered with 503 while the store does not answer, whatever was found, and change nothing by halves", async () => {
    const { id, key } = await issue("production");
    const direct = admin.deps.store;
    const broken = admin.appWith({
      store: new Proxy(direct, {
        get(target, name) {
          if (name === "transaction") return () => Promise.reject(new Error("connection lost"));
          const own: unknown = Reflect.get(target, name, target);
          return typeof own === "function" ? (own.bind(target) as unknown) : own;
        },
      }),
      onFault: () => undefined,
    });
    const statuses = [];
    for (const found of [key, "noise"]) {
      const { status, headers } = await call(broken, "/leaks", postOf({ key: found }));
      statuses.push([status, headers.get("content-type")]);
    }
    expect(new Set(statuses.map(String)).size).toBe(1);
    expect(statuses[0]?.[0]).toBe(503);
    expect(await statusOf(id)).toBe("active");
  });

  it("are listed for who may read keys, with where each was found", async () => {
    const { id, key } = await issue("production");
    await report({ key, url: "https://example.com/a" });
    const { data } = (await admin.get("/leaks")).body as { data: object[] };
    expect(data).toEqual([
      expect.objectContaining({
        kind: "gatewayKey",
        subjectId: id,
        name: "support-bot",
        environment: "production",
        outcome: "revoked",
        place: "https://example.com/a",
        reportedAt: new Date(NOW_MS).toISOString(),
      }),
    ]);
    expect(JSON.stringify(data)).not.toContain("fingerprint");
    expect((await call(app, "/leaks")).status).toBe(401);
  });
});
