import * as fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import {
  PERIODS,
  checkTimeZone,
  parseAnchor,
  windowAt,
  type Period,
  type PeriodRule,
  type PeriodWindow,
} from "./periods.ts";

const ms = (text: string): number => Temporal.Instant.from(text).epochMilliseconds;

function rule(period: Period, timeZone = "UTC", anchor: string | null = null): PeriodRule {
  return { period, timeZone, anchor };
}

/** `2026-03-29T00:00:00Z/2026-03-29T23:00:00Z`. */
function shown({ startsAtMs, endsAtMs }: PeriodWindow): string {
  return [startsAtMs, endsAtMs]
    .map((at) => (at === null ? "…" : Temporal.Instant.fromEpochMilliseconds(at).toString()))
    .join("/");
}

describe("the window of a period, by hand", () => {
  it.each<[string, PeriodRule, string, string]>([
    [
      "an hour",
      rule("hour"),
      "2026-03-05T10:59:59.999Z",
      "2026-03-05T10:00:00Z/2026-03-05T11:00:00Z",
    ],
    ["a day", rule("day"), "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z/2026-03-06T00:00:00Z"],
    [
      "a week from Monday",
      rule("week"),
      "2026-03-08T23:59:59Z",
      "2026-03-02T00:00:00Z/2026-03-09T00:00:00Z",
    ],
    ["a month", rule("month"), "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z/2028-03-01T00:00:00Z"],
    ["all time", rule("total"), "2026-03-05T10:00:00Z", "1970-01-01T00:00:00Z/…"],
    [
      "a day in Berlin, of 23 hours",
      rule("day", "Europe/Berlin"),
      "2026-03-29T12:00:00Z",
      "2026-03-28T23:00:00Z/2026-03-29T22:00:00Z",
    ],
    [
      "a day in Berlin, of 25 hours",
      rule("day", "Europe/Berlin"),
      "2026-10-25T12:00:00Z",
      "2026-10-24T22:00:00Z/2026-10-25T23:00:00Z",
    ],
    [
      "a month in Kathmandu",
      rule("month", "Asia/Kathmandu"),
      "2026-03-31T18:14:59Z",
      "2026-02-28T18:15:00Z/2026-03-31T18:15:00Z",
    ],
    [
      "an hour in Kathmandu",
      rule("hour", "Asia/Kathmandu"),
      "2026-03-05T10:30:00Z",
      "2026-03-05T10:15:00Z/2026-03-05T11:15:00Z",
    ],
    [
      "a day that begins with a skip (Beirut, 00:00 → 01:00)",
      rule("day", "Asia/Beirut"),
      "2026-03-29T10:00:00Z",
      "2026-03-28T22:00:00Z/2026-03-29T21:00:00Z",
    ],
    [
      "a day whose midnight comes twice (Havana)",
      rule("day", "America/Havana"),
      "2026-11-01T05:30:00Z",
      "2026-11-01T04:00:00Z/2026-11-02T05:00:00Z",
    ],
    [
      "the day after one that Samoa left out",
      rule("day", "Pacific/Apia"),
      "2011-12-30T10:00:00Z",
      "2011-12-30T10:00:00Z/2011-12-31T10:00:00Z",
    ],
    [
      "the day before it",
      rule("day", "Pacific/Apia"),
      "2011-12-30T09:59:59Z",
      "2011-12-29T10:00:00Z/2011-12-30T10:00:00Z",
    ],
    [
      "a day that the clock goes back out of (St John's, 00:01 → 23:01)",
      rule("day", "America/St_Johns"),
      "2006-10-29T02:45:00Z",
      "2006-10-29T02:30:00Z/2006-10-30T03:30:00Z",
    ],
    [
      "an offset with seconds (Monrovia until 1972)",
      rule("day", "Africa/Monrovia"),
      "1971-06-01T00:44:29Z",
      "1971-05-31T00:44:30Z/1971-06-01T00:44:30Z",
    ],
    [
      "the first of two hours of one name (Berlin)",
      rule("hour", "Europe/Berlin"),
      "2026-10-25T00:59:59Z",
      "2026-10-25T00:00:00Z/2026-10-25T01:00:00Z",
    ],
    [
      "the second of them",
      rule("hour", "Europe/Berlin"),
      "2026-10-25T01:00:00Z",
      "2026-10-25T01:00:00Z/2026-10-25T02:00:00Z",
    ],
    [
      "the hour before a skipped one",
      rule("hour", "Europe/Berlin"),
      "2026-03-29T00:30:00Z",
      "2026-03-29T00:00:00Z/2026-03-29T01:00:00Z",
    ],
    [
      "90 minutes where the clock goes back by 30 (Lord Howe)",
      rule("hour", "Australia/Lord_Howe"),
      "2026-04-04T15:15:00Z",
      "2026-04-04T14:00:00Z/2026-04-04T15:30:00Z",
    ],
    [
      "30 minutes where it goes forward by 30",
      rule("hour", "Australia/Lord_Howe"),
      "2026-10-03T15:40:00Z",
      "2026-10-03T15:30:00Z/2026-10-03T16:00:00Z",
    ],
    [
      "a day from six o'clock",
      rule("day", "UTC", "2026-01-15T06:00"),
      "2026-03-05T05:00:00Z",
      "2026-03-04T06:00:00Z/2026-03-05T06:00:00Z",
    ],
    [
      "a week from a Thursday, before the anchor",
      rule("week", "UTC", "2026-01-15T06:00"),
      "2026-01-15T05:59:59Z",
      "2026-01-08T06:00:00Z/2026-01-15T06:00:00Z",
    ],
    [
      "a month from the 31st, in February",
      rule("month", "UTC", "2026-01-31T09:00"),
      "2026-03-01T00:00:00Z",
      "2026-02-28T09:00:00Z/2026-03-31T09:00:00Z",
    ],
    [
      "a month from the 31st, in April",
      rule("month", "UTC", "2026-01-31T09:00"),
      "2026-04-30T08:59:59Z",
      "2026-03-31T09:00:00Z/2026-04-30T09:00:00Z",
    ],
    [
      "a month from a leap day",
      rule("month", "UTC", "2024-02-29T00:00"),
      "2027-02-28T00:00:00Z",
      "2027-02-28T00:00:00Z/2027-03-29T00:00:00Z",
    ],
    [
      "a day that begins at a skipped time (New York, 02:30)",
      rule("day", "America/New_York", "2026-01-01T02:30"),
      "2026-03-08T07:00:00Z",
      "2026-03-08T07:00:00Z/2026-03-09T06:30:00Z",
    ],
    [
      "a day that begins at a time shown twice (New York, 01:30)",
      rule("day", "America/New_York", "2026-01-01T01:30"),
      "2026-11-01T05:30:00Z",
      "2026-11-01T05:30:00Z/2026-11-02T06:30:00Z",
    ],
    [
      "an hour from an anchor",
      rule("hour", "Australia/Lord_Howe", "2026-01-15T06:20"),
      "2026-04-04T15:15:00Z",
      "2026-04-04T14:20:00Z/2026-04-04T15:20:00Z",
    ],
    [
      "all time from an anchor",
      rule("total", "Europe/Berlin", "2026-01-15T06:00"),
      "2026-01-15T05:00:00Z",
      "2026-01-15T05:00:00Z/…",
    ],
  ])("%s", (_, given, at, expected) => {
    expect(shown(windowAt(given, ms(at)))).toBe(expected);
  });

  it("counts what was before the anchor of a total in a window of its own", () => {
    const given = rule("total", "UTC", "2026-01-15T06:00");
    const window = windowAt(given, ms("2026-01-15T05:59:59.999Z"));
    expect(window.endsAtMs).toBe(ms("2026-01-15T06:00:00Z"));
    expect(windowAt(given, 0)).toEqual(window);
  });

  it("answers from memory within a window, and not outside", () => {
    const given = rule("day");
    const window = windowAt(given, 5);
    expect(windowAt(given, 86_399_999)).toBe(window);
    expect(windowAt(given, 86_400_000).startsAtMs).toBe(86_400_000);
    expect(windowAt(given, -1).endsAtMs).toBe(0);
  });

  it("refuses what is no instant, and rules that the checks would not take", () => {
    expect(() => windowAt(rule("day"), Number.NaN)).toThrow(RangeError);
    expect(() => windowAt(rule("total"), Infinity)).toThrow(RangeError);
    expect(() => windowAt(rule("day", "Europe/Nowhere"), 0)).toThrow(RangeError);
    expect(() => windowAt(rule("day", "UTC", "tomorrow"), 0)).toThrow(RangeError);
  });
});

describe("what people write", () => {
  it("takes the names of the IANA database, and suggests the nearest", () => {
    expect(checkTimeZone("Europe/Berlin")).toBeNull();
    expect(checkTimeZone("UTC")).toBeNull();
    expect(checkTimeZone("Asia/Kolkata")).toBeNull();
    expect(checkTimeZone("Europe/Berln")).toContain('did you mean "Europe/Berlin"?');
    for (const text of ["", "+02:00", "local", "x".repeat(1000), "../etc"]) {
      expect(checkTimeZone(text), text).toMatch(/^must be a time zone/);
    }
  });

  it("takes a local date and time that there is", () => {
    expect(parseAnchor("1970-01-02T00:01")).toEqual({ localMs: 86_460_000 });
    expect(parseAnchor("2028-02-29T23:59")).toEqual({ localMs: ms("2028-02-29T23:59:00Z") });
    const refused = ["", "2026-01-15", "2026-01-15T24:00", "2026-02-29T00:00", "2026-13-01T00:00"];
    for (const text of [...refused, "2026-01-15T06:00Z", "1969-12-31T00:00", "2026-00-10T00:00"]) {
      expect(parseAnchor(text), text).toHaveProperty("refusal");
    }
  });
});

const zones = fc.constantFrom(...Intl.supportedValuesOf("timeZone"));
const anchors = fc.option(
  fc.integer({ min: 0, max: ms("2040-01-01T00:00:00Z") / 60_000 }).map((minute) =>
    Temporal.Instant.fromEpochMilliseconds(minute * 60_000)
      .toString()
      .slice(0, 16),
  ),
);
/** An instant near a change of the zone's offset, or any. */
function instantsOf(timeZone: string): fc.Arbitrary<number> {
  const any = fc.integer({ min: 0, max: ms("2040-01-01T00:00:00Z") });
  const aroundChange = fc
    .tuple(any, fc.integer({ min: -90_000_000, max: 90_000_000 }))
    .map(([at, around]) => {
      const from = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
      return (from.getTimeZoneTransition("next")?.epochMilliseconds ?? at) + around;
    });
  return fc.oneof(any, aroundChange);
}
const cases = fc
  .record({ timeZone: zones, period: fc.constantFrom(...PERIODS), anchor: anchors })
  .chain((given) => instantsOf(given.timeZone).map((atMs) => ({ given, atMs })));

describe("windows in every zone", () => {
  it("hold their instant, and meet: each boundary belongs to exactly one", () => {
    fc.assert(
      fc.property(cases, ({ given, atMs }) => {
        const window = windowAt({ ...given }, atMs);
        const { startsAtMs, endsAtMs } = window;
        expect(startsAtMs).toBeLessThanOrEqual(atMs);
        expect(atMs).toBeLessThan(endsAtMs ?? Infinity);
        // The same from its first instant and its last one, by a rule that remembers nothing.
        if (given.period !== "total") expect(windowAt({ ...given }, startsAtMs)).toEqual(window);
        if (endsAtMs === null) return;
        expect(windowAt({ ...given }, endsAtMs - 1)).toEqual(window);
        expect(windowAt({ ...given }, endsAtMs).startsAtMs).toBe(endsAtMs);
      }),
      { numRuns: 1000 },
    );
  });

  it("begin and end where Temporal says that their local times are first come to", () => {
    fc.assert(
      fc.property(cases, ({ given, atMs }) => {
        const window = windowAt(given, atMs);
        const boundaries = oracleBoundaries(given, atMs);
        if (boundaries === undefined) return;
        expect(shown(window)).toBe(
          shown({
            startsAtMs: Math.max(...boundaries.filter((at) => at <= atMs)),
            endsAtMs: Math.min(...boundaries.filter((at) => at > atMs)),
          }),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

/** The boundaries around an instant; undefined where Temporal has nothing to say (`total`, hours from an anchor). */
function oracleBoundaries(given: PeriodRule, atMs: number): readonly number[] | undefined {
  const { period, timeZone, anchor } = given;
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  if (period === "total" || (period === "hour" && anchor !== null)) return undefined;
  if (period === "hour") return oracleHours(at);
  const from = Temporal.PlainDateTime.from(anchor ?? "1970-01-05T00:00");
  const first = period === "month" && anchor === null ? from.with({ day: 1 }) : from;
  const unit = { day: "days", week: "weeks", month: "months" }[period] as "days";
  const count = first.until(at.toPlainDateTime(), { largestUnit: unit })[unit];
  return [-2, -1, 0, 1, 2].map((around) =>
    firstShown(first.add({ [unit]: count + around }), timeZone),
  );
}

function firstShown(local: Temporal.PlainDateTime, timeZone: string): number {
  const earlier = local.toZonedDateTime(timeZone, { disambiguation: "earlier" });
  if (earlier.toPlainDateTime().equals(local)) return earlier.epochMilliseconds;
  // It is skipped: what Temporal gives lies before the skip.
  const skip = earlier.getTimeZoneTransition("next");
  if (skip === null) throw new Error(`no transition after ${earlier.toString()}`);
  return skip.epochMilliseconds;
}

/** By looking at the clock every 30 seconds: since 1970 no zone is off by less, so it is never on a full hour between. */
function oracleHours(at: Temporal.ZonedDateTime): readonly number[] {
  const stepMs = 30_000;
  const startMs = Math.floor(at.epochMilliseconds / stepMs) * stepMs - 2 * 3_600_000;
  const boundaries: number[] = [];
  let last: Temporal.PlainDateTime | undefined;
  for (let atMs = startMs; atMs <= startMs + 4 * 3_600_000; atMs += stepMs) {
    const clock = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(at.timeZoneId);
    const hour = clock.toPlainDateTime().round({ smallestUnit: "hour", roundingMode: "floor" });
    const isFull = clock.minute === 0 && clock.second === 0;
    const isOver = last !== undefined && Temporal.PlainDateTime.compare(hour, last) > 0;
    if (isFull || isOver) boundaries.push(atMs);
    last = hour;
  }
  return boundaries;
}
