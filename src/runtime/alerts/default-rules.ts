import type { AlertPeriod } from "../../core/alerts/alert-period.ts";
import {
  ALERT_KIND_FACTS,
  type AlertCondition,
  type AlertKind,
} from "../../core/alerts/alert-rule.ts";
import type { IdFactory } from "../../core/ids/ids.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import type { Store } from "../../store/store.ts";

const NAMES: Readonly<Partial<Record<AlertKind, string>>> = {
  budget_threshold: "Budgets at 50, 80 and 100 %",
  budget_forecast: "Budgets that will not last",
  spend_spike: "Spending out of the usual",
  error_rate: "Provider calls that fail",
  provider_key_failing: "Provider keys that cannot be used",
  account_limit_near: "Accounts near their limits",
  unpriced_model: "Models without a price",
  provider_key_unused: "Provider keys that nobody uses",
  provider_key_old: "Old provider keys",
  rotation_due: "Rotations that are due",
  rotation_failed: "Rotations that failed",
  estimated_usage: "Usage that is no provider's figure",
  browser_call_seen: "Server keys in browsers",
  policy_violated: "Calls that break a policy",
  key_leaked: "Keys that leaked",
};

/**
 * The rules that an installation is given, one of each kind, all on: without a channel they make a history all the same.
 * Each is made once, in one that is older than its kind at the first start of the version that has it; a rule that was
 * removed does not come back. Returns those that were made.
 */
export async function ensureDefaultRules(deps: {
  readonly store: Pick<Store, "alerts">;
  readonly ids: Pick<IdFactory, "create">;
  readonly nowMs: () => number;
}): Promise<readonly AlertRuleRecord[]> {
  const createdAtMs = deps.nowMs();
  const records = Object.entries(NAMES).map(([word, name]) => {
    const kind = word as AlertKind;
    const { defaults, defaultScope, defaultRepeat } = ALERT_KIND_FACTS[kind];
    return {
      id: deps.ids.create("alr"),
      name,
      condition: { kind, settings: defaults } as AlertCondition,
      scope: defaultScope,
      repeat: defaultRepeat satisfies AlertPeriod | null,
      channelIds: null,
      isEnabled: true,
      createdAtMs,
    };
  });
  return await deps.store.alerts.rules.insertDefaults(records);
}
