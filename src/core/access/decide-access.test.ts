import { describe, expect, it } from "vitest";
import type { EnvironmentId } from "../ids/ids.ts";
import { decideAccess } from "./decide-access.ts";
import { type Principal, principalOf } from "./principal.ts";

const staging = { id: "env_staging" as EnvironmentId, kind: "staging" } as const;
const production = { id: "env_production" as EnvironmentId, kind: "production" } as const;
const other = { id: "env_other" as EnvironmentId, kind: "production" } as const;
const ANNA = { kind: "member", id: "mem_anna", name: "anna" } as const;

const decideKeys = (principal: Principal) =>
  [staging, production, other, "all"].map((target) =>
    decideAccess(principal, "keys:write", target as typeof staging),
  );

describe("access", () => {
  it("is refused without the permission, whatever it is about", () => {
    for (const target of ["shared", "organization", "all", staging] as const) {
      expect(decideAccess(principalOf("viewer", ANNA), "keys:write", target)).toBe("no_permission");
    }
  });

  it("to production's keys is no developer's", () => {
    const [inStaging, ...others] = decideKeys(principalOf("developer", ANNA));
    expect(inStaging).toBe("allowed");
    expect(new Set(others)).toEqual(new Set(["other_environment"]));
  });

  it("is a developer's in exactly the environments that were given", () => {
    expect(decideKeys(principalOf("developer", ANNA, [production.id]))).toEqual([
      "other_environment",
      "allowed",
      "other_environment",
      "other_environment",
    ]);
    expect(new Set(decideKeys(principalOf("developer", ANNA, [])))).toEqual(
      new Set(["other_environment"]),
    );
  });

  it("to what can be seen is a developer's everywhere", () => {
    const developer = principalOf("developer", ANNA, [staging.id]);
    for (const target of ["all", production, "organization"] as const) {
      expect(decideAccess(developer, "keys:read", target)).toBe("allowed");
    }
  });

  it("of whoever is bound to environments ends there, for reading too", () => {
    const bound = { ...principalOf("owner", ANNA), reads: [staging.id], writes: [staging.id] };
    expect(decideAccess(bound, "usage:read", staging)).toBe("allowed");
    for (const target of [production, "all", "organization"] as const) {
      expect(decideAccess(bound, "usage:read", target)).toBe("other_environment");
    }
    expect(decideAccess(bound, "members:write", "organization")).toBe("other_environment");
    expect(decideAccess(bound, "prices:read", "shared")).toBe("allowed");
  });
});
