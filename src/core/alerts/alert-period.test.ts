import { assert, date, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { ALERT_PERIODS, periodStartMs } from "./alert-period.ts";

/** The code here has no calendar but its own; the test compares it with the platform's. */
const Calendar = globalThis.Date;

describe("periodStartMs", () => {
  it("is what the calendar says, from 1900 to 2200", () => {
    assert(
      property(
        date({
          min: new Calendar("1900-01-01"),
          max: new Calendar("2200-01-01"),
          noInvalidDate: true,
        }),
        (instant) => {
          const [year, month, day] = [
            instant.getUTCFullYear(),
            instant.getUTCMonth(),
            instant.getUTCDate(),
          ];
          const weekday = (instant.getUTCDay() + 6) % 7;
          expect(periodStartMs("month", instant.getTime())).toBe(Calendar.UTC(year, month, 1));
          expect(periodStartMs("week", instant.getTime())).toBe(
            Calendar.UTC(year, month, day - weekday),
          );
          expect(periodStartMs("day", instant.getTime())).toBe(Calendar.UTC(year, month, day));
          expect(periodStartMs("hour", instant.getTime())).toBe(
            Calendar.UTC(year, month, day, instant.getUTCHours()),
          );
        },
      ),
    );
  });

  it("of a period's start is itself", () => {
    for (const period of ALERT_PERIODS) {
      const start = periodStartMs(period, Calendar.UTC(2028, 1, 29, 13, 5));
      expect(periodStartMs(period, start)).toBe(start);
      expect(periodStartMs(period, start - 1)).toBeLessThan(start);
    }
  });
});
