import * as fc from "fast-check";
import { expect, it } from "vitest";
import { picos } from "../../core/money/picos.ts";
import { fromMoneyColumns, toMoneyColumns } from "./money-columns.ts";

/** Many of them around the amount from which on a number is exact no more, and around whole micro-dollars. */
const amount = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.bigInt({ min: -1000n, max: 1000n }),
    fc.bigInt({ min: -3_000_000n, max: 3_000_000n }).map((near) => 2n ** 52n + near),
    fc.bigInt({ min: -3_000_000n, max: 3_000_000n }).map((near) => -(2n ** 52n) + near),
    fc.bigInt({ min: 0n, max: 2n ** 33n }).map((micros) => micros * 1_000_000n - 1n),
  )
  .map(picos);

it("keeps every amount to the pico-dollar, with a rest that is never negative", () => {
  fc.assert(
    fc.property(amount, (exact) => {
      const { micros, restPicos } = toMoneyColumns(exact);
      expect(fromMoneyColumns(micros, restPicos)).toBe(exact);
      expect(restPicos >= 0n && restPicos < 1_000_000n).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it("refuses an amount that the columns have no room for", () => {
  expect(() => toMoneyColumns(picos(2n ** 63n * 1_000_000n))).toThrow(RangeError);
  expect(() => toMoneyColumns(picos(-(2n ** 63n) * 1_000_000n))).toThrow(RangeError);
});
