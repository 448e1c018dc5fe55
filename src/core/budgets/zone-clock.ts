/**
 * The clock on the wall in a time zone. A local time is held as the milliseconds since the epoch that a clock in UTC
 * would show it at; `local = instant + offset`.
 */
import { nearestName } from "../text/nearest-name.ts";
import { daysFromCivil } from "./civil-date.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** No zone was ever further from UTC than this (Manila, -15:56, and Juneau, +15:02, by the sun). */
const MAX_OFFSET_MS = 16 * HOUR_MS;
/** `IANA` names are shorter. */
const MAX_ZONE_CHARACTERS = 64;

/** Why the text names no time zone of the IANA database, as a predicate (`must be …`); null when it names one. */
export function checkTimeZone(text: string): string | null {
  const isName = /^[A-Za-z][\w+/-]*$/.test(text) && text.length <= MAX_ZONE_CHARACTERS;
  if (isName && canFormat(text)) return null;
  const near = nearestName(text, Intl.supportedValuesOf("timeZone"));
  const hint = near === undefined ? 'such as "Europe/Berlin" or "UTC"' : `did you mean "${near}"?`;
  return `must be a time zone of the IANA database, ${hint}`;
}

function canFormat(timeZone: string): boolean {
  try {
    formatterFor(timeZone);
    return true;
  } catch (err) {
    // The only way to ask: an unknown name is a RangeError.
    if (err instanceof RangeError) return false;
    throw err;
  }
}

/** How far the zone's clock is ahead of UTC at an instant, in milliseconds. Throws a RangeError for an unknown zone. */
export function offsetMsAt(timeZone: string, atMs: number): number {
  const field: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatterFor(timeZone).formatToParts(atMs)) {
    field[type] = Number(value);
  }
  const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = field;
  const days = daysFromCivil({ year, month, day });
  const localMs = days * DAY_MS + hour * HOUR_MS + minute * 60_000 + second * SECOND_MS;
  // The formatter tells whole seconds, and rounds down.
  return localMs - Math.floor(atMs / SECOND_MS) * SECOND_MS;
}

/**
 * The first instant at which the zone's clock has come to a local time: of a time that is shown twice the first one, of
 * one that is skipped the instant of the skip. It never falls as the local time rises.
 */
export function firstInstantAt(timeZone: string, localMs: number): number {
  let fromMs = localMs - MAX_OFFSET_MS;
  // Looked at in halves, so that a clock that is changed and changed back within the day does not seem to have stood.
  for (const untilMs of [localMs, localMs + MAX_OFFSET_MS]) {
    const offsetMs = offsetMsAt(timeZone, fromMs);
    const nextOffsetMs = offsetMsAt(timeZone, untilMs);
    const isChanged = offsetMs !== nextOffsetMs;
    const changeMs = isChanged ? offsetChangeIn(timeZone, fromMs, untilMs) : untilMs;
    const reachedMs = localMs - offsetMs;
    if (reachedMs < changeMs) return reachedMs;
    const reachedAfterMs = Math.max(changeMs, localMs - nextOffsetMs);
    if (isChanged && reachedAfterMs <= untilMs) return reachedAfterMs;
    fromMs = untilMs;
  }
  throw new RangeError(`${timeZone} never shows ${localMs}`);
}

/** The instant of a change of the offset after `fromMs` and not after `untilMs`, at which it differs. */
export function offsetChangeIn(timeZone: string, fromMs: number, untilMs: number): number {
  const offsetMs = offsetMsAt(timeZone, fromMs);
  // Changes are on whole seconds.
  let before = Math.floor(fromMs / SECOND_MS);
  let after = Math.floor(untilMs / SECOND_MS);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetMsAt(timeZone, middle * SECOND_MS) === offsetMs) before = middle;
    else after = middle;
  }
  return after * SECOND_MS;
}

/** More zones than there are names for. */
const MAX_FORMATTERS = 1000;
/** A formatter takes tens of microseconds to make. Memory of a pure function: nobody can tell whether it is there. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (formatters.size >= MAX_FORMATTERS) formatters.clear();
    formatters.set(timeZone, formatter);
  }
  return formatter;
}
