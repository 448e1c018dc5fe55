import {
  type BudgetFacts,
  describeForecast,
  describeThreshold,
} from "../../core/alerts/alert-content.ts";
import type { ConditionOf } from "../../core/alerts/alert-rule.ts";
import { forecastBudget, reachedThreshold } from "../../core/alerts/budget-watch.ts";
import type { Picos } from "../../core/money/picos.ts";
import type { ScopeKind } from "../../core/scopes/scope.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import { type Finding, formatMinute } from "./finding.ts";

/** One window of one budget, as it stands. Of a budget that holds for each customer there is one for each of them. */
export interface BudgetUsage {
  readonly budgetId: string;
  readonly name: string;
  readonly subject: { readonly kind: ScopeKind; readonly id: string };
  readonly isHard: boolean;
  readonly spentPicos: Picos;
  readonly limitPicos: Picos;
  readonly startsAtMs: number;
  /** Null: it has no end. */
  readonly endsAtMs: number | null;
}

/** Where budgets are read from: the current windows of all that are not paused. */
export interface BudgetUsageSource {
  readonly list: (nowMs: number) => AsyncIterable<BudgetUsage>;
}

interface BudgetFindingDeps {
  readonly nowMs: number;
  readonly nameOf: (subject: BudgetUsage["subject"]) => Promise<string>;
}

export async function findBudgetAlerts(
  deps: BudgetFindingDeps,
  rule: AlertRuleRecord,
  budgets: AsyncIterable<BudgetUsage>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { condition } = rule;
  for await (const budget of budgets) {
    if (!isInScope(rule, budget)) continue;
    const finding =
      condition.kind === "budget_threshold"
        ? findThreshold(deps, condition, budget)
        : condition.kind === "budget_forecast"
          ? findForecast(deps, condition, budget)
          : undefined;
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function isInScope({ scope }: AlertRuleRecord, { subject }: BudgetUsage): boolean {
  if (scope === null) return true;
  return scope.kind === subject.kind && (scope.id === null || scope.id === subject.id);
}

function findThreshold(
  deps: BudgetFindingDeps,
  { settings }: ConditionOf<"budget_threshold">,
  budget: BudgetUsage,
): Finding | undefined {
  const percent = reachedThreshold(settings.percentages, budget);
  if (percent === undefined) return undefined;
  return {
    key: { ...budget.subject, period: `${windowName(budget)} ${percent} %` },
    describe: async () => describeThreshold(await factsOf(deps, budget), percent, formatMinute),
  };
}

function findForecast(
  deps: BudgetFindingDeps,
  { settings }: ConditionOf<"budget_forecast">,
  budget: BudgetUsage,
): Finding | undefined {
  const { endsAtMs } = budget;
  if (endsAtMs === null) return undefined;
  const at = { nowMs: deps.nowMs, afterPercent: settings.afterPercent };
  const forecast = forecastBudget({ ...budget, endsAtMs }, at);
  if (forecast === undefined) return undefined;
  return {
    key: { ...budget.subject, period: windowName(budget) },
    describe: async () => describeForecast(await factsOf(deps, budget), forecast, formatMinute),
  };
}

function windowName({ budgetId, startsAtMs }: BudgetUsage): string {
  return `${budgetId} ${formatMinute(startsAtMs)}`;
}

async function factsOf(deps: BudgetFindingDeps, budget: BudgetUsage): Promise<BudgetFacts> {
  const { budgetId: id, subject } = budget;
  const whose = subject.kind === "organization" ? null : await deps.nameOf(subject);
  return { ...budget, id, whose };
}
