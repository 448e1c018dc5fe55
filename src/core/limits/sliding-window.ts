/**
 * Exact counting over any 60 seconds, by processes that share a store and no clock.
 *
 * Processes take *permits* in the store, in batches, and use them without asking. A permit is recorded at the moment by
 * which it is used at the latest: granted at `g` and good for `v`, it is recorded at `g + v`. A batch is granted only when
 * it and everything recorded within the last 60 seconds, or ahead, come to no more than the limit. Of the permits that are
 * used within one window of 60 seconds, look at the one that was granted last: all the others were recorded by then, none
 * of them 60 seconds ago or earlier. So they were counted, and together they are within the limit. What is not used is
 * given back, and what was used is moved to when it was: that only lowers counts.
 */

/** An amount, and the moment (of the store's clock, in ms since the epoch) by which it is used. */
export interface Counted {
  readonly atMs: number;
  readonly amount: number;
}

/** Ascending, one entry for each step of time at most, amounts above zero. */
export type SlidingWindow = readonly Counted[];

export const WINDOW_MS = 60_000;
/** What is used at once, or nearly. */
export const SHORT_VALID_MS = 250;
/** What is taken in advance while there is little left: it keeps a second of the window from others. */
export const SCARCE_VALID_MS = 1_000;
/** While there is plenty, a permit may wait for its call a while, so that the store is asked seldom. */
export const LONG_VALID_MS = 10_000;
/** What falls into one step is counted as one, at the latest moment of it that was recorded. */
const STEP_MS = 100;

/** From then on, what was recorded at `atMs` counts no longer. One more, because both moments are rounded down. */
const leavesAt = (atMs: number): number => atMs + WINDOW_MS + 1;

export function stepOf(atMs: number): number {
  return Math.floor(atMs / STEP_MS);
}

/**
 * What still counts. A moment further ahead than any permit is good for was recorded before the clock stepped back: it
 * counts as now, so that a limit is not held up for longer than a window.
 */
export function countedAt(window: SlidingWindow, nowMs: number): SlidingWindow {
  const latestMs = nowMs + LONG_VALID_MS;
  const isCurrent = ({ atMs }: Counted): boolean => leavesAt(atMs) > nowMs && atMs <= latestMs;
  if (window.every(isCurrent)) return window;
  let current: SlidingWindow = window.filter(isCurrent);
  for (const { atMs, amount } of window) {
    if (atMs > latestMs) current = record(current, { atMs: latestMs, amount });
  }
  return current;
}

export function totalOf(window: SlidingWindow): number {
  let total = 0;
  for (const { amount } of window) total += amount;
  return total;
}

/** The window with one amount more. */
export function record(window: SlidingWindow, { atMs, amount }: Counted): SlidingWindow {
  if (amount <= 0) return window;
  const step = stepOf(atMs);
  const before = window.filter((one) => stepOf(one.atMs) < step);
  const same = window.find((one) => stepOf(one.atMs) === step);
  const after = window.filter((one) => stepOf(one.atMs) > step);
  const together =
    same === undefined
      ? { atMs, amount }
      : { atMs: Math.max(atMs, same.atMs), amount: amount + same.amount };
  return [...before, together, ...after];
}

/** The window without an amount that was recorded and is not used. What has left it meanwhile is not looked for. */
export function giveBack(window: SlidingWindow, { atMs, amount }: Counted): SlidingWindow {
  const step = stepOf(atMs);
  if (!window.some((one) => stepOf(one.atMs) === step)) return window;
  return window
    .map((one) =>
      stepOf(one.atMs) === step ? { ...one, amount: Math.max(0, one.amount - amount) } : one,
    )
    .filter((one) => one.amount > 0);
}

/** When, by the store's clock, `amount` can be granted if nobody takes anything meanwhile; never for more than the limit. */
export function freeAtMs(window: SlidingWindow, limit: number, amount: number): number {
  let total = totalOf(window);
  if (total + amount <= limit) return 0;
  for (const counted of window) {
    total -= counted.amount;
    if (total + amount <= limit) return leavesAt(counted.atMs);
  }
  return Number.POSITIVE_INFINITY;
}

/** When, by the store's clock, nothing counts any more; 0 when that is so now. */
export function emptyAtMs(window: SlidingWindow): number {
  const last = window.at(-1);
  return last === undefined ? 0 : leavesAt(last.atMs);
}
