import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant, parseInstant } from "./instants.ts";

describe("parseInstant", () => {
  it.each([
    ["2026-01-31", Date.UTC(2026, 0, 31)],
    ["2026-01-31T09:00Z", Date.UTC(2026, 0, 31, 9)],
    ["2026-01-31T09:00:00Z", Date.UTC(2026, 0, 31, 9)],
    ["2026-01-31T09:00:00.250+02:00", Date.UTC(2026, 0, 31, 7, 0, 0, 250)],
    ["2024-02-29", Date.UTC(2024, 1, 29)],
  ])("reads %s", (text, ms) => {
    expect(parseInstant(text)).toBe(ms);
  });

  it.each([
    "",
    "now",
    "2026",
    "2026-1-31",
    "2026-02-30",
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "2026-01-31T25:00:00Z",
    "2026-01-31T09:00:00",
    "2026-01-31 09:00:00Z",
    "1769850000000",
    "+012026-01-31",
  ])("refuses %s", (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it("reads back every time that an answer can have", () => {
    const times = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) });
    fc.assert(fc.property(times, (ms) => parseInstant(formatInstant(ms)) === ms));
  });
});
