import { describe, expect, test } from "vitest";
import type { Budget } from "../budgets/budget.ts";
import type { Limit } from "../limits/limit.ts";
import { parseUsd } from "../money/picos.ts";
import { resolvePolicy } from "../policy/environment-policy.ts";
import { expandModels, modelsOf, rateLimitOf, spendLimitOf } from "./provider-limits.ts";

const PRODUCTION = "env_1";

function budget(limitUsd: string, changes: Partial<Budget> = {}): Budget {
  return {
    id: `bud_${limitUsd}` as Budget["id"],
    name: null,
    scope: { kind: "environment", id: PRODUCTION },
    measure: "cost",
    models: null,
    rollsOver: false,
    limitPicos: parseUsd(limitUsd) ?? (0n as Budget["limitPicos"]),
    enforcement: "hard",
    onTightBudget: "refuse",
    period: "month",
    timeZone: "UTC",
    anchor: null,
    pausedAtMs: null,
    archivedAtMs: null,
    createdBy: "test",
    createdAtMs: 0,
    increases: [],
    ...changes,
  };
}

function limit(
  scope: Limit["scope"],
  requestsPerMinute: number | null,
  tokensPerMinute: number | null,
): Limit {
  const id = "lim_1" as Limit["id"];
  return { id, scope, requestsPerMinute, tokensPerMinute, concurrency: 1 };
}

const centsOf = (...budgets: readonly Budget[]) => spendLimitOf(budgets, PRODUCTION)?.monthlyCents;

describe("the spend limit of an environment's project", () => {
  test("is as much as a month can have of a budget's periods, rounded up to a cent", () => {
    expect(centsOf(budget("100"))).toBe(10_000);
    expect(centsOf(budget("100", { period: "total" }))).toBe(10_000);
    expect(centsOf(budget("10", { period: "week" }))).toBe(5_000);
    expect(centsOf(budget("10", { period: "day" }))).toBe(31_000);
    expect(centsOf(budget("1", { period: "hour" }))).toBe(74_400);
    expect(centsOf(budget("0.000000000001"))).toBe(1);
    expect(centsOf(budget("1.001"))).toBe(101);
  });

  test("leaves room for what a period hands on to the next", () => {
    expect(centsOf(budget("10", { rollsOver: true }))).toBe(2_000);
  });

  test("is the least that budgets leave which count every call of the environment, and says which one's", () => {
    const organization = budget("80", { scope: { kind: "organization", id: null } });
    const each = budget("90", { scope: { kind: "environment", id: null } });
    expect(spendLimitOf([budget("100"), each, organization], PRODUCTION)).toEqual({
      monthlyCents: 8_000,
      budgetId: organization.id,
    });
    expect(centsOf(budget("100"), each)).toBe(9_000);
  });

  test("comes from no budget that refuses nothing, counts something else, or only some calls", () => {
    expect(
      centsOf(
        budget("1", { enforcement: "soft" }),
        budget("1", { pausedAtMs: 1 }),
        budget("1", { archivedAtMs: 1 }),
        budget("1", { measure: "price" }),
        budget("1", { models: ["gpt-4o"] }),
        budget("1", { scope: { kind: "environment", id: "env_2" } }),
        budget("1", { scope: { kind: "customer", id: null } }),
      ),
    ).toBeUndefined();
  });
});

describe("the models and rates of an environment's project", () => {
  test("are those of the policy while it is enforced", () => {
    const allowedModels = ["gpt-4o", "o4*"];
    expect(modelsOf(resolvePolicy("production", { allowedModels }))).toEqual(allowedModels);
    expect(modelsOf(resolvePolicy("production", {}))).toBeNull();
    const modes = { allowed_models: "warn" } as const;
    expect(modelsOf(resolvePolicy("production", { allowedModels, modes }))).toBeNull();
  });

  test("are named one by one, beginnings by what the provider has, names whether it has them or not", () => {
    const known = ["o4-mini", "o3", "gpt-4o", "o4-mini-2025"];
    expect(expandModels(["o4*", "gpt-9"], known)).toEqual(["gpt-9", "o4-mini", "o4-mini-2025"]);
    expect(expandModels(["*"], known)).toEqual(known.toSorted());
    expect(expandModels(["x*"], known)).toEqual([]);
  });

  test("are the least of the limits that count every call", () => {
    const own = { kind: "environment", id: PRODUCTION } as const;
    const organization = { kind: "organization", id: null } as const;
    expect(
      rateLimitOf(
        [limit(own, 100, null), limit(organization, 50, 9), limit({ kind: "key", id: "k" }, 1, 1)],
        PRODUCTION,
      ),
    ).toEqual({ requestsPerMinute: 50, tokensPerMinute: 9 });
    expect(rateLimitOf([limit(own, null, null)], PRODUCTION)).toBeNull();
  });
});
