import { expect, test } from "vitest";
import { CliError } from "./cli-error.ts";
import { parseWhen } from "./parse-when.ts";

const nowMs = Date.UTC(2026, 0, 31, 9, 30, 15);
const parse = (text: string, direction: "ago" | "ahead" = "ago"): string =>
  parseWhen(text, { nowMs, flag: "--from", direction });

test.each([
  ["30m", "2026-01-31T09:00:15.000Z"],
  ["24h", "2026-01-30T09:30:15.000Z"],
  ["7d", "2026-01-24T09:30:15.000Z"],
  ["2w", "2026-01-17T09:30:15.000Z"],
  ["now", "2026-01-31T09:30:15.000Z"],
  ["today", "2026-01-31T00:00:00.000Z"],
  ["yesterday", "2026-01-30T00:00:00.000Z"],
  ["2026-01-01", "2026-01-01T00:00:00.000Z"],
  ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["2026-01-01T12:00+02:00", "2026-01-01T10:00:00.000Z"],
  [" 2026-01-01T12:00:00.5Z ", "2026-01-01T12:00:00.500Z"],
])("%s is %s", (text, expected) => {
  expect(parse(text)).toBe(expected);
});

test("a span points ahead where the future is meant", () => {
  expect(parse("90d", "ahead")).toBe("2026-05-01T09:30:15.000Z");
});

test.each([
  "",
  "soon",
  "-1h",
  "1.5h",
  "1y",
  "9999999h",
  "2026-02-30",
  "2026-13-01",
  "2026-01-01T12:00:00",
  "2026-01-01 12:00",
  "1767225600",
  "999999w",
])("%j is refused, with examples of what is not", (text) => {
  expect(() => parse(text)).toThrow(CliError);
  expect(() => parse(text)).toThrow(/^--from takes a point in time/);
});
