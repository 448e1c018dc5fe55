import { civilFromDays } from "../budgets/civil-date.ts";

/** How often a rule may fire for one and the same thing. In UTC; a week begins on Monday. */
export const ALERT_PERIODS = ["hour", "day", "week", "month"] as const;
export type AlertPeriod = (typeof ALERT_PERIODS)[number];

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const WEEK_DAYS = 7;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;

/** The beginning of the period that an instant is in. Times are milliseconds since the epoch. */
export function periodStartMs(period: AlertPeriod, atMs: number): number {
  const day = Math.floor(atMs / DAY_MS);
  const starts: Readonly<Record<AlertPeriod, number>> = {
    hour: Math.floor(atMs / HOUR_MS) * HOUR_MS,
    day: day * DAY_MS,
    week: (day - modulo(day + EPOCH_WEEKDAY, WEEK_DAYS)) * DAY_MS,
    month: (day - civilFromDays(day).day + 1) * DAY_MS,
  };
  return starts[period];
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
