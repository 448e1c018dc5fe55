import { describe, expect, it } from "vitest";
import { describeStanding, leakRemedyOf, leaksBeside } from "./describe-trouble.ts";

type Leak = Parameters<typeof leaksBeside>[0][number];
type StolenSecret = Parameters<typeof leaksBeside>[1][number];

const LEAK: Leak = {
  id: "lek_1",
  kind: "providerKey",
  subjectId: "pky_1",
  name: "main",
  preview: "sk-…abcd",
  environmentId: "env_1",
  environment: "production",
  outcome: "still_valid",
  place: null,
  source: null,
  address: null,
  reportedAt: "2026-01-31T09:30:00.000Z",
  standing: "valid",
  endedAt: null,
  isOldSecret: false,
  replacedBy: null,
};
const OLD: Leak = {
  ...LEAK,
  isOldSecret: true,
  replacedBy: { rotationId: "rot_1", hasEnded: true },
};

describe("a provider's secret that has leaked", () => {
  it("is to be replaced while it is its key's", () => {
    expect(describeStanding(LEAK)).toBe("valid");
    expect(leakRemedyOf(LEAK)).toBe("keyward provider-keys rotate pky_1 --compromise");
  });

  it("is to be deleted once its key has another, which is left alone", () => {
    expect(describeStanding(OLD)).toBe("old secret, valid");
    for (const standing of ["valid", "unknown"] as const) {
      const remedy = leakRemedyOf({ ...OLD, standing });
      expect(remedy).not.toContain("provider-keys rotate");
      expect(remedy).toMatch(/delete the old secret.*keyward rotations confirm-revoked rot_1$/);
    }
    expect(leakRemedyOf({ ...OLD, replacedBy: null })).toMatch(/delete the old secret/);
  });

  it("is to be ended by the rotation that waits for its grace", () => {
    const replacedBy = { rotationId: "rot_1", hasEnded: false };
    expect(leakRemedyOf({ ...OLD, replacedBy })).toBe("keyward rotations revoke-old rot_1");
  });

  it("is told of once where it is a stolen secret that is reminded of already", () => {
    const stolen = { rotationId: "rot_1" } as StolenSecret;
    expect(leaksBeside([OLD, LEAK], [stolen])).toEqual([LEAK]);
    expect(leaksBeside([OLD, LEAK], [])).toEqual([OLD, LEAK]);
  });
});
