const DAY_MS = 24 * 3600 * 1000;

/** How long the first use of a new secret is waited for where nobody calls, and how long the old one stays valid. */
export const DEFAULT_OBSERVE_SECONDS = 600;
export const DEFAULT_GRACE_SECONDS = 3600;

/** When a secret is to be replaced by itself. `sinceMs`: since when the key has it. */
export function rotationDueMs(sinceMs: number, everyDays: number): number {
  return sinceMs + everyDays * DAY_MS;
}
