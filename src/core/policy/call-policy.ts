import type { ErrorCode } from "../errors/codes.ts";
import { createIpRanges, type IpRanges } from "../network/ip-ranges.ts";
import { matchesModel, parseModelPattern, type ModelPattern } from "../routing/model-pattern.ts";
import { createEndpointSet, type EndpointSet } from "./endpoint-pattern.ts";
import type { EnvironmentPolicy, PolicyRule, RuleMode } from "./environment-policy.ts";

export type ActiveMode = Exclude<RuleMode, "off">;

/** The rules of an environment that a call can break, ready to be asked; null: no such rule holds. */
export interface CallPolicy {
  readonly ips: { readonly mode: ActiveMode; readonly ranges: IpRanges } | null;
  readonly endpoints: { readonly mode: ActiveMode; readonly set: EndpointSet } | null;
  readonly models: { readonly mode: ActiveMode; readonly patterns: readonly ModelPattern[] } | null;
  readonly output: { readonly mode: ActiveMode; readonly maxTokens: number } | null;
  readonly browsers: ActiveMode | null;
}

/** The codes that calls are refused with by rules of an environment or a key. */
export const CODE_OF_RULE = {
  allowed_ips: "ip_not_allowed",
  allowed_models: "model_not_allowed",
  allowed_endpoints: "endpoint_not_allowed",
  max_output_tokens: "output_limit_exceeded",
  no_browser_calls: "browser_call_refused",
} as const satisfies Partial<Record<PolicyRule, ErrorCode>>;
export type CallRule = keyof typeof CODE_OF_RULE;

/** Behind a code under which a call is counted that a rule would have refused. */
export const WARNED_SUFFIX = ".warned";

/** What a call that broke a rule and passed is counted as, beside those that were refused. */
export function warnedCode(rule: CallRule): string {
  return `${CODE_OF_RULE[rule]}${WARNED_SUFFIX}`;
}

export function isWarnedCode(code: string): boolean {
  return code.endsWith(WARNED_SUFFIX);
}

/** Null where no rule has anything to watch for. Throws for bounds that were not checked before they were kept. */
export function compileCallPolicy(policy: EnvironmentPolicy): CallPolicy | null {
  const { allowedIps, allowedEndpoints, allowedModels, maxOutputTokens } = policy;
  const compiled: CallPolicy = {
    ips: withMode(policy, "allowed_ips", allowedIps, (mode, list) => ({
      mode,
      ranges: createIpRanges(list),
    })),
    endpoints: withMode(policy, "allowed_endpoints", allowedEndpoints, (mode, list) => ({
      mode,
      set: createEndpointSet(list),
    })),
    models: withMode(policy, "allowed_models", allowedModels, (mode, list) => ({
      mode,
      patterns: list.map(knownPattern),
    })),
    output: withMode(policy, "max_output_tokens", maxOutputTokens, (mode, maxTokens) => ({
      mode,
      maxTokens,
    })),
    browsers: activeMode(policy.modes.no_browser_calls),
  };
  return Object.values(compiled).every((rule) => rule === null) ? null : compiled;
}

/** Of the models that a call names, the first that the patterns do not have; undefined: they have all. */
export function findForbiddenModel(
  patterns: readonly ModelPattern[],
  models: readonly (string | null)[],
): { readonly model: string | null } | undefined {
  for (const model of models) {
    if (!patterns.some((pattern) => matchesModel(pattern, model))) return { model };
  }
  return undefined;
}

function withMode<Bound, Compiled>(
  { modes }: EnvironmentPolicy,
  rule: CallRule,
  bound: Bound | null,
  compile: (mode: ActiveMode, bound: Bound) => Compiled,
): Compiled | null {
  const mode = activeMode(modes[rule]);
  return mode === null || bound === null ? null : compile(mode, bound);
}

function activeMode(mode: RuleMode): ActiveMode | null {
  return mode === "off" ? null : mode;
}

function knownPattern(text: string): ModelPattern {
  const pattern = parseModelPattern(text);
  if (pattern === undefined) throw new Error(`${text} is no model pattern`);
  return pattern;
}
