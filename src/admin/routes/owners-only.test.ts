import { expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { principalOf } from "../../core/access/principal.ts";
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

it("lets only an owner revoke the invitation of an owner, by another one as well", async () => {
  const email = "anna@example.com";
  const made = await admin.post("/invitations", { email, role: "owner" });
  const path = `/invitations/${(made.body as { id: string }).id}/revoke`;
  const app = appOf("admin");
  expect((await call(app, path, postOf({}))).status).toBe(403);
  expect((await call(app, "/invitations", postOf({ email, role: "viewer" }))).status).toBe(403);
  expect((await call(appOf("owner"), path, postOf({}))).status).toBe(200);
});
