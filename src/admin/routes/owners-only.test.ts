import { expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS, postOf } from "../../../test/support/admin-under-test.ts";
import { principalOf, tokenPrincipalOf } from "../../core/access/principal.ts";
import { TRUST_CALLER } from "../authenticator.ts";

const admin = adminUnderTest();

const appOf = (role: "owner" | "admin") =>
  admin.appWith({
    authenticator: {
      ...TRUST_CALLER,
      identify: () => Promise.resolve(principalOf(role, { kind: "token", id: role, name: role })),
    },
  });

it("lets only an owner revoke a token of an owner", async () => {
  const made = await admin.post("/admin-tokens", { name: "of the owner", role: "owner" });
  const { id } = made.body as { id: string };
  const path = `/admin-tokens/${id}/revoke`;
  expect((await call(appOf("admin"), path, postOf({}))).status).toBe(403);
  expect((await admin.store.adminTokens.findById(id as never))?.revokedAtMs).toBeNull();
  expect((await call(appOf("owner"), path, postOf({}))).status).toBe(200);
});

it("lets nobody be made more than who makes them: a token of members:write alone invites, raises and stands in for nobody", async () => {
  const who = { kind: "token", id: "t", name: "t" } as const;
  const permissions = ["members:write"] as const;
  const principal = tokenPrincipalOf(who, { role: null, permissions, environments: null });
  const identify = () => Promise.resolve(principal);
  const app = admin.appWith({ authenticator: { ...TRUST_CALLER, identify } });
  const id = admin.deps.ids.create("mem");
  await admin.store.access.members.insert({
    id,
    email: "dev@example.com",
    name: null,
    role: "developer",
    environments: [],
    passwordHash: null,
    subject: null,
    createdAtMs: NOW_MS,
    lastLoginAtMs: null,
    removedAtMs: null,
  });
  const patch = (body: object) => call(app, `/members/${id}`, { ...postOf(body), method: "PATCH" });
  const invite = (role: string) =>
    call(app, "/invitations", postOf({ email: "new@example.com", role }));
  const refused = await Promise.all([
    invite("admin"),
    invite("viewer"),
    patch({ role: "admin" }),
    patch({ environments: ["production"] }),
    call(app, `/members/${id}/password-reset`, postOf({})),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
  const found = await admin.store.access.members.findById(id);
  expect(found).toMatchObject({ role: "developer", environments: [] });
  expect((await patch({ name: "Dev" })).status).toBe(200);
  expect(
    (await call(appOf("admin"), "/invitations", postOf({ email: "b@x.yz", role: "admin" }))).status,
  ).toBe(201);
});

it("lets only an owner revoke the invitation of an owner, by another one as well", async () => {
  const email = "anna@example.com";
  const made = await admin.post("/invitations", { email, role: "owner" });
  const path = `/invitations/${(made.body as { id: string }).id}/revoke`;
  const app = appOf("admin");
  expect((await call(app, path, postOf({}))).status).toBe(403);
  expect((await call(app, "/invitations", postOf({ email, role: "viewer" }))).status).toBe(403);
  expect((await call(appOf("owner"), path, postOf({}))).status).toBe(200);
});
