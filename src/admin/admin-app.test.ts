import { describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../test/support/admin-under-test.ts";
import { createAdminToken, hashAdminToken } from "../core/keys/admin-token.ts";
import { sampleAdminToken } from "../store/contract/samples.contract.ts";
import { createTokenAuthenticator } from "./authenticator.ts";
import { MAX_BODY_BYTES } from "./guards/json-body.ts";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

describe("the admin app", { timeout: 30_000 }, () => {
  const admin = adminUnderTest();

  function operations(): { method: string; path: string; operation: Operation }[] {
    const { paths } = admin.app.document() as unknown as { paths: Paths };
    return Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, "some-id"),
        operation,
      })),
    );
  }

  const insertToken = (token: string) =>
    admin.store.adminTokens.insert(sampleAdminToken({ hash: hashAdminToken(token) }));

  it("answers 401 on every route of its document without a token, and the same for every miss", async () => {
    const revoked = createAdminToken(admin.deps.randomBytes);
    await insertToken(revoked);
    await admin.store.adminTokens.revokeAll(2);
    const { adminTokens } = admin.store;
    const extraToken = "an extra token";
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        nowMs: Date.now,
        adminTokens,
        extraToken,
      }),
    });
    const misses = [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: "Bearer wrong" },
      { authorization: `Basic ${extraToken}` },
      { authorization: `Bearer ${extraToken.slice(0, -1)}` },
      { authorization: `Bearer ${revoked}` },
      { authorization: `Bearer ${createAdminToken(admin.deps.randomBytes)}` },
      { authorization: `Bearer ${"x".repeat(5000)}` },
    ];
    expect(operations().length).toBeGreaterThan(20);
    const bodies = new Set<string>();
    for (const { method, path, operation } of operations()) {
      if (operation.security?.length === 0) continue;
      const answer = await call(app, path, { method });
      expect([method, path, answer.status]).toEqual([method, path, 401]);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="keyward-admin"');
      bodies.add(answer.text);
    }
    for (const headers of misses) bodies.add((await call(app, "/projects", { headers })).text);
    bodies.add((await call(app, "/no-such-thing")).text);
    expect(bodies.size).toBe(1);
    expect([...bodies][0]).toContain("invalid_admin_token");
  });

  it("tells the log of a wrong token and of another origin, and of no mistake in a request", async () => {
    const refusals: unknown[] = [];
    const { adminTokens } = admin.store;
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        nowMs: Date.now,
        adminTokens,
        extraToken: "right",
      }),
      onRefusal: (refusal) => refusals.push(refusal),
    });
    const wrong = await call(app, "/keys?x=1", { headers: { authorization: "Bearer wrong" } });
    await call(app, "/keys", { headers: { origin: "https://evil.example" } });
    await call(app, "/keys?x=1", { headers: { authorization: "Bearer right" } });
    await call(app, "/keys/x", { headers: { authorization: "Bearer right" } });
    const requestId = wrong.headers.get("x-keyward-request-id");
    expect(refusals).toEqual([
      { requestId, method: "GET", path: "/api/v1/keys", code: "invalid_admin_token" },
      expect.objectContaining({ code: "origin_not_allowed" }),
    ]);
  });

  it("lets an active token of the store in, and the extra one", async () => {
    const token = createAdminToken(admin.deps.randomBytes);
    await insertToken(token);
    const { adminTokens } = admin.store;
    const extraToken = "extra-token-of-the-environment";
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        nowMs: Date.now,
        adminTokens,
        extraToken,
      }),
    });
    for (const authorization of [`Bearer ${token}`, `bearer  ${token} `, `Bearer ${extraToken}`]) {
      expect((await call(app, "/projects", { headers: { authorization } })).status).toBe(200);
    }
  });

  it("says so when the token cannot be checked, and lets nobody in", async () => {
    const token = createAdminToken(admin.deps.randomBytes);
    const { adminTokens } = admin.store;
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        nowMs: Date.now,
        adminTokens,
      }),
    });
    await admin.store.close();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await call(app, "/projects", { headers });
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ error: { code: "store_unavailable" } });
    expect(admin.faults.splice(0)).toMatchObject([{ code: "store_unavailable" }]);
  });

  it("gives its document, and nothing else, to anybody", async () => {
    const { adminTokens } = admin.store;
    const app = admin.appWith({
      authenticator: createTokenAuthenticator({
        ...admin.store.access,
        nowMs: Date.now,
        adminTokens,
      }),
    });
    const { status, body } = await call(app, "/openapi.json");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      openapi: "3.1.0",
      servers: [{ url: "/api/v1" }],
      security: [{ adminToken: [] }],
      components: { securitySchemes: { adminToken: { type: "http", scheme: "bearer" } } },
    });
    expect((await call(app, "/openapi.json/")).status).toBe(401);
    expect((await call(app, "//openapi.json")).status).toBe(401);
  });

  it("documents every operation by a unique id, a summary and its error answers", () => {
    const all = operations().map(({ operation }) => operation);
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    for (const { operationId, summary, responses } of all) {
      expect(operationId).toMatch(
        /^(list|create|get|update|end|remove|revoke|reprice|retry|estimate|export|test|watch|archive|pause|resume|increase|acknowledge|rotate|cancel|log|accept|verify|report|plan|begin|finish|confirm)[A-Z]/,
      );
      expect(summary).not.toBe("");
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(["400", "401", "403", "500"]));
    }
  });

  it("marks every answer as not to be kept, with a request id of its own", async () => {
    const ids = new Set<string | null>();
    for (const path of ["/projects", "/openapi.json", "/nope", "/projects?x=1", "/keys/x"]) {
      const { headers } = await admin.get(path);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      ids.add(headers.get("x-keyward-request-id"));
    }
    expect(ids.size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^req_[0-9A-Z]{26}$/);
  });

  it("refuses pages of other origins, also with a valid token, and answers its own", async () => {
    const host = "keyward.test:4141";
    const refused: Record<string, string>[] = [
      { host, origin: "https://evil.example" },
      { host, origin: "http://keyward.test:5173" },
      { host, origin: "null" },
      { host, "sec-fetch-site": "cross-site" },
      { host, "sec-fetch-site": "same-site", origin: "http://keyward.test:4141" },
      { origin: "http://keyward.test" },
    ];
    for (const headers of refused) {
      const answer = await admin.get("/projects", headers);
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(answer.body).toMatchObject({ error: { code: "origin_not_allowed" } });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
    const accepted: Record<string, string>[] = [
      {},
      { host, origin: "http://keyward.test:4141", "sec-fetch-site": "same-origin" },
      // TLS ends in front of us.
      { host: "keyward.test", origin: "https://keyward.test" },
      { host, "sec-fetch-site": "none" },
    ];
    for (const headers of accepted) {
      expect([headers, (await admin.get("/projects", headers)).status]).toEqual([headers, 200]);
    }
  });

  it.each([
    ["a body that is no JSON", "{", 400, "invalid_json"],
    ["an array", "[]", 400, "invalid_json"],
    ["null", "null", 400, "invalid_json"],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400, "invalid_json"],
    ["a body over the limit", `"${"x".repeat(MAX_BODY_BYTES)}"`, 413, "request_too_large"],
  ])("refuses %s", async (_what, body, status, code) => {
    const headers = { "content-type": "application/json" };
    const answer = await call(admin.app, "/projects", { method: "POST", headers, body });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code, type: "invalid_request_error" } });
  });

  it.each([
    ["limitUsd", '{"limitUsd":"1","period":"day","limitUsd":"1000"}'],
    ["limitUsd", '{"limitUsd":"1","period":"day","limit\\u0055sd":"1000"}'],
    ["scope.id", '{"scope":{"kind":"customer","id":"a","id":"b"}}'],
    ["a.b", '{"a":[{"b":1},{"b":1,"c":{},"b":{}}]}'],
  ])("refuses a body that has %s twice", async (param, body) => {
    const answer = await admin.post("/budgets", body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { code: "invalid_json", param } });
  });

  it("says where a body stops being JSON and repeats none of it", async () => {
    const secret = ["sk", "proj", "x".repeat(30)].join("-");
    const answer = await admin.post("/provider-keys", `{"secret": "${secret}",\n  nope}`);
    expect(answer.body).toMatchObject({ error: { code: "invalid_json" } });
    expect(answer.text).not.toContain(secret.slice(0, 12));
    const placed = await admin.post("/projects", '{\n  "name": "a"\n  "b": 1}');
    expect(placed.text).toContain("line 3, column 3");
  });

  it("refuses types and encodings that it does not read", async () => {
    const type = await admin.post("/projects", '{"name":"a"}', { "content-type": "text/plain" });
    expect(type.status).toBe(415);
    expect(type.body).toMatchObject({ error: { code: "unsupported_content_type" } });
    const encoding = await admin.post("/projects", '{"name":"a"}', { "content-encoding": "gzip" });
    expect(encoding.status).toBe(415);
    expect(encoding.body).toMatchObject({ error: { code: "unsupported_content_encoding" } });
    const charset = { "content-type": "Application/JSON; charset=utf-8" };
    expect((await admin.post("/projects", '{"name":"a"}', charset)).status).toBe(201);
  });

  it("refuses an unknown field or parameter by name on every route, with the nearest one it knows", async () => {
    for (const { method, path, operation } of operations()) {
      // A provider's answer, to which it may add what it likes.
      if (operation.operationId === "finishIdentityLogin") continue;
      const query = await call(admin.app, `${path}?not-known=1`, { method });
      expect([path, query.body]).toEqual([path, expect.anything()]);
      expect(query.body).toMatchObject({
        error: {
          code: "invalid_argument",
          problems: expect.arrayContaining([expect.objectContaining({ param: "not-known" })]),
        },
      });
      if (method !== "POST") continue;
      // An array, in whose members GitHub may write what it likes.
      if (operation.operationId === "reportGithubLeaks") continue;
      const body = await call(admin.app, path, postOf({ "not-known": 1, __proto__x: 2 }));
      expect(body.status).toBe(400);
      expect(body.text).toContain("`not-known` is not a known field");
    }
    const hint = await admin.post("/customers", { external_id: "acme" });
    expect(hint.text).toContain("`external_id` is not a known field; did you mean `externalId`?");
    const proto = await admin.post("/projects", '{"name": "a", "__proto__": {"b": 1}}');
    expect(proto.body).toMatchObject({ error: { param: "__proto__" } });
  });

  it("answers 404 in the same shape for what it does not serve", async () => {
    for (const init of [{}, { method: "DELETE" }, { method: "PATCH" }]) {
      const answer = await call(admin.app, "/no/such/thing", init);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({
        error: { type: "invalid_request_error", param: null, code: "unknown_url" },
      });
    }
  });

  it("keeps a fault's detail to the log, under the answer's request id", async () => {
    const app = admin.appWith({
      serverInfo: {
        version: "1",
        startedAtMs: null,
        processId: null,
        get urls(): readonly string[] {
          throw new Error("/etc/secret-place is on fire");
        },
      },
    });
    const answer = await call(app, "/status");
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ error: { type: "server_error", code: "internal_error" } });
    expect(answer.text).not.toContain("fire");
    const requestId = answer.headers.get("x-keyward-request-id");
    expect(answer.text).toContain(requestId);
    const [fault, ...others] = admin.faults.splice(0);
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ requestId, method: "GET", path: "/api/v1/status" });
    expect(String(fault?.error)).toContain("fire");
  });

  it("gives no secret away in any answer", async () => {
    const secret = ["sk", "proj", "planted".repeat(6)].join("-");
    const account = await admin.post("/provider-accounts", {
      name: "main",
      provider: "openai",
      kind: "organization",
    });
    const { id: accountId } = account.body as { id: string };
    const body = { accountId, environment: "production", name: "main", secret };
    const added = await admin.post("/provider-keys", body);
    const issued = await admin.post("/keys", { environment: "production", name: "bot" });
    const { id, key } = issued.body as { id: string; key: string };
    const gatewayKey = (await admin.store.gatewayKeys.list({ limit: 1 })).rows[0];
    const providerKey = (await admin.store.providerKeys.list({ limit: 1 })).rows[0];
    if (!gatewayKey || !providerKey) throw new Error("the keys are not in the store");
    const planted = [
      secret,
      key,
      gatewayKey.hash,
      Buffer.from(providerKey.sealed.ciphertext).toString("base64"),
      Buffer.from(providerKey.sealed.ciphertext).toString("hex"),
    ];
    const texts = [added.text, (await admin.post("/provider-keys", body)).text];
    const ids = [id, providerKey.id, accountId, "some-id"];
    for (const { method, path } of operations()) {
      for (const each of ids) {
        texts.push((await call(admin.app, path.replace("some-id", each), { method })).text);
      }
    }
    for (const text of texts) for (const word of planted) expect(text).not.toContain(word);
  });
});
