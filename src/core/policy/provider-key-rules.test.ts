import { describe, expect, it } from "vitest";
import { ENVIRONMENT_KINDS, type EnvironmentKind } from "../environments/environment.ts";
import { resolvePolicy, type PolicySettings } from "./environment-policy.ts";
import { judgeKey, judgeNewKey, type RuledEnvironment } from "./provider-key-rules.ts";

function environment(kind: EnvironmentKind, settings: PolicySettings = {}): RuledEnvironment {
  return { name: kind, policy: resolvePolicy(kind, settings) };
}

function modeOfSimulated(kind: EnvironmentKind, settings?: PolicySettings) {
  const of = environment(kind, settings);
  return judgeKey({ environment: of, isPersonal: false, isSimulated: true, others: [] })[0]?.mode;
}

const SHARED = "one_environment_per_provider_key";
const lax = { modes: { [SHARED]: "off" } } as const;

describe("a provider key", () => {
  it("breaks nothing where it is alone and an organization's", () => {
    const placement = { environment: environment("production"), isPersonal: false, others: [] };
    expect(judgeNewKey(placement)).toEqual([]);
    expect(judgeKey(placement)).toEqual([]);
  });

  it("of a person is refused in production, told of in staging, and nobody's business in development", () => {
    const modes = ENVIRONMENT_KINDS.map(
      (kind) => judgeKey({ environment: environment(kind), isPersonal: true, others: [] })[0]?.mode,
    );
    expect(modes).toEqual([undefined, "warn", "enforce"]);
  });

  it("of the simulator is told of in production, and refused where the rule says so", () => {
    expect(ENVIRONMENT_KINDS.map((kind) => modeOfSimulated(kind))).toEqual([
      undefined,
      undefined,
      "warn",
    ]);
    expect(modeOfSimulated("staging", { modes: { no_simulator_keys: "enforce" } })).toBe("enforce");
  });

  it("is refused where it is added when any of the environments that would share it enforces that", () => {
    const dev = environment("development", lax);
    const others = [environment("production")];
    const added = judgeNewKey({ environment: dev, isPersonal: false, others });
    expect(added).toMatchObject([{ rule: SHARED, mode: "enforce" }]);
    expect(added[0]?.message).toContain("`production`");
    expect(judgeKey({ environment: dev, isPersonal: false, others })).toEqual([]);
    const production = environment("production");
    expect(judgeKey({ environment: production, isPersonal: false, others: [dev] })).toMatchObject([
      { mode: "enforce" },
    ]);
    const warning = environment("staging", { modes: { [SHARED]: "warn" } });
    expect(judgeNewKey({ environment: dev, isPersonal: false, others: [warning] })).toMatchObject([
      { mode: "warn" },
    ]);
    const nobody = { environment: dev, isPersonal: false, others: [environment("staging", lax)] };
    expect(judgeNewKey(nobody)).toEqual([]);
  });
});
