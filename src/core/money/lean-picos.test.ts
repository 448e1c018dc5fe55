import * as fc from "fast-check";
import { expect, it } from "vitest";
import { differenceOf, exactPicos, leanPicos, sumOf, timesOf } from "./lean-picos.ts";

/** Many of them around the amount from which on a number is exact no more. */
const amount = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.bigInt({ min: -1000n, max: 1000n }).map((near) => 2n ** 52n + near),
  fc.bigInt({ min: -1000n, max: 1000n }).map((near) => -(2n ** 52n) + near),
  fc.bigInt({ min: -1000n, max: 1000n }).map((near) => 2n ** 53n + near),
);

it("adds and takes away to the pico-dollar, however much it is", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), amount), { maxLength: 50 }), (steps) => {
      let exact = 0n;
      let lean = leanPicos(exact);
      for (const [isAdded, by] of steps) {
        exact = isAdded ? exact + by : exact - by;
        lean = isAdded ? sumOf(lean, leanPicos(by)) : differenceOf(lean, leanPicos(by));
        expect(exactPicos(lean)).toBe(exact);
        expect(lean > leanPicos(by)).toBe(exact > by);
      }
    }),
  );
});

it("multiplies to the pico-dollar, however much it is", () => {
  const count = fc.oneof(fc.nat(1000), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
  fc.assert(
    fc.property(amount, count, (price, times) => {
      expect(exactPicos(timesOf(leanPicos(price), times))).toBe(price * BigInt(times));
    }),
  );
});

it("is a number whenever that is exact in a sum", () => {
  expect(leanPicos(2n ** 52n)).toBe(2 ** 52);
  expect(leanPicos(2n ** 52n + 1n)).toBe(2n ** 52n + 1n);
  expect(differenceOf(2n ** 52n + 1n, 1)).toBe(2 ** 52);
});
