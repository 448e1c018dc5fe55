import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PICOS_PER_USD, formatUsd, parseUsd, picos } from "./picos.ts";

describe("picos", () => {
  it.each([
    ["0", 0n],
    ["12", 12n * PICOS_PER_USD],
    ["0.000315", 315_000_000n],
    ["0.000000000001", 1n],
    ["-1.5", -1_500_000_000_000n],
    ["007.10", 7_100_000_000_000n],
    ["999999999999999.999999999999", 10n ** 27n - 1n],
  ])("reads %s exactly", (text, amount) => {
    expect(parseUsd(text)).toBe(amount);
  });

  it.each([
    "",
    " 1",
    "1 ",
    "+1",
    "1.",
    ".5",
    "1e3",
    "0x10",
    "1,5",
    "NaN",
    "Infinity",
    "--1",
    "1\n",
    "٣",
    "0.0000000000001",
    "1000000000000000",
  ])("refuses %j", (text) => {
    expect(parseUsd(text)).toBeUndefined();
  });

  it.each([
    [0n, "0"],
    [1n, "0.000000000001"],
    [315_000_000n, "0.000315"],
    [-1_500_000_000_000n, "-1.5"],
    [10n * PICOS_PER_USD, "10"],
  ])("writes %s without a float or a trailing zero", (amount, text) => {
    expect(formatUsd(picos(amount))).toBe(text);
  });

  it("reads back every amount that it writes", () => {
    const limit = 10n ** 27n - 1n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit, max: limit }), (amount) => {
        expect(parseUsd(formatUsd(picos(amount)))).toBe(amount);
      }),
    );
  });

  it("writes back every decimal that it reads, in its shortest form", () => {
    fc.assert(
      fc.property(fc.nat(999_999), fc.stringMatching(/^[0-9]{0,12}$/), (whole, fraction) => {
        const text = fraction === "" ? `${whole}` : `${whole}.${fraction}`;
        const amount = parseUsd(text);
        const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
        expect(amount === undefined ? undefined : formatUsd(amount)).toBe(shortest);
      }),
    );
  });
});
