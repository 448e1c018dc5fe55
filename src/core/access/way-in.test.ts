import { describe, expect, it } from "vitest";
import type { Permission } from "./permission.ts";
import { principalOf, tokenPrincipalOf } from "./principal.ts";
import { PERMISSIONS_OF_ROLE, ROLES } from "./role.ts";
import { mayLetIn, mayStandInFor } from "./way-in.ts";

const TOKEN = { kind: "token", id: "adm_ci", name: "ci" } as const;
const tokenOf = (...permissions: Permission[]) =>
  tokenPrincipalOf(TOKEN, { role: null, permissions, environments: null });
const asked = (may: typeof mayLetIn, principal: ReturnType<typeof tokenOf>) =>
  ROLES.filter((role) => may(principal, role));

describe("a way in for somebody else", () => {
  it("is made by an owner for everybody", () => {
    const owner = principalOf("owner", TOKEN);
    expect(asked(mayLetIn, owner)).toEqual(ROLES);
    expect(asked(mayStandInFor, owner)).toEqual(ROLES);
  });

  it("is made by an admin for others who become admins, but not into an account of one", () => {
    const admin = principalOf("admin", TOKEN);
    expect(asked(mayLetIn, admin)).toEqual(["admin", "developer", "billing", "viewer"]);
    expect(asked(mayStandInFor, admin)).toEqual(["developer", "billing", "viewer"]);
    const within = principalOf("owner", { ...TOKEN, within: admin });
    expect(asked(mayLetIn, within)).toEqual(asked(mayLetIn, admin));
    expect(asked(mayStandInFor, within)).toEqual(asked(mayStandInFor, admin));
  });

  it("is made with single permissions only for who has no other", () => {
    for (const may of [mayLetIn, mayStandInFor]) {
      expect(asked(may, tokenOf("members:write"))).toEqual([]);
      expect(asked(may, tokenOf("members:write", ...PERMISSIONS_OF_ROLE.viewer))).toEqual([
        "viewer",
      ]);
      expect(asked(may, tokenOf(...PERMISSIONS_OF_ROLE.developer))).toEqual([
        "developer",
        "viewer",
      ]);
    }
    expect(asked(mayStandInFor, tokenOf(...PERMISSIONS_OF_ROLE.owner))).toEqual([
      "developer",
      "billing",
      "viewer",
    ]);
  });
});
