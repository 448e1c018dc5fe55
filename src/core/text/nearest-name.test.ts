import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest-name.ts";

describe("nearestName", () => {
  const known = ["environment", "name", "project", "customer", "expiresAt", "allowedModels"];

  it.each([
    ["nmae", "name"],
    ["enviroment", "environment"],
    ["expires_at", "expiresAt"],
    ["EXPIRESAT", "expiresAt"],
    ["allowedModel", "allowedModels"],
    ["Env", "environment"],
    ["expi", "expiresAt"],
  ])("takes %s for %s", (typed, expected) => {
    expect(nearestName(typed, known)).toBe(expected);
  });

  it("suggests nothing that is far away", () => {
    expect(nearestName("limits", known)).toBeUndefined();
    expect(nearestName("x", known)).toBeUndefined();
  });

  it("does not choose between names that begin alike", () => {
    expect(nearestName("prod", ["production", "production-eu"])).toBeUndefined();
  });

  it("does no work on a name of hostile length", () => {
    expect(nearestName("n".repeat(100_000), known)).toBeUndefined();
  });
});
