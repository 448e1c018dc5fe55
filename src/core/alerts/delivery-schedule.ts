/** When a message that could not be delivered is sent again, and when that has no more sense. */

const FIRST_DELAY_MS = 5_000;
const MAX_DELAY_MS = 3_600_000;
/** A day beyond a long weekend. */
const GIVE_UP_AFTER_MS = 4 * 24 * 3_600_000;
/** Without a clock that can be trusted the number of attempts says it, too: 4 days of at most hourly attempts and more. */
const MAX_ATTEMPTS = 150;

/** No message waits longer than this for its next attempt; what seems to was planned before the clock stepped back. */
export const DELIVERY_HORIZON_MS = 2 * MAX_DELAY_MS;

/**
 * From the end of an attempt to the next: 5 seconds, doubled each time up to an hour, less up to a quarter by chance, so
 * that the messages of an outage do not come back all at once. Where the receiver named a time, not before it.
 */
export function deliveryDelayMs(
  attempts: number,
  { retryAfterMs, random }: { readonly retryAfterMs: number | undefined; readonly random: number },
): number {
  const doubled = Math.min(
    FIRST_DELAY_MS * 2 ** Math.min(Math.max(attempts - 1, 0), 20),
    MAX_DELAY_MS,
  );
  const scattered = Math.ceil(doubled * (1 - random / 4));
  return Math.max(scattered, Math.min(retryAfterMs ?? 0, MAX_DELAY_MS));
}

/** `ageMs`: since the first attempt was due. */
export function isDeliveryHopeless({
  attempts,
  ageMs,
}: {
  readonly attempts: number;
  readonly ageMs: number;
}): boolean {
  return ageMs >= GIVE_UP_AFTER_MS || attempts >= MAX_ATTEMPTS;
}
