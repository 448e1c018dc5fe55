import type { EnvironmentKind } from "../environments/environment.ts";

/** What an environment can be told to watch for. */
export const POLICY_RULES = [
  "one_environment_per_provider_key",
  "no_personal_keys",
  "no_simulator_keys",
  "allowed_ips",
  "allowed_models",
  "allowed_endpoints",
  "max_output_tokens",
  "no_browser_calls",
  "leaked_keys",
] as const;
export type PolicyRule = (typeof POLICY_RULES)[number];

/** `warn`: what breaks the rule passes, and is counted and shown. */
export const RULE_MODES = ["enforce", "warn", "off"] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** What the rules that need to be told something are told; null: nothing, so that the rule has nothing to watch for. */
interface PolicyBounds {
  /** Networks that gateway keys of the environment may be used from. */
  readonly allowedIps: readonly string[] | null;
  /** `gpt-4o`, `gpt-4*`. */
  readonly allowedModels: readonly string[] | null;
  readonly allowedEndpoints: readonly string[] | null;
  readonly maxOutputTokens: number | null;
}

/** An environment's policy as it holds. */
export interface EnvironmentPolicy extends PolicyBounds {
  readonly modes: Readonly<Record<PolicyRule, RuleMode>>;
}

/** What was said of it; the rest is as the environment's kind has it. */
export interface PolicySettings extends Partial<PolicyBounds> {
  readonly modes?: Readonly<Partial<Record<PolicyRule, RuleMode>>>;
}

export const NO_SETTINGS: PolicySettings = Object.freeze({});

const PRODUCTION: EnvironmentPolicy["modes"] = {
  one_environment_per_provider_key: "enforce",
  no_personal_keys: "enforce",
  no_simulator_keys: "warn",
  allowed_ips: "enforce",
  allowed_models: "enforce",
  allowed_endpoints: "enforce",
  max_output_tokens: "enforce",
  no_browser_calls: "enforce",
  leaked_keys: "enforce",
};

/**
 * A list that somebody wrote is meant, wherever it is; and one secret in two environments is a mistake in each. A key in
 * a browser is refused where the build is the one that customers will get, and told of while it is being written. A key
 * that was found by a stranger is a stranger's, wherever it is for. Answers that are made up are for rehearsals: in
 * production that is told of, since nothing but the word of whoever set it up says that customers are there already.
 */
const DEFAULT_MODES: Readonly<Record<EnvironmentKind, EnvironmentPolicy["modes"]>> = {
  production: PRODUCTION,
  staging: { ...PRODUCTION, no_personal_keys: "warn", no_simulator_keys: "off" },
  development: {
    ...PRODUCTION,
    no_personal_keys: "off",
    no_simulator_keys: "off",
    no_browser_calls: "warn",
  },
};

export function resolvePolicy(kind: EnvironmentKind, settings: PolicySettings): EnvironmentPolicy {
  return {
    allowedIps: settings.allowedIps ?? null,
    allowedModels: settings.allowedModels ?? null,
    allowedEndpoints: settings.allowedEndpoints ?? null,
    maxOutputTokens: settings.maxOutputTokens ?? null,
    modes: { ...DEFAULT_MODES[kind], ...settings.modes },
  };
}

/** The settings with a change made to them; a bound of null is taken away. */
export function changePolicy(settings: PolicySettings, change: PolicySettings): PolicySettings {
  return { ...settings, ...change, modes: { ...settings.modes, ...change.modes } };
}

export function isPolicyRule(text: string): text is PolicyRule {
  return (POLICY_RULES as readonly string[]).includes(text);
}

export function isRuleMode(text: string): text is RuleMode {
  return (RULE_MODES as readonly string[]).includes(text);
}
