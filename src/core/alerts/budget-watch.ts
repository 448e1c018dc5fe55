import type { Picos } from "../money/picos.ts";

/** The highest of the shares (whole percents) that spending has reached; undefined below all of them. */
export function reachedThreshold(
  percentages: readonly number[],
  { spentPicos, limitPicos }: { readonly spentPicos: Picos; readonly limitPicos: Picos },
): number | undefined {
  const reached = percentages.filter(
    (percent) => spentPicos * 100n >= limitPicos * BigInt(percent) && spentPicos > 0n,
  );
  return reached.length === 0 ? undefined : Math.max(...reached);
}

export interface BudgetPace {
  readonly spentPicos: Picos;
  readonly limitPicos: Picos;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
}

export interface Forecast {
  /** What will have been spent at the end of the period. */
  readonly atEndPicos: Picos;
  /** When the limit is reached. */
  readonly exceedsAtMs: number;
}

/**
 * Whether spending that goes on as it did so far exceeds the budget before its period ends. Undefined where it does not,
 * where the limit has been reached already (that is a threshold's matter), and while less than `afterPercent` of the
 * period has passed. Exact, in integers; it rounds down.
 */
export function forecastBudget(
  { spentPicos, limitPicos, startsAtMs, endsAtMs }: BudgetPace,
  { nowMs, afterPercent }: { readonly nowMs: number; readonly afterPercent: number },
): Forecast | undefined {
  if (spentPicos <= 0n || spentPicos >= limitPicos) return undefined;
  const passedMs = Math.trunc(nowMs) - startsAtMs;
  const wholeMs = endsAtMs - startsAtMs;
  if (passedMs <= 0 || passedMs >= wholeMs) return undefined;
  if (passedMs * 100 < wholeMs * afterPercent) return undefined;
  const atEndPicos = ((spentPicos * BigInt(wholeMs)) / BigInt(passedMs)) as Picos;
  if (atEndPicos <= limitPicos) return undefined;
  const untilLimitMs = (limitPicos * BigInt(passedMs)) / spentPicos;
  return { atEndPicos, exceedsAtMs: startsAtMs + Number(untilLimitMs) };
}

/** The share of the limit that is spent, in whole percents, rounded down; a limit of nothing is wholly spent. */
export function percentSpent(spentPicos: Picos, limitPicos: Picos): bigint {
  return limitPicos <= 0n ? 100n : (spentPicos * 100n) / limitPicos;
}
