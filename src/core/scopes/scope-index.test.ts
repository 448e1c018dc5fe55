import { describe, expect, it } from "vitest";
import type { Id } from "../ids/ids.ts";
import { ScopeIndex } from "./scope-index.ts";
import { SCOPE_KINDS, type Scope, type ScopedCall } from "./scope.ts";

const call: ScopedCall = {
  projectId: "prj_1" as Id<"prj">,
  environmentId: "env_1" as Id<"env">,
  gatewayKeyId: "key_1" as Id<"key">,
  customer: "acme",
  feature: null,
  providerAccountId: "acc_1" as Id<"acc">,
};

function visited(scopes: readonly Scope[], of: ScopedCall = call): string[] {
  const found: string[] = [];
  const index = new ScopeIndex(scopes.map((scope) => ({ scope })));
  index.visit(of, ({ scope }, subject) => {
    found.push(`${scope.kind}:${scope.id ?? "*"}=${subject}`);
  });
  return found;
}

describe("ScopeIndex", () => {
  it("finds what names the call's own, and what holds for each one", () => {
    expect(
      visited([
        { kind: "customer", id: "acme" },
        { kind: "customer", id: "other" },
        { kind: "customer", id: null },
        { kind: "organization", id: null },
        { kind: "key", id: "key_1" },
      ]),
    ).toEqual(["organization:*=", "key:key_1=key_1", "customer:acme=acme", "customer:*=acme"]);
  });

  it("passes over kinds of which the call has none", () => {
    expect(visited([{ kind: "feature", id: null }])).toEqual([]);
    expect(visited([{ kind: "customer", id: null }], { ...call, customer: null })).toEqual([]);
  });

  it("does not take one kind's id for another's", () => {
    const asFeature = SCOPE_KINDS.filter((kind) => kind !== "customer");
    expect(visited(asFeature.map((kind) => ({ kind, id: "acme" })))).toEqual([]);
  });

  it("finds several of one scope", () => {
    const scope: Scope = { kind: "project", id: "prj_1" };
    expect(visited([scope, scope])).toHaveLength(2);
    expect(new ScopeIndex([]).isEmpty).toBe(true);
  });
});
