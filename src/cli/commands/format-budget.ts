import type { components } from "../../admin/api-types.ts";
import { formatTime, formatUsd } from "../format-cells.ts";
import { formatScope } from "../format-scope.ts";

type Budget = components["schemas"]["Budget"];

/** `soft`, `used up`: what becomes of calls. */
export function formatState({ state, enforcement }: Budget): string {
  if (state === "active") return enforcement;
  return state === "used_up" ? `${enforcement}, used up` : state;
}

/** `a hard budget of $5 a day for each customer` */
export function describeBudget(budget: Budget): string {
  const { enforcement, limitUsd, period } = budget;
  const span = period === "total" ? "in total" : `${period === "hour" ? "an" : "a"} ${period}`;
  return `a ${enforcement} budget of ${formatUsd(limitUsd)} ${span} for ${formatScope(budget)}`;
}

/** `12 with calls, 3 near, 1 used up`: how each one of a scope stands. */
export function formatSpread(spread: Budget["spread"]): string {
  if (spread === null) return "–";
  const { subjects, near, usedUp } = spread;
  return `${subjects} with calls, ${near} near, ${usedUp} used up`;
}

/** `$50 until 2026-03-01 09:00: launch week` */
export function formatIncrease({ amountUsd, until, reason }: Budget["increases"][number]): string {
  return `${formatUsd(amountUsd)} until ${formatTime(until)}${reason === null ? "" : `: ${reason}`}`;
}
