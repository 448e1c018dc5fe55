/**
 * The periods that budgets are counted in: which window an instant lies in. Windows are half-open, and every instant
 * lies in exactly one of each rule, whatever a zone's clock does. Nothing here knows of money.
 */
import { civilFromDays, daysFromCivil, daysInMonth } from "./civil-date.ts";
import { firstInstantAt, offsetChangeIn, offsetMsAt } from "./zone-clock.ts";

export { checkTimeZone } from "./zone-clock.ts";

export const PERIODS = ["hour", "day", "week", "month", "total"] as const;
export type Period = (typeof PERIODS)[number];

export interface PeriodRule {
  readonly period: Period;
  /** A name that `checkTimeZone` takes. */
  readonly timeZone: string;
  /**
   * A local time that `parseAnchor` takes (`2026-01-15T06:00`), from which periods are counted, backwards too; null:
   * from minute 0, 00:00, Monday and the 1st.
   */
  readonly anchor: string | null;
}

export interface PeriodWindow {
  /** Inclusive. */
  readonly startsAtMs: number;
  /** Exclusive; null: it never ends. */
  readonly endsAtMs: number | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
/** Where a JavaScript `Date` ends, and a clock with it. */
const MAX_INSTANT_MS = 8.64e15;

/**
 * The window that an instant lies in.
 *
 * - `day`, `week`, `month` run between local times. A boundary that the clock shows twice is the first of the two; one
 *   that it skips is the instant of the skip. So a day may last 23 or 25 hours.
 * - `month` with an anchor on a day that a month lacks begins on its last day; it is counted from the anchor, so that a
 *   31st comes back after a 28th.
 * - `hour` begins whenever the clock comes to minute 0, also when it does so twice; with an anchor it is 3600 seconds,
 *   counted from the anchor. Where the clock is changed by half an hour, one hour lasts 30 or 90 minutes.
 * - `total` is one window without an end. With an anchor what was before the anchor is a window of its own, with a
 *   limit as any other: a budget for later leaves no hole now.
 *
 * Asked again for the same rule (the same object), it answers from memory while the instant lies in the same window.
 * Throws a RangeError for a rule that the checks would not take, and for what is no instant.
 */
export function windowAt(rule: PeriodRule, atMs: number): PeriodWindow {
  const known = lastWindows.get(rule);
  if (known !== undefined && atMs >= known.startsAtMs && atMs < (known.endsAtMs ?? Infinity)) {
    return known;
  }
  // Written so that NaN is refused as well.
  if (!(Math.abs(atMs) < MAX_INSTANT_MS)) throw new RangeError(`no instant: ${atMs}`);
  const window = findWindow(rule, atMs);
  lastWindows.set(rule, window);
  return window;
}

/** Memory of a pure function: nobody can tell whether it is there. */
const lastWindows = new WeakMap<PeriodRule, PeriodWindow>();

/** Reads `2026-01-15T06:00` as a local time; a refusal is a predicate (`must be …`). */
export function parseAnchor(
  text: string,
): { readonly localMs: number } | { readonly refusal: string } {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)$/.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match?.slice(1).map(Number) ?? [];
  if (match === null || year < 1970 || hour > 23 || minute > 59) {
    return { refusal: 'must be a local date and time from 1970 on, "2026-01-15T06:00"' };
  }
  if (day < 1 || day > daysInMonth(year, month)) {
    return { refusal: "must be a day that the calendar has" };
  }
  const days = daysFromCivil({ year, month, day });
  return { localMs: days * DAY_MS + hour * HOUR_MS + minute * 60_000 };
}

function findWindow(rule: PeriodRule, atMs: number): PeriodWindow {
  const { period, timeZone } = rule;
  const anchorMs = rule.anchor === null ? null : anchorOf(rule.anchor);
  const anchoredAtMs = anchorMs === null ? null : firstInstantAt(timeZone, anchorMs);
  if (period === "total") return totalWindow(anchoredAtMs ?? 0, atMs);
  if (period === "hour") {
    return anchoredAtMs === null ? calendarHour(timeZone, atMs) : countedHour(anchoredAtMs, atMs);
  }
  return windowOfLocalTimes(LOCAL_TIMES[period](anchorMs), timeZone, atMs);
}

function anchorOf(text: string): number {
  const anchor = parseAnchor(text);
  if ("refusal" in anchor) throw new RangeError(`the anchor ${text} ${anchor.refusal}`);
  return anchor.localMs;
}

/** Before the beginning of all, which is the epoch where there is no anchor, lies one more window. */
function totalWindow(beginsAtMs: number, atMs: number): PeriodWindow {
  return atMs >= beginsAtMs
    ? { startsAtMs: beginsAtMs, endsAtMs: null }
    : { startsAtMs: -MAX_INSTANT_MS, endsAtMs: beginsAtMs };
}

/** The local times at which periods begin, numbered in their order. */
interface LocalTimes {
  localMsOf(index: number): number;
  /** The last one that is not after a local time, or a neighbour of it. */
  indexNear(localMs: number): number;
}

const LOCAL_TIMES = {
  day: (anchorMs: number | null) => everyMs(anchorMs ?? 0, DAY_MS),
  week: (anchorMs: number | null) => everyMs(anchorMs ?? FIRST_MONDAY_MS, WEEK_MS),
  month: (anchorMs: number | null) => everyMonth(anchorMs ?? 0),
};

function windowOfLocalTimes(times: LocalTimes, timeZone: string, atMs: number): PeriodWindow {
  const instantOf = (index: number): number => firstInstantAt(timeZone, times.localMsOf(index));
  let index = times.indexNear(atMs + offsetMsAt(timeZone, atMs));
  // Where the clock was put back over a boundary, it shows a local time of the window before.
  while (instantOf(index) > atMs) index -= 1;
  while (instantOf(index + 1) <= atMs) index += 1;
  return { startsAtMs: instantOf(index), endsAtMs: instantOf(index + 1) };
}

function everyMs(fromLocalMs: number, lengthMs: number): LocalTimes {
  return {
    localMsOf: (index) => fromLocalMs + index * lengthMs,
    indexNear: (localMs) => Math.floor((localMs - fromLocalMs) / lengthMs),
  };
}

function everyMonth(fromLocalMs: number): LocalTimes {
  const fromDays = Math.floor(fromLocalMs / DAY_MS);
  const from = civilFromDays(fromDays);
  const timeOfDayMs = fromLocalMs - fromDays * DAY_MS;
  return {
    localMsOf: (index) => {
      const months = from.month - 1 + index;
      const year = from.year + Math.floor(months / 12);
      const month = months - Math.floor(months / 12) * 12 + 1;
      const day = Math.min(from.day, daysInMonth(year, month));
      return daysFromCivil({ year, month, day }) * DAY_MS + timeOfDayMs;
    },
    indexNear: (localMs) => {
      const { year, month } = civilFromDays(Math.floor(localMs / DAY_MS));
      return (year - from.year) * 12 + month - from.month;
    },
  };
}

function countedHour(anchorMs: number, atMs: number): PeriodWindow {
  const startsAtMs = anchorMs + Math.floor((atMs - anchorMs) / HOUR_MS) * HOUR_MS;
  return { startsAtMs, endsAtMs: startsAtMs + HOUR_MS };
}

function calendarHour(timeZone: string, atMs: number): PeriodWindow {
  return { startsAtMs: hourStart(timeZone, atMs), endsAtMs: hourEnd(timeZone, atMs) };
}

function hourStart(timeZone: string, atMs: number): number {
  const offsetMs = offsetMsAt(timeZone, atMs);
  const startsAtMs = floorToHour(atMs + offsetMs) - offsetMs;
  if (offsetMsAt(timeZone, startsAtMs) === offsetMs) return startsAtMs;
  const changeMs = offsetChangeIn(timeZone, startsAtMs, atMs);
  return beginsHour(timeZone, changeMs) ? changeMs : hourStart(timeZone, changeMs - 1);
}

function hourEnd(timeZone: string, atMs: number): number {
  const offsetMs = offsetMsAt(timeZone, atMs);
  const endsAtMs = floorToHour(atMs + offsetMs) + HOUR_MS - offsetMs;
  if (offsetMsAt(timeZone, endsAtMs) === offsetMs) return endsAtMs;
  const changeMs = offsetChangeIn(timeZone, atMs, endsAtMs);
  return beginsHour(timeZone, changeMs) ? changeMs : hourEnd(timeZone, changeMs);
}

/** Whether the clock, changed at this instant, is changed to a full hour or over one. */
function beginsHour(timeZone: string, changeMs: number): boolean {
  const localMs = changeMs + offsetMsAt(timeZone, changeMs);
  const lastMs = changeMs - 1 + offsetMsAt(timeZone, changeMs - 1);
  return localMs === floorToHour(localMs) || floorToHour(localMs) > floorToHour(lastMs);
}

function floorToHour(localMs: number): number {
  return Math.floor(localMs / HOUR_MS) * HOUR_MS;
}
