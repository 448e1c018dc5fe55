import type { AlertContent } from "../../core/alerts/alert-content.ts";
import { type AlertPeriod, periodStartMs } from "../../core/alerts/alert-period.ts";
import type { AlertKey } from "../../store/alert-records.ts";

/** What a rule has come upon. Most of what is found has been told of before, so its text is made when it is needed. */
export interface Finding {
  readonly key: AlertKey;
  readonly describe: () => AlertContent | Promise<AlertContent>;
}

/** `2026-01-31 09:00 UTC` */
export function formatMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What an alert's key says of the period in which it fires once. */
export function periodName(repeat: AlertPeriod | null, atMs: number): string {
  const period = repeat ?? "day";
  return `${period} ${formatMinute(periodStartMs(period, atMs))}`;
}
