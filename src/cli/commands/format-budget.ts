import type { components } from "../../admin/api-types.ts";
import { formatUsd } from "../format-cells.ts";
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
