/** How values look in tables. Times are in UTC, as everywhere in Keyward. */
import { lackOf } from "../core/usage/usage-event.ts";

/** `2026-01-31 09:00:00` */
export function formatTime(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

/** A time that may not be there. */
export function formatOptionalTime(iso: string | null): string {
  return iso === null ? "–" : formatTime(iso);
}

/** `12,345,678` */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

/** `$0.000315`: exactly the decimal that the API answers with; `–` where there is none. */
export function formatUsd(usd: string | null): string {
  if (usd === null) return "–";
  return usd.startsWith("-") ? `-$${usd.slice(1)}` : `$${usd}`;
}

/** In place of a cost that is not there: `unpriced`, `unmetered`, or `unknown` where nobody knows what was consumed. */
export function formatLack(event: Parameters<typeof lackOf>[0]): string {
  return lackOf(event) === "usage" ? "unknown" : event.pricing;
}

export function formatOptional(value: string | null): string {
  return value ?? "–";
}
