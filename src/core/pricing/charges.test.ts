import * as fc from "fast-check";
import { expect, it } from "vitest";
import { QUANTITY_CLASSES } from "../usage/quantities.ts";
import { BUILT_IN_PRICE_LIST } from "./built-in-price-list.ts";
import { chargesOf, costOf } from "./charges.ts";
import { createPriceBook } from "./create-price-book.ts";

const rows = createPriceBook(BUILT_IN_PRICE_LIST).rows();

/** Mostly as many as calls have, and now and then so many that their cost is no exact number any more. */
const count = fc.oneof(fc.nat(10_000), fc.constant(0), fc.nat(2 ** 40));
const quantities = fc.dictionary(fc.constantFrom(...QUANTITY_CLASSES), count, { maxKeys: 5 });

it("charges by every row of the list what its lines come to, to the pico-dollar", () => {
  let priced = 0;
  fc.assert(
    fc.property(fc.constantFrom(...rows), quantities, (row, used) => {
      const cost = costOf(row, used);
      const charges = chargesOf(row, used);
      if (!cost.isPriced || !charges.isPriced) {
        expect(charges).toEqual(cost);
        return;
      }
      let sum = 0n;
      for (const { count: units, picosPerUnit, amountPicos } of charges.lines) {
        expect(amountPicos).toBe(BigInt(units) * picosPerUnit);
        sum += amountPicos;
      }
      expect(charges.costPicos).toBe(sum);
      expect(cost.costPicos).toBe(sum);
      expect(charges.lines).toHaveLength(Object.values(used).filter((units) => units > 0).length);
      priced += 1;
    }),
    { numRuns: 2000 },
  );
  expect(priced).toBeGreaterThan(100);
});
