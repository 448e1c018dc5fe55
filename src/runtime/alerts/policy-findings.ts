import { describeBrokenRules } from "../../core/alerts/alert-content.ts";
import { HOUR_MS } from "../../core/alerts/alert-period.ts";
import type { EnvironmentId } from "../../core/ids/ids.ts";
import { CODE_OF_RULE, warnedCode, type CallRule } from "../../core/policy/call-policy.ts";
import type { AlertRuleRecord, AlertSubject } from "../../store/alert-records.ts";
import type { KeyRefusals, Store } from "../../store/store.ts";
import { type Finding, periodName } from "./finding.ts";

interface PolicyFindingDeps {
  readonly store: Pick<Store, "usage">;
  readonly nowMs: number;
  readonly nameOf: (subject: AlertSubject) => Promise<string>;
}

export const BROWSER_RULES: readonly CallRule[] = ["no_browser_calls"];
export const OTHER_RULES: readonly CallRule[] = [
  "allowed_ips",
  "allowed_models",
  "allowed_endpoints",
  "max_output_tokens",
];

/** Keys whose calls broke one of the rules in the hour that goes on or the one before, whether they were refused or not. */
export async function findBrokenRules(
  deps: PolicyFindingDeps,
  rule: AlertRuleRecord,
  rules: readonly CallRule[],
): Promise<readonly Finding[]> {
  const codes = rules.flatMap((one) => [CODE_OF_RULE[one], warnedCode(one)]);
  const counts = await deps.store.usage.countRefusalsByKey(
    codes,
    deps.nowMs - HOUR_MS,
    environmentOf(rule),
  );
  const byKey = Map.groupBy(counts, ({ gatewayKeyId }) => gatewayKeyId);
  const findings: Finding[] = [];
  for (const [id, broken] of byKey) {
    if (rule.scope?.kind === "key" && rule.scope.id !== null && rule.scope.id !== id) continue;
    const subject = { kind: "key", id } as const;
    findings.push({
      key: { ...subject, period: periodName(rule.repeat, deps.nowMs) },
      describe: async () =>
        describeBrokenRules(await deps.nameOf(subject), id, factsOf(rules, broken)),
    });
  }
  return findings;
}

/** A rule of the scope `environment` is about the keys of one, or of each. */
function environmentOf({ scope }: AlertRuleRecord): EnvironmentId | undefined {
  return scope?.kind === "environment" && scope.id !== null
    ? (scope.id as EnvironmentId)
    : undefined;
}

function factsOf(rules: readonly CallRule[], broken: readonly KeyRefusals[]) {
  const countOf = (code: string) => broken.find((one) => one.code === code)?.count ?? 0;
  return rules
    .map((rule) => ({
      rule,
      refused: countOf(CODE_OF_RULE[rule]),
      passed: countOf(warnedCode(rule)),
    }))
    .filter(({ refused, passed }) => refused + passed > 0);
}
