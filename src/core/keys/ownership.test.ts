import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountKindOf,
  isOwnershipConflict,
  isProviderAdminKey,
  type Ownership,
  ownershipOf,
  strongerOwnership,
  UNKNOWN_OWNERSHIP,
} from "./ownership.ts";

const secretOf = (...prefix: readonly string[]) => [...prefix, `${"x".repeat(40)}9fQa`].join("-");

describe("ownershipOf", () => {
  test.each([
    [secretOf("sk", "svcacct"), "service_account", "sk-svcacct-"],
    [secretOf("sk", "None"), "user", "sk-None-"],
    [secretOf("sk"), "user", "sk-"],
  ])("goes by the prefix of a secret, and names it", (secret, owner, detail) => {
    expect(ownershipOf({ secret })).toEqual({ owner, evidence: { source: "prefix", detail } });
  });

  test.each([
    secretOf("sk", "proj"),
    secretOf("sk", "admin"),
    secretOf("sk", "ant", "api03"),
    secretOf("gsk"),
    "",
  ])("does not guess from a prefix that tells nothing", (secret) => {
    expect(ownershipOf({ secret })).toEqual(UNKNOWN_OWNERSHIP);
  });

  test("takes an organization that is a person's for a person's secret, whatever the prefix", () => {
    const clues = { secret: secretOf("sk", "proj"), organizationHeader: "user-abc123" };
    expect(ownershipOf(clues)).toEqual({
      owner: "user",
      evidence: { source: "response", detail: "openai-organization: user-…" },
    });
  });

  test("learns nothing from another organization: whose the key is in it stays open", () => {
    expect(ownershipOf({ organizationHeader: "org-abc123" })).toEqual(UNKNOWN_OWNERSHIP);
    expect(
      ownershipOf({ secret: secretOf("sk", "svcacct"), organizationHeader: "org-1" }).owner,
    ).toBe("service_account");
  });

  test("believes the Admin API before everything else, and no word that it does not know", () => {
    const clues = { secret: secretOf("sk"), organizationHeader: "user-1" };
    expect(ownershipOf({ ...clues, adminOwnerType: "service_account" })).toEqual({
      owner: "service_account",
      evidence: { source: "admin_api", detail: "owner.type: service_account" },
    });
    expect(ownershipOf({ ...clues, adminOwnerType: "team" }).evidence?.source).toBe("response");
  });

  test("has nothing of the secret in its answer beyond a prefix that all of its type share", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (tail) => {
        const answer = JSON.stringify(ownershipOf({ secret: `sk-svcacct-${tail}` }));
        expect(answer).toBe(JSON.stringify(ownershipOf({ secret: "sk-svcacct-" })));
      }),
    );
  });
});

describe("strongerOwnership", () => {
  const byPrefix = ownershipOf({ secret: secretOf("sk", "svcacct") });
  const byResponse = ownershipOf({ organizationHeader: "user-1" });
  const byAdminApi = ownershipOf({ adminOwnerType: "service_account" });

  test("keeps the stronger source in whichever order they come", () => {
    const all: readonly Ownership[] = [byPrefix, byResponse, byAdminApi, UNKNOWN_OWNERSHIP];
    fc.assert(
      fc.property(fc.shuffledSubarray([...all], { minLength: 4 }), (order) => {
        expect(order.reduce(strongerOwnership)).toBe(byAdminApi);
      }),
    );
  });

  test("never forgets what is known for something that tells nothing", () => {
    expect(strongerOwnership(byPrefix, UNKNOWN_OWNERSHIP)).toBe(byPrefix);
  });
});

test("an unknown owner contradicts no declared kind, a known one the other kind", () => {
  expect(accountKindOf("unknown")).toBeUndefined();
  expect(isOwnershipConflict("organization", UNKNOWN_OWNERSHIP)).toBe(false);
  expect(isOwnershipConflict("organization", { owner: "user" })).toBe(true);
  expect(isOwnershipConflict("organization", { owner: "service_account" })).toBe(false);
  expect(isOwnershipConflict("personal", { owner: "service_account" })).toBe(true);
  expect(isOwnershipConflict("personal", { owner: "user" })).toBe(false);
});

test("tells an admin key of an organization from a key that calls models", () => {
  expect(isProviderAdminKey(secretOf("sk", "admin"))).toBe(true);
  expect(isProviderAdminKey(secretOf("sk", "proj"))).toBe(false);
});
