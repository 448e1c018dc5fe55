import { describe, expect, it } from "vitest";
import { PERMISSIONS, type Permission } from "./permission.ts";
import { PERMISSIONS_OF_ROLE, ROLES } from "./role.ts";

const rolesWith = (permission: Permission) =>
  ROLES.filter((role) => PERMISSIONS_OF_ROLE[role].has(permission));

describe("roles", () => {
  it("leave people, their tokens and the audit log to owners and admins", () => {
    const permissions = PERMISSIONS.filter((one) => /^(members|tokens|audit):/.test(one));
    expect(permissions).toHaveLength(5);
    for (const permission of permissions) expect(rolesWith(permission)).toEqual(["owner", "admin"]);
  });

  it("let keys and secrets be changed by owners, admins and developers alone", () => {
    for (const permission of ["keys:write", "provider-keys:write", "policy:write"] as const) {
      expect(rolesWith(permission)).toEqual(["owner", "admin", "developer"]);
    }
  });

  it("let money be changed by owners, admins and billing alone", () => {
    for (const permission of ["budgets:write", "prices:write", "usage:write"] as const) {
      expect(rolesWith(permission)).toEqual(["owner", "admin", "billing"]);
    }
  });

  it("let a viewer change nothing", () => {
    const permissions = [...PERMISSIONS_OF_ROLE.viewer];
    expect(permissions).toContain("usage:read");
    expect(permissions.filter((one) => !one.endsWith(":read"))).toEqual([]);
  });
});
