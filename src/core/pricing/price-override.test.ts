import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PriceOverrideId } from "../ids/ids.ts";
import { createPriceBook } from "./create-price-book.ts";
import type { RatingRequest } from "./price-book.ts";
import type { PriceList } from "./price-list.ts";
import { findOverlap, type PriceOverride } from "./price-override.ts";

const FROM_MS = 1_000_000;
const UNTIL_MS = 2_000_000;

const list: PriceList = {
  source: "test data 1",
  providers: [
    {
      name: "acme",
      apiPattern: "https://api\\.acme\\.test",
      models: [
        [
          "m",
          ["m", "m-2026-01-01"],
          [
            {
              units: { input: 1000, output: 4000, webSearches: 7 },
              steps: [[100, { input: 2001 }]],
            },
            { tier: "batch", units: { input: 500, output: 2000 } },
          ],
        ],
        ["bare", "bare", [{}]],
        ["charged", "charged", [{ units: { input: 1 }, everyCall: ["requests_kcount"] }]],
      ],
    },
  ],
};

let made = 0;
function override(changes: Partial<PriceOverride> = {}): PriceOverride {
  made += 1;
  return {
    id: `pov_${made}` as PriceOverrideId,
    provider: "acme",
    model: "m",
    tier: "default",
    variant: null,
    unitPrices: { input: 10n, output: 40n },
    discountBasisPoints: null,
    validFromMs: FROM_MS,
    validUntilMs: UNTIL_MS,
    ...changes,
  };
}

const discount = (basisPoints: number, changes: Partial<PriceOverride> = {}) =>
  override({ tier: null, unitPrices: null, discountBasisPoints: basisPoints, ...changes });

const holds = (one: PriceOverride, at: number) =>
  at >= one.validFromMs && (one.validUntilMs === null || at < one.validUntilMs);

function bookWith(...overrides: PriceOverride[]) {
  const book = createPriceBook(list);
  book.replaceOverrides(overrides, 1);
  return book;
}

function request(changes: Partial<RatingRequest> = {}): RatingRequest {
  const quantities = { input: 10, output: 1 };
  const names = { provider: "acme", model: "m", serviceTier: null, variant: null };
  return { ...names, atMs: FROM_MS, quantities, ...changes };
}

describe("a price override", () => {
  it("holds from its first millisecond to the last before its end, and the listed price around it", () => {
    const own = override();
    const book = bookWith(own);
    const costs = [FROM_MS - 1, FROM_MS, UNTIL_MS - 1, UNTIL_MS].map(
      (atMs) => book.rate(request({ atMs })).costPicos,
    );
    expect(costs).toEqual([14_000n, 140n, 140n, 14_000n]);
    expect(book.rate(request()).priceRowId).toBe(`${own.id}:acme/m/default`);
  });

  it("gives an instant to exactly one of two that follow each other", () => {
    const first = override({ unitPrices: { input: 1n, output: 1n } });
    const second = override({
      unitPrices: { input: 2n, output: 2n },
      validFromMs: UNTIL_MS,
      validUntilMs: null,
    });
    expect(findOverlap([first], second)).toBeUndefined();
    const costAt = (atMs: number) => bookWith(second, first).rate(request({ atMs })).costPicos;
    expect([costAt(UNTIL_MS - 1), costAt(UNTIL_MS)]).toEqual([11n, 22n]);
  });

  it("holds for all the names of the listed model that it names, in upper or lower case", () => {
    const book = bookWith(override({ model: "M" }));
    for (const model of ["m", "M", "m-2026-01-01"]) {
      expect(book.rate(request({ model })).costPicos).toBe(140n);
    }
  });

  it("of a snapshot comes before one of its model, and a name before a pattern, the longest first", () => {
    const book = bookWith(
      override({ model: "*", unitPrices: { input: 1n, output: 0n } }),
      override({ model: "m-2026*", unitPrices: { input: 2n, output: 0n } }),
      override({ model: "m-*", unitPrices: { input: 3n, output: 0n } }),
      override({ model: "m", unitPrices: { input: 4n, output: 0n } }),
      override({ model: "m-2026-01-01", unitPrices: { input: 5n, output: 0n } }),
    );
    const priceOf = (model: string) => (book.rate(request({ model })).costPicos ?? 0n) / 10n;
    expect(priceOf("m-2026-01-01")).toBe(5n);
    expect(priceOf("m")).toBe(4n);
    expect(priceOf("m-2026-09-09")).toBe(2n);
    expect(priceOf("m-x")).toBe(3n);
    expect(priceOf("never-heard-of")).toBe(1n);
  });

  it("prices a model and a provider that the list does not know", () => {
    const book = bookWith(override({ provider: "openai-compatible", model: "llama-3" }));
    const unknown = request({ provider: "openai-compatible", model: "llama-3" });
    expect(book.rate(unknown).costPicos).toBe(140n);
    expect(book.rate({ ...unknown, model: "other" }).reason).toBe(
      'no prices for provider "openai-compatible"',
    );
  });

  it("is of one tier; the listed price of another tier stays", () => {
    const book = bookWith(override({ tier: "batch", unitPrices: { input: 1n, output: 1n } }));
    expect(book.rate(request({ serviceTier: "batch" })).costPicos).toBe(11n);
    expect(book.rate(request()).costPicos).toBe(14_000n);
  });

  it("is a whole row: a class that it leaves out has no price", () => {
    const quantities = { input: 1, webSearches: 1 };
    expect(bookWith(override()).rate(request({ quantities })).pricing).toBe("unpriced");
  });

  it("with a variant comes before one without, for that variant alone", () => {
    const book = bookWith(
      override({ unitPrices: { images: 5n } }),
      override({ variant: "hd", unitPrices: { images: 9n } }),
    );
    const costOf = (variant: string | null) =>
      book.rate(request({ variant, quantities: { images: 1 } })).costPicos;
    expect([costOf("hd"), costOf("sd"), costOf(null)]).toEqual([9n, 5n, 5n]);
  });

  it("of zero is free", () => {
    const book = bookWith(override({ unitPrices: { input: 0n, output: 0n } }));
    expect(book.rate(request())).toMatchObject({ pricing: "priced", costPicos: 0n });
  });
});

describe("a discount", () => {
  it("is taken off every class, tier and step of the listed price, rounded up to a pico", () => {
    const agreed = discount(1000, { model: "*" });
    const book = bookWith(agreed);
    expect(book.rate(request()).costPicos).toBe(10n * 900n + 3600n);
    expect(book.rate(request({ serviceTier: "batch" })).costPicos).toBe(10n * 450n + 1800n);
    // 2001 less a tenth is 1800.9
    expect(book.rate(request({ quantities: { input: 100 } })).costPicos).toBe(100n * 1801n);
    // 7 less a tenth is 6.3
    expect(book.rate(request({ quantities: { webSearches: 1 } })).costPicos).toBe(7n);
    expect(book.rate(request()).priceRowId).toBe(`${agreed.id}:acme/m/default@1970-01-01-1000bp`);
  });

  it("is not taken off a price of one's own", () => {
    expect(bookWith(discount(5000), override()).rate(request()).costPicos).toBe(140n);
  });

  it("of everything makes a call free, and of a model without a price makes none", () => {
    const book = bookWith(discount(10_000, { model: "*" }));
    expect(book.rate(request())).toMatchObject({ pricing: "priced", costPicos: 0n });
    expect(book.rate(request({ model: "other" })).pricing).toBe("unpriced");
  });

  it("never raises a price, and never takes more than was agreed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.nat(1_000_000), (basisPoints, input) => {
        const quantities = { input };
        const full = bookWith().rate(request({ quantities })).costPicos ?? 0n;
        const less = bookWith(discount(basisPoints)).rate(request({ quantities })).costPicos ?? 0n;
        expect(less).toBeLessThanOrEqual(full);
        expect(less * 10_000n).toBeGreaterThanOrEqual(full * BigInt(10_000 - basisPoints));
      }),
    );
  });
});

describe("overlaps", () => {
  it("are found for every two that share an instant, and for no others", () => {
    const instant = fc.nat(20);
    const end = fc.option(fc.nat(20), { nil: null });
    fc.assert(
      fc.property(instant, end, instant, end, (aFrom, aUntil, bFrom, bUntil) => {
        const a = override({ validFromMs: aFrom, validUntilMs: aUntil });
        const b = override({ validFromMs: bFrom, validUntilMs: bUntil });
        const shared = Array.from({ length: 22 }, (_, at) => at).some(
          (at) => holds(a, at) && holds(b, at),
        );
        expect(findOverlap([a], b) !== undefined).toBe(shared);
      }),
    );
  });

  it.each([
    ["provider", { provider: "other" }],
    ["model", { model: "m-2" }],
    ["tier", { tier: "batch" }],
    ["variant", { variant: "hd" }],
    ["kind", { unitPrices: null, discountBasisPoints: 1 }],
  ])("are none where the %s differs", (_name, changes) => {
    expect(findOverlap([override()], override(changes))).toBeUndefined();
    expect(findOverlap([override()], override({ model: "M" }))).toBeDefined();
  });
});

describe("the overrides of a price book", () => {
  it("are replaced as a whole, and never by what was read before them", () => {
    const book = bookWith(override());
    book.replaceOverrides([], 0);
    expect(book.rate(request()).costPicos).toBe(140n);
    book.replaceOverrides([], 2);
    expect(book.rate(request()).costPicos).toBe(14_000n);
  });

  it("are listed after the listed rows", () => {
    const own = override();
    expect(bookWith(own, discount(1)).rows().at(-1)?.id).toContain(own.id);
  });

  it("make a model one that has a price", () => {
    const hasPrice = (model: string | null, ...overrides: PriceOverride[]) =>
      bookWith(...overrides).hasPrice({ provider: "acme", model, atMs: FROM_MS });
    expect(hasPrice("m")).toBe(true);
    for (const model of ["other", "bare", "charged", null]) expect(hasPrice(model)).toBe(false);
    expect(hasPrice("other", override({ model: "oth*" }))).toBe(true);
    expect(hasPrice("bare", override({ model: "bare" }))).toBe(true);
    expect(hasPrice("other", discount(100, { model: "*" }))).toBe(false);
    expect(hasPrice("other", override({ model: "other", validFromMs: FROM_MS + 1 }))).toBe(false);
  });
});
