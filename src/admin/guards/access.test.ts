import { readFileSync } from "node:fs";
import { createRoute, z } from "@hono/zod-openapi";
import { Hono } from "hono";
import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { type Principal, principalOf } from "../../core/access/principal.ts";
import { type Role, ROLES } from "../../core/access/role.ts";
import type { MemberId } from "../../core/ids/ids.ts";
import { type EnvironmentPlace, ACCESS_RULES } from "../access-rules.ts";
import type { AdminApp } from "../admin-app.ts";
import type { AdminEnv } from "../admin-deps.ts";
import { createAdminRouter } from "../admin-router.ts";
import { createRouteFinder, requirePermission } from "./access.ts";

type Kind = "development" | "production";
type Cell = "yes" | "no" | "outside production";
const GUARDED: Cell = "outside production";

interface Row {
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
  readonly cells: Readonly<Record<Role, Cell>>;
}

/** The page that people read says what is right: what the API does is held against it. */
function readPage(): readonly Row[] {
  const page = readFileSync(new URL("../../../docs/permissions.md", import.meta.url), "utf8");
  return [...page.matchAll(/^\| `(\w+)` \| `(\w+) (\S+)` \|(.*)\|$/gm)].map(
    ([, operationId = "", method = "", path = "", rest = ""]) => {
      const cells = rest
        .split("|")
        .slice(2)
        .map((cell) => cell.trim() as Cell);
      const byRole = Object.fromEntries(ROLES.map((role, index) => [role, cells[index]]));
      return { operationId, method, path, cells: byRole as Row["cells"] };
    },
  );
}

const ROWS = readPage();
const ANNA = "mem_01JZ6Y4V2S8W3N5R7T9X0B1C2D" as MemberId;
const memberOf = (role: Role) =>
  principalOf(role, { kind: "member", id: ANNA, name: "anna", memberId: ANNA });

describe("who may call which route", { timeout: 60_000 }, () => {
  const admin = adminUnderTest();

  let app: AdminApp;
  let asking: Principal;
  beforeEach(() => {
    app = admin.appWith({
      authenticator: { checksTokens: true, identify: () => Promise.resolve(asking) },
    });
  });
  const callAs = (principal: Principal, path: string, init?: RequestInit) => {
    asking = principal;
    return call(app, path, init);
  };
  /** Something in the environment, new each time: some routes remove what they are called with. */
  async function idIn(kind: Kind, place: EnvironmentPlace): Promise<string> {
    const scope = { kind: "environment", id: kind };
    if (place === "path.environment") return kind;
    if (place === "path.gatewayKey" || place === "body.gatewayKey")
      return create("/keys", { environment: kind, name: "bot" });
    if (place === "path.limit") {
      const ofKey = { kind: "key", id: await idIn(kind, "path.gatewayKey") };
      return create("/limits", { scope: ofKey, requestsPerMinute: 5 });
    }
    if (place === "path.budget") return create("/budgets", { scope, limitUsd: "1", period: "day" });
    if (place === "path.routingRule") {
      const model = `m-${admin.deps.ids.create("req")}`;
      return create("/routing-rules", { environment: kind, model, targetModel: "gpt-4o" });
    }
    if (place === "path.providerKey") return providerKeyIn(kind);
    if (place === "path.rotation") {
      const secret = ["sk", "proj", `next-${admin.deps.ids.create("req")}`].join("-");
      return create(`/provider-keys/${await providerKeyIn(kind)}/rotate`, { secret });
    }
    return "some-id";
  }

  async function create(path: string, body: unknown): Promise<string> {
    const { status, text, body: answer } = await admin.post(path, body);
    expect([status, text]).toEqual([201, text]);
    return (answer as { id: string }).id;
  }

  async function providerKeyIn(kind: Kind): Promise<string> {
    const name = `account-${admin.deps.ids.create("acc")}`;
    const account = { name, provider: "openai", kind: "organization" };
    expect((await admin.post("/provider-accounts", account)).status).toBe(201);
    const secret = ["sk", "proj", name].join("-");
    const body = { accountId: name, environment: kind, name: "main", secret };
    return ((await admin.post("/provider-keys", body)).body as { id: string }).id;
  }

  /** A request as the route wants it, as far as it says which environment it is about; null: it says none. */
  async function requestFor(row: Row, kind: Kind | null): Promise<[string, RequestInit]> {
    const rule = ACCESS_RULES[row.operationId];
    const about = typeof rule === "object" ? rule.about : "shared";
    const isPlace = about !== "shared" && about !== "organization";
    const id = kind === null || !isPlace ? "some-id" : await idIn(kind, about);
    let path = row.path.replaceAll(/\{\w+\}/g, id);
    if (kind !== null && about === "query.environment") path += `?environment=${kind}`;
    if (kind !== null && about === "query.scope") {
      path += `?scopeKind=environment&scopeId=${kind}`;
    }
    if (row.method === "GET" || row.method === "DELETE") return [path, { method: row.method }];
    const scope = { kind: "environment", ...(kind !== null && { id: kind }) };
    const key =
      about === "body.gatewayKey" && kind !== null ? { key: await idIn(kind, about) } : {};
    const body = kind === null ? { scope } : { environment: kind, scope, ...key };
    return [path, { ...postOf(body), method: row.method }];
  }

  async function isRefused(principal: Principal, row: Row, kind: Kind | null): Promise<boolean> {
    // Where the answer is the same for every environment, it is the same for what is in none.
    const isAlike = principal.reads === "all" && row.cells[principal.role ?? "owner"] !== GUARDED;
    const [path, init] = await requestFor(row, isAlike && row.path.includes("{") ? null : kind);
    const { status, body } = await callAs(principal, path, init);
    const code = (body as { error?: { code?: string } } | undefined)?.error?.code;
    // Without an id there is nothing to protect, and nothing is told of it.
    const isPathless = kind === null && row.path.includes("{") && code === "not_found" && !isAlike;
    expect([row.operationId, code === "permission_denied"]).toEqual([
      row.operationId,
      status === 403,
    ]);
    return status === 403 || isPathless;
  }

  it("has a line on the page for every route", () => {
    expect(ROWS.map(({ operationId }) => operationId).toSorted()).toEqual(
      Object.keys(ACCESS_RULES).toSorted(),
    );
    for (const { cells } of ROWS) {
      for (const cell of Object.values(cells))
        expect(cell).toMatch(/^(yes|no|outside production)$/);
    }
  });

  it.each(ROLES)("lets the role %s do what the page says, and no more", async (role) => {
    const wrong: string[] = [];
    for (const row of ROWS) {
      const cell = row.cells[role];
      for (const kind of ["development", "production", null] as const) {
        const expected = cell === "no" || (cell === GUARDED && kind !== "development");
        const isRight = (await isRefused(memberOf(role), row, kind)) === expected;
        if (!isRight) wrong.push(`${row.operationId} in ${kind ?? "none"}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("lets a developer into production who was given it, and out of everything else", async () => {
    const production = await admin.store.environments.findByName("production");
    if (!production) throw new Error("there is no production");
    const who = { kind: "member", id: "m", name: "anna" } as const;
    const developer = principalOf("developer", who, [production.id]);
    const guarded = ROWS.filter(({ cells }) => cells.developer === GUARDED);
    expect(guarded.length).toBeGreaterThan(10);
    for (const row of guarded) {
      const answers = [
        await isRefused(developer, row, "production"),
        await isRefused(developer, row, "development"),
      ];
      expect([row.operationId, answers]).toEqual([row.operationId, [false, true]]);
    }
  });

  it("keeps a token that is bound to an environment inside it, on every route", async () => {
    const development = await admin.store.environments.findByName("development");
    if (!development) throw new Error("there is no development");
    const ids = [development.id];
    const owner = principalOf("owner", { kind: "token", id: "t", name: "ci" });
    const bound = { ...owner, reads: ids, writes: ids };
    for (const row of ROWS) {
      const rule = ACCESS_RULES[row.operationId];
      if (typeof rule !== "object") continue;
      const { about } = rule;
      const answers = [
        await isRefused(bound, row, "development"),
        await isRefused(bound, row, "production"),
      ];
      const expected = about === "shared" ? [false, false] : [about === "organization", true];
      expect([row.operationId, answers]).toEqual([row.operationId, expected]);
    }
  });

  it("counts what cannot be told as every environment", async () => {
    const developer = memberOf("developer");
    const bodies = [
      {},
      { environment: null },
      { environment: ["development"] },
      { environment: { name: "development" } },
    ];
    for (const body of bodies) {
      const answer = await callAs(developer, "/keys", postOf(body));
      expect([body, answer.status]).toEqual([body, 403]);
    }
    const bound = { ...memberOf("owner"), reads: [], writes: [] };
    const twice = "/keys?environment=development&environment=production";
    expect((await callAs(bound, twice)).status).toBe(403);
    const scoped = { kind: "customer", id: "acme" };
    const limit = postOf({ scope: scoped, requestsPerMinute: 1 });
    expect((await callAs(developer, "/limits", limit)).status).toBe(403);
  });

  it("tells whoever has no permission nothing of what there is", async () => {
    const viewer = memberOf("viewer");
    const id = await idIn("development", "path.gatewayKey");
    const there = await callAs(viewer, `/keys/${id}/revoke`, postOf({}));
    const notThere = await callAs(
      viewer,
      `/keys/${admin.deps.ids.create("key")}/revoke`,
      postOf({}),
    );
    expect(there.status).toBe(403);
    expect(there.text).toBe(notThere.text);
    expect(there.text).toContain("`keys:write`");
  });

  it("names the environment and the permission that are missing", async () => {
    const developer = memberOf("developer");
    const body = { environment: "production", name: "bot" };
    const { text } = await callAs(developer, "/keys", postOf(body));
    expect(text).toContain("`anna` (developer) has the permission `keys:write`");
    expect(text).toContain("but not in the environment `production`");
    const unknown = await callAs(developer, "/keys", postOf({ ...body, environment: "no-such" }));
    expect(unknown.status).toBe(404);
  });

  it("lets nobody call a route that has no rule", async () => {
    const router = createAdminRouter();
    const route = createRoute({
      method: "get",
      path: "/secrets",
      operationId: "listSecrets",
      responses: { 200: { description: "", content: { "text/plain": { schema: z.string() } } } },
    });
    router.openapi(route, (context) => context.text("secret", 200));
    const other = new Hono<AdminEnv>();
    other.use((context, next) => {
      context.set("principal", memberOf("owner"));
      return next();
    });
    const places = { basePath: "/api", publicPath: "/api/document" };
    other.use(requirePermission(createRouteFinder(router, places), admin.deps));
    other.route("/api", router);
    other.get("/api/document", (context) => context.text("document"));
    other.get("/api/beside", (context) => context.text("secret"));
    for (const path of ["/api/secrets", "/api/beside"]) {
      const answer = await other.request(path);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.text()).not.toContain('"secret"');
    }
    expect((await other.request("/api/document")).status).toBe(200);
    expect((await other.request("/api/nothing")).status).toBe(404);
  });
});
