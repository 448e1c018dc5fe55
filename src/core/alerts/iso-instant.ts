import { civilFromDays } from "../budgets/civil-date.ts";
import { DAY_MS, HOUR_MS } from "./alert-period.ts";

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

/** `2026-01-31T09:00:00.000Z`, as the admin API writes instants, of whole milliseconds since the epoch. */
export function isoInstant(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  const { year, month, day } = civilFromDays(days);
  const rest = ms - days * DAY_MS;
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  const time = [rest / HOUR_MS, (rest % HOUR_MS) / MINUTE_MS, (rest % MINUTE_MS) / SECOND_MS];
  return `${date}T${time.map(two).join(":")}.${String(rest % SECOND_MS).padStart(3, "0")}Z`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}
