import type { KeyTrouble } from "../../core/alerts/alert-content.ts";
import type { AlertKind, ConditionOf } from "../../core/alerts/alert-rule.ts";
import type { AlertRuleRecord, AlertSubject } from "../../store/alert-records.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { type AccountLimitSource, findAccountLimits } from "./account-limit-findings.ts";
import { type BudgetUsageSource, findBudgetAlerts } from "./budget-findings.ts";
import type { Finding } from "./finding.ts";
import { findLeaks } from "./leak-findings.ts";
import { BROWSER_RULES, findBrokenRules, OTHER_RULES } from "./policy-findings.ts";
import {
  findDueRotations,
  findFailingKeys,
  findOldKeys,
  findUnusedKeys,
} from "./provider-key-findings.ts";
import { findFailedRotations } from "./rotation-findings.ts";
import { nameSubject, shortName } from "./subject-names.ts";
import {
  findErrorRates,
  findEstimatedUsage,
  findSpendSpikes,
  findUnpricedModels,
} from "./usage-findings.ts";

/** What is read to find out whether a rule has fired. */
export interface FindAlertsDeps {
  readonly store: Pick<
    Store,
    | "alerts"
    | "usage"
    | "projects"
    | "environments"
    | "gatewayKeys"
    | "providerAccounts"
    | "providerKeys"
    | "rotation"
    | "exposure"
  >;
  readonly nowMs: () => number;
  readonly troubleOf: (key: ProviderKeyRecord, failingForMs: number) => KeyTrouble | undefined;
  readonly budgets: BudgetUsageSource | undefined;
  readonly accountLimits: AccountLimitSource | undefined;
}

/** The deps, at one instant. */
interface Moment extends Omit<FindAlertsDeps, "nowMs"> {
  readonly nowMs: number;
  /** `customer acme` */
  readonly nameOf: (subject: AlertSubject) => Promise<string>;
  /** `acme` */
  readonly shortNameOf: (subject: AlertSubject) => Promise<string>;
}

type Find<Kind extends AlertKind> = (
  moment: Moment,
  rule: AlertRuleRecord,
  condition: ConditionOf<Kind>,
) => Promise<readonly Finding[]>;

const NOTHING: readonly Finding[] = [];

const findInBudgets = async (moment: Moment, rule: AlertRuleRecord) =>
  moment.budgets === undefined
    ? NOTHING
    : await findBudgetAlerts(moment, rule, moment.budgets.list(moment.nowMs));

const FINDERS: { readonly [Kind in AlertKind]: Find<Kind> } = {
  budget_threshold: findInBudgets,
  budget_forecast: findInBudgets,
  spend_spike: findSpendSpikes,
  error_rate: findErrorRates,
  estimated_usage: findEstimatedUsage,
  unpriced_model: findUnpricedModels,
  browser_call_seen: (moment, rule) => findBrokenRules(moment, rule, BROWSER_RULES),
  policy_violated: (moment, rule) => findBrokenRules(moment, rule, OTHER_RULES),
  key_leaked: findLeaks,
  provider_key_unused: findUnusedKeys,
  provider_key_old: findOldKeys,
  rotation_due: findDueRotations,
  rotation_failed: findFailedRotations,
  provider_key_failing: (moment, rule, { settings }) =>
    findFailingKeys(moment, rule, (key) => moment.troubleOf(key, settings.seconds * 1000)),
  account_limit_near: async ({ accountLimits, nowMs }, rule, condition) =>
    accountLimits === undefined
      ? NOTHING
      : await findAccountLimits({ nowMs, limits: accountLimits.list(nowMs) }, rule, condition),
};

/** Everything that the rule would tell of now, told of before or not. */
export async function findAlerts(
  deps: FindAlertsDeps,
  rule: AlertRuleRecord,
): Promise<readonly Finding[]> {
  const { condition } = rule;
  const moment: Moment = {
    ...deps,
    nowMs: deps.nowMs(),
    nameOf: (subject) => nameSubject(deps.store, subject),
    shortNameOf: (subject) => shortName(deps.store, subject),
  };
  // Each finder is told of its own kind alone, which the table of them says and the compiler cannot follow.
  const find = FINDERS[condition.kind] as Find<AlertKind>;
  return await find(moment, rule, condition);
}
