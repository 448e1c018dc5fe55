import {
  type BudgetFacts,
  describeForecast,
  describeRefusing,
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
  /** Set aside for calls in flight, or about to come. */
  readonly heldPicos: Picos;
  /** Because too little was left; of a hard budget alone. */
  readonly refusedCalls: number;
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
    if (condition.kind === "budget_threshold") {
      findings.push(...findThresholds(deps, condition, budget));
    }
    if (condition.kind === "budget_forecast")
      findings.push(...findForecast(deps, condition, budget));
  }
  return findings;
}

function isInScope({ scope }: AlertRuleRecord, { subject }: BudgetUsage): boolean {
  if (scope === null) return true;
  return scope.kind === subject.kind && (scope.id === null || scope.id === subject.id);
}

function findThresholds(
  deps: BudgetFindingDeps,
  { settings: { percentages } }: ConditionOf<"budget_threshold">,
  budget: BudgetUsage,
): readonly Finding[] {
  const percent = reachedThreshold(percentages, budget);
  const findings: Finding[] = [];
  // A hard budget stops short of 100 %, so its end is where it begins to refuse. Of one that got there it is said once.
  const isEndWatched = percentages.some((one) => one >= 100) && (percent ?? 0) < 100;
  if (budget.refusedCalls > 0 && isEndWatched) {
    findings.push({
      key: { ...budget.subject, period: `${windowName(budget)} refuses` },
      describe: async () => describeRefusing(await factsOf(deps, budget), formatMinute),
    });
  }
  if (percent !== undefined) {
    findings.push({
      key: { ...budget.subject, period: `${windowName(budget)} ${percent} %` },
      describe: async () => describeThreshold(await factsOf(deps, budget), percent, formatMinute),
    });
  }
  return findings;
}

function findForecast(
  deps: BudgetFindingDeps,
  { settings }: ConditionOf<"budget_forecast">,
  budget: BudgetUsage,
): readonly Finding[] {
  const { endsAtMs } = budget;
  if (endsAtMs === null) return [];
  const at = { nowMs: deps.nowMs, afterPercent: settings.afterPercent };
  const forecast = forecastBudget({ ...budget, endsAtMs }, at);
  if (forecast === undefined) return [];
  return [
    {
      key: { ...budget.subject, period: windowName(budget) },
      describe: async () => describeForecast(await factsOf(deps, budget), forecast, formatMinute),
    },
  ];
}

function windowName({ budgetId, startsAtMs }: BudgetUsage): string {
  return `${budgetId} ${formatMinute(startsAtMs)}`;
}

async function factsOf(deps: BudgetFindingDeps, budget: BudgetUsage): Promise<BudgetFacts> {
  const { budgetId: id, subject } = budget;
  const whose = subject.kind === "organization" ? null : await deps.nameOf(subject);
  return { ...budget, id, whose };
}
