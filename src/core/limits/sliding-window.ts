/**
 * Exact counting over any 60 seconds, by processes that share a store and no clock.
 *
 * Processes take *permits* in the store, in batches, and use them without asking. A permit is recorded in the second by
 * whose end it is used at the latest: taken in second `s` and good for `v` seconds, it is used before `s + v + 1`, so it
 * is recorded in `s + v`. A batch is granted only when it and everything recorded in `now - 60` or later come to no
 * more than the limit. Of the permits that are used within one window of 60 seconds, look at the one that was granted
 * last: all the others were recorded by then, none of them in a second before `now - 60`. So they were counted, and
 * together they are within the limit. What is not used is given back: that only lowers counts.
 */

/** An amount, and the second (of the store's clock, since the epoch) by whose end it is used. */
export interface Counted {
  readonly second: number;
  readonly amount: number;
}

/** Ascending by second, each second once, amounts above zero. */
export type SlidingWindow = readonly Counted[];

export const WINDOW_SECONDS = 60;
/** What is used at once, or nearly: permits that are this short-lived keep a second of the window from others. */
export const SHORT_VALID_SECONDS = 1;
/** While there is plenty, a permit may wait for its call a while, so that the store is asked seldom. */
export const LONG_VALID_SECONDS = 10;

/** From this second on, what was recorded in `second` counts no longer. */
const leavesAt = (second: number): number => second + WINDOW_SECONDS + 1;

export function secondOf(nowMs: number): number {
  return Math.floor(nowMs / 1000);
}

/**
 * What still counts. A second further ahead than any permit is good for was recorded before the clock stepped back: it
 * counts as now, so that a limit is not held up for longer than a window.
 */
export function countedAt(window: SlidingWindow, nowMs: number): SlidingWindow {
  const now = secondOf(nowMs);
  const latest = now + LONG_VALID_SECONDS;
  const isCurrent = ({ second }: Counted): boolean => leavesAt(second) > now && second <= latest;
  if (window.every(isCurrent)) return window;
  let current: SlidingWindow = window.filter(isCurrent);
  for (const { second, amount } of window) {
    if (second > latest) current = record(current, { second: latest, amount });
  }
  return current;
}

export function totalOf(window: SlidingWindow): number {
  let total = 0;
  for (const { amount } of window) total += amount;
  return total;
}

/** The window with one amount more. */
export function record(window: SlidingWindow, { second, amount }: Counted): SlidingWindow {
  if (amount <= 0) return window;
  const before = window.filter((one) => one.second < second);
  const same = window.find((one) => one.second === second);
  const after = window.filter((one) => one.second > second);
  return [...before, { second, amount: amount + (same?.amount ?? 0) }, ...after];
}

/** The window without an amount that was recorded and is not used. What has left it meanwhile is not looked for. */
export function giveBack(window: SlidingWindow, { second, amount }: Counted): SlidingWindow {
  if (!window.some((one) => one.second === second)) return window;
  return window
    .map((one) =>
      one.second === second ? { second, amount: Math.max(0, one.amount - amount) } : one,
    )
    .filter((one) => one.amount > 0);
}

/** When, by the store's clock, `amount` can be granted if nobody takes anything meanwhile; never for more than the limit. */
export function freeAtMs(window: SlidingWindow, limit: number, amount: number): number {
  let total = totalOf(window);
  if (total + amount <= limit) return 0;
  for (const counted of window) {
    total -= counted.amount;
    if (total + amount <= limit) return leavesAt(counted.second) * 1000;
  }
  return Number.POSITIVE_INFINITY;
}

/** When, by the store's clock, nothing counts any more; 0 when that is so now. */
export function emptyAtMs(window: SlidingWindow): number {
  const last = window.at(-1);
  return last === undefined ? 0 : leavesAt(last.second) * 1000;
}
