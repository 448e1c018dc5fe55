import { expect, test } from "vitest";
import { parseUsd, type Picos } from "../money/picos.ts";
import { formatDollars } from "./format-dollars.ts";

const usd = (text: string): Picos => parseUsd(text) as Picos;

test("dollars are for people: cents from a dollar on, six places below", () => {
  expect(
    ["0", "1", "83.105", "1234567.999", "-2.5"].map((text) => formatDollars(usd(text))),
  ).toEqual(["$0.00", "$1.00", "$83.11", "$1,234,568.00", "-$2.50"]);
  expect(
    ["0.5", "0.000315", "0.0000004", "0.9999999"].map((text) => formatDollars(usd(text))),
  ).toEqual(["$0.50", "$0.000315", "$0.00", "$1.00"]);
});
