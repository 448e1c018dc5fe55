import { describeAccountLimit } from "../../core/alerts/alert-content.ts";
import type { ConditionOf } from "../../core/alerts/alert-rule.ts";
import { percentOf, reachesShare } from "../../core/alerts/shares.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import { type Finding, periodName } from "./finding.ts";

/** One of a provider account's own limits, as far as it is used at the moment. */
export interface AccountLimitUsage {
  readonly accountId: ProviderAccountId;
  readonly accountName: string;
  /** `requests per minute for gpt-4o` */
  readonly what: string;
  readonly used: number;
  readonly limit: number;
}

/** Where accounts' own limits are read from. */
export interface AccountLimitSource {
  readonly list: (nowMs: number) => AsyncIterable<AccountLimitUsage>;
}

export async function findAccountLimits(
  { nowMs, limits }: { readonly nowMs: number; readonly limits: AsyncIterable<AccountLimitUsage> },
  rule: AlertRuleRecord,
  { settings: { percent } }: ConditionOf<"account_limit_near">,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const { accountId, accountName, what, used, limit } of limits) {
    if (rule.scope !== null && rule.scope.id !== null && rule.scope.id !== accountId) continue;
    if (!reachesShare({ count: used, total: limit }, { percent, minimum: 1 })) continue;
    findings.push({
      key: {
        kind: "providerAccount",
        id: accountId,
        period: `${periodName(rule.repeat, nowMs)} ${what}`,
      },
      describe: () =>
        describeAccountLimit(accountName, { what, percent: percentOf(used, limit), limit }),
    });
  }
  return findings;
}
