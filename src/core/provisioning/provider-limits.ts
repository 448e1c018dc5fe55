import { type Budget, isHolding } from "../budgets/budget.ts";
import type { Period } from "../budgets/periods.ts";
import type { Limit } from "../limits/limit.ts";
import type { EnvironmentPolicy } from "../policy/environment-policy.ts";
import { matchesModel, type ModelPattern, parseModelPattern } from "../routing/model-pattern.ts";
import type { Scope } from "../scopes/scope.ts";

/**
 * What a provider is asked to hold an environment's project to, from Keyward's own rules. It is the fence behind ours: a
 * call that comes by Keyward is refused by Keyward first, and what is called past Keyward ends here.
 */
export interface ProviderLimits {
  readonly spend: SpendLimit | null;
  /** Names and beginnings with a star; null: every model. */
  readonly models: readonly string[] | null;
  /** For each model, since a provider counts them so. */
  readonly rate: RateLimit | null;
}

export interface SpendLimit {
  /** At most so many cents a month. */
  readonly monthlyCents: number;
  /** The budget that it comes from; null: a person has named the amount. */
  readonly budgetId: Budget["id"] | null;
}

export interface RateLimit {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

/**
 * How many of a budget's periods a month can have. A month that is cut at another hour than the budget's has no more: the
 * provider's figure is a fence behind ours, and not to the cent.
 */
const PERIODS_A_MONTH: Readonly<Record<Period, number>> = {
  hour: 31 * 24,
  day: 31,
  week: 5,
  month: 1,
  total: 1,
};

const PICOS_PER_CENT = 10_000_000_000n;

/**
 * The smallest amount a month that the hard budgets leave which count the cost of every call of the environment: its own
 * ones and those of the organization. A period's limit is taken as often as a month can have the period, and once more
 * where a period hands on what is left of it; rounded up to a cent. Null where no such budget is.
 */
export function spendLimitOf(budgets: readonly Budget[], environmentId: string): SpendLimit | null {
  let smallest: SpendLimit | null = null;
  for (const budget of budgets) {
    const { id, measure, models, period, rollsOver, limitPicos, scope } = budget;
    if (!isHolding(budget) || measure !== "cost" || models !== null) continue;
    if (!countsAll(scope, environmentId)) continue;
    const periods = BigInt(PERIODS_A_MONTH[period] + (rollsOver ? 1 : 0));
    const cents = (limitPicos * periods + PICOS_PER_CENT - 1n) / PICOS_PER_CENT;
    // A provider takes no limit of nothing.
    const monthlyCents = Math.max(1, Number(cents));
    if (smallest === null || monthlyCents < smallest.monthlyCents) {
      smallest = { monthlyCents, budgetId: id };
    }
  }
  return smallest;
}

/** The models that the environment's policy refuses others than; null where it refuses none. */
export function modelsOf({ modes, allowedModels }: EnvironmentPolicy): readonly string[] | null {
  return modes.allowed_models === "enforce" ? allowedModels : null;
}

/** The least of the limits that count every call of the environment; null where none does. */
export function rateLimitOf(limits: readonly Limit[], environmentId: string): RateLimit | null {
  const own = limits.filter(({ scope }) => countsAll(scope, environmentId));
  const requestsPerMinute = least(own.map((limit) => limit.requestsPerMinute));
  const tokensPerMinute = least(own.map((limit) => limit.tokensPerMinute));
  return requestsPerMinute === null && tokensPerMinute === null
    ? null
    : { requestsPerMinute, tokensPerMinute };
}

/** Of the models that a provider has, those that the patterns allow; and the names among the patterns, had or not. */
export function expandModels(
  patterns: readonly string[],
  known: readonly string[],
): readonly string[] {
  const names = new Set<string>();
  for (const text of patterns) {
    const pattern = parseModelPattern(text);
    if (pattern === undefined) continue;
    if (!pattern.isPrefix) names.add(text);
    else for (const model of matching(pattern, known)) names.add(model);
  }
  return [...names].toSorted();
}

function matching(pattern: ModelPattern, known: readonly string[]): readonly string[] {
  return known.filter((model) => matchesModel(pattern, model));
}

function countsAll({ kind, id }: Scope, environmentId: string): boolean {
  if (kind === "organization") return true;
  return kind === "environment" && (id === null || id === environmentId);
}

function least(amounts: readonly (number | null)[]): number | null {
  const set = amounts.filter((amount) => amount !== null);
  return set.length === 0 ? null : Math.min(...set);
}
