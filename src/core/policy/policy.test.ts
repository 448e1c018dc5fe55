import { describe, expect, it } from "vitest";
import { compileCallPolicy, findForbiddenModel, isWarnedCode, warnedCode } from "./call-policy.ts";
import {
  changePolicy,
  isPolicyRule,
  isRuleMode,
  NO_SETTINGS,
  resolvePolicy,
} from "./environment-policy.ts";

describe("an environment's policy", () => {
  it("enforces every rule in production where nothing was said, and tells of the simulator", () => {
    const { modes } = resolvePolicy("production", NO_SETTINGS);
    const { no_simulator_keys: ofSimulator, ...others } = modes;
    expect(ofSimulator).toBe("warn");
    for (const [rule, mode] of Object.entries(others))
      expect([rule, mode]).toEqual([rule, "enforce"]);
  });

  it("lets people work with their own keys in development, and tells of browsers", () => {
    const { modes } = resolvePolicy("development", NO_SETTINGS);
    expect(modes).toMatchObject({ no_personal_keys: "off", no_browser_calls: "warn" });
    expect(modes.one_environment_per_provider_key).toBe("enforce");
  });

  it("has what was said of it, and of the rest what its kind has", () => {
    const first = changePolicy(NO_SETTINGS, {
      modes: { no_browser_calls: "off" },
      maxOutputTokens: 5,
    });
    const settings = changePolicy(first, {
      modes: { allowed_ips: "warn" },
      allowedIps: ["10.0.0.0/8"],
    });
    expect(resolvePolicy("production", settings)).toMatchObject({
      allowedIps: ["10.0.0.0/8"],
      maxOutputTokens: 5,
      modes: { no_browser_calls: "off", allowed_ips: "warn", no_personal_keys: "enforce" },
    });
    expect(
      resolvePolicy("production", changePolicy(settings, { maxOutputTokens: null })),
    ).toMatchObject({
      maxOutputTokens: null,
    });
  });

  it("knows its words and no others", () => {
    expect(["allowed_ips", "toString", ""].map(isPolicyRule)).toEqual([true, false, false]);
    expect(["warn", "on"].map(isRuleMode)).toEqual([true, false]);
  });
});

describe("the rules for calls", () => {
  it("are none where every rule is off or has nothing to watch for", () => {
    const policy = resolvePolicy("development", { modes: { no_browser_calls: "off" } });
    expect(compileCallPolicy(policy)).toBeNull();
  });

  it("leave out a list whose rule is off, and keep the mode of the others", () => {
    const compiled = compileCallPolicy(
      resolvePolicy("production", {
        allowedIps: ["10.0.0.0/8"],
        allowedEndpoints: ["embeddings"],
        maxOutputTokens: 100,
        modes: { allowed_ips: "off", allowed_endpoints: "warn" },
      }),
    );
    expect(compiled).toMatchObject({
      ips: null,
      endpoints: { mode: "warn" },
      models: null,
      output: { mode: "enforce", maxTokens: 100 },
      browsers: "enforce",
    });
  });

  it("find the first model that is not allowed, one that is not named among them", () => {
    const compiled = compileCallPolicy(
      resolvePolicy("staging", { allowedModels: ["gpt-4o", "o4*"] }),
    );
    const patterns = compiled?.models?.patterns ?? [];
    expect(findForbiddenModel(patterns, ["gpt-4o", "o4-mini"])).toBeUndefined();
    expect(findForbiddenModel(patterns, ["gpt-4o", "gpt-4o-mini"])).toEqual({
      model: "gpt-4o-mini",
    });
    expect(findForbiddenModel(patterns, [null])).toEqual({ model: null });
  });

  it("count what passed apart from what was refused", () => {
    expect(warnedCode("no_browser_calls")).toBe("browser_call_refused.warned");
    expect(isWarnedCode(warnedCode("allowed_ips"))).toBe(true);
    expect(isWarnedCode("ip_not_allowed")).toBe(false);
  });
});
