import { describeAccountLimit } from "../../core/alerts/alert-content.ts";
import type { ConditionOf } from "../../core/alerts/alert-rule.ts";
import { percentOf, reachesShare } from "../../core/alerts/shares.ts";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { DemandPeak } from "../../core/limits/account-demand.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import { type Finding, formatMinute, periodName } from "./finding.ts";

/** One of a provider account's own limits: what is used of it, and what was asked of it. */
export interface AccountLimitUsage {
  readonly accountId: ProviderAccountId;
  readonly accountName: string;
  /** `requests per minute for gpt-4o` */
  readonly what: string;
  readonly used: number;
  readonly limit: number;
  /** What the busiest minute of the last hour asked for, calls that waited included; null = it is not known. */
  readonly peak: DemandPeak | null;
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
  for await (const { accountId, accountName, what, used, limit, peak } of limits) {
    if (rule.scope !== null && rule.scope.id !== null && rule.scope.id !== accountId) continue;
    const most = Math.max(used, peak?.amount ?? 0);
    if (!reachesShare({ count: most, total: limit }, { percent, minimum: 1 })) continue;
    findings.push({
      key: {
        kind: "providerAccount",
        id: accountId,
        period: `${periodName(rule.repeat, nowMs)} ${what}`,
      },
      describe: () =>
        describeAccountLimit(
          { id: accountId, name: accountName },
          { what, limit, used, percent: percentOf(most, limit), peak },
          formatMinute,
        ),
    });
  }
  return findings;
}
