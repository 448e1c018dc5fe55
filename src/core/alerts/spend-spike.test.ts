import { describe, expect, it } from "vitest";
import { parseUsd, type Picos } from "../money/picos.ts";
import { DAY_MS, HOUR_MS } from "./alert-period.ts";
import { comparableHours, isSpike, usualSpend } from "./spend-spike.ts";

const usd = (text: string): Picos => parseUsd(text) as Picos;

describe("a spike", () => {
  const hour = 3_000 * HOUR_MS;

  it("is compared with the same hour of four weeks, or of six days while there are fewer than two weeks", () => {
    const week = 7 * DAY_MS;
    expect(comparableHours(hour, 0)).toEqual([1, 2, 3, 4].map((n) => hour - n * week));
    expect(comparableHours(hour, hour - 2 * week)).toEqual([hour - week, hour - 2 * week]);
    expect(comparableHours(hour, hour - 2 * week + 1)).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => hour - n * DAY_MS),
    );
    expect(comparableHours(hour, hour - 2 * DAY_MS)).toHaveLength(2);
    expect(comparableHours(hour, hour - DAY_MS)).toEqual([]);
  });

  it.each([
    ["three times the median", "3", ["1", "1", "1", "1"], false],
    ["more than that", "3.01", ["1", "1", "1", "1"], true],
    ["less than one of the hours before", "3.01", ["1", "1", "1", "5"], false],
    ["much where nothing was usual", "1", ["0", "0", "0", "0"], true],
    ["less than is worth a word", "0.99", ["0", "0", "0", "0"], false],
    ["with one hour to compare with", "100", ["1"], false],
    ["with none", "100", [], false],
  ])("%s: %s against %j", (_, spent, samples, expected) => {
    const setting = { percentOfUsual: 300, minPicos: usd("1") };
    expect(isSpike(usd(spent), samples.map(usd), setting)).toBe(expected);
  });

  it("takes the lower middle for the usual", () => {
    expect(usualSpend(["4", "1", "3", "2"].map(usd))).toBe(usd("2"));
    expect(usualSpend(["4", "1", "3"].map(usd))).toBe(usd("3"));
  });
});
