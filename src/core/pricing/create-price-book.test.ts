import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QUANTITY_CLASSES } from "../usage/quantities.ts";
import { createPriceBook } from "./create-price-book.ts";
import type { RatingRequest } from "./price-book.ts";
import type { ListedModel, ListedPrices, PriceList } from "./price-list.ts";

const DAY_MS = 86_400_000;
const CHANGE_MS = 100 * DAY_MS;

const cheap: ListedPrices = { units: { input: 2, output: 8 } };
const dear: ListedPrices = { units: { input: 20, output: 80 } };

function listOf(models: readonly ListedModel[]): PriceList {
  return {
    source: "test data 1",
    providers: [
      { name: "acme", apiPattern: "https://api\\.acme\\.test", models },
      {
        name: "reseller",
        apiPattern: "https://[^.]+\\.reseller\\.test",
        fallbacks: ["acme"],
        standardTiers: ["on_demand"],
        models: [["own", "own", [dear]]],
      },
    ],
  };
}

function requestFor(model: string | null, changes: Partial<RatingRequest> = {}): RatingRequest {
  const quantities = { input: 10, output: 1 };
  return {
    provider: "acme",
    model,
    serviceTier: null,
    variant: null,
    atMs: CHANGE_MS,
    quantities,
    ...changes,
  };
}

function bookOf(...prices: ListedPrices[]) {
  return createPriceBook(listOf([["m", "m", prices]]));
}

describe("price book: which row", () => {
  it("takes a model by its outright name before any pattern, whatever stands first", () => {
    const book = createPriceBook(
      listOf([
        ["family", { contains: "model" }, [dear]],
        ["small", ["model-small", "Model-S"], [cheap]],
      ]),
    );
    expect(book.find(requestFor("model-small"))?.model).toBe("small");
    expect(book.find(requestFor("MODEL-s"))?.model).toBe("small");
    expect(book.find(requestFor("model-large"))?.model).toBe("family");
  });

  it("tries patterns in the list's order, of every kind", () => {
    const book = createPriceBook(
      listOf([
        ["begins", { startsWith: "A-" }, [cheap]],
        ["ends", { endsWith: "-Z" }, [cheap]],
        ["both", { and: [{ contains: "mid" }, { regex: "^(?!.*tts)" }] }, [cheap]],
        ["dated", { regex: "^m-\\d{4}$" }, [cheap]],
      ]),
    );
    const found = (model: string) => book.find(requestFor(model))?.model;
    expect(found("a-x-z")).toBe("begins");
    expect(found("b-z")).toBe("ends");
    expect(found("b-mid-b")).toBe("both");
    expect(found("b-mid-tts")).toBeUndefined();
    expect(found("m-2026")).toBe("dated");
    expect(found("M-2026")).toBeUndefined();
  });

  it("takes prices that a provider does not list from its fallbacks, and says whose they are", () => {
    const book = createPriceBook(listOf([["m", "m", [cheap]]]));
    expect(book.rate(requestFor("own", { provider: "reseller" })).costPicos).toBe(280n);
    const rating = book.rate(requestFor("m", { provider: "reseller" }));
    expect(rating).toMatchObject({ costPicos: 28n, priceRowId: "acme/m/default@1970-01-01" });
  });

  it("finds a name whose date is written without hyphens", () => {
    const book = createPriceBook(listOf([["m", ["m-2024-08-06"], [cheap]]]));
    expect(book.find(requestFor("m-20240806"))?.model).toBe("m");
    expect(book.find(requestFor("m-20241306"))).toBeUndefined();
  });

  it("changes prices at the first millisecond of the new row's day", () => {
    const book = bookOf(
      { ...dear, untilMs: CHANGE_MS },
      { ...cheap, from: ["1970-04-11", CHANGE_MS] },
    );
    const before = book.rate(requestFor("m", { atMs: CHANGE_MS - 1 }));
    const after = book.rate(requestFor("m", { atMs: CHANGE_MS }));
    expect(before).toMatchObject({ costPicos: 280n, priceRowId: "acme/m/default@1970-01-01" });
    expect(after).toMatchObject({ costPicos: 28n, priceRowId: "acme/m/default@1970-04-11" });
  });

  it("does not price a call from before the first row", () => {
    const book = bookOf({ ...cheap, from: ["1970-04-11", CHANGE_MS] });
    expect(book.rate(requestFor("m", { atMs: CHANGE_MS - 1 }))).toMatchObject({
      pricing: "unpriced",
      reason: 'no price for model "m" at acme at that time',
    });
  });

  it("charges by the hour of the day, over midnight too", () => {
    const morning = 8 * 3600;
    const book = bookOf(cheap, { ...dear, daily: [22 * 3600, morning] });
    const costAt = (second: number) =>
      book.rate(requestFor("m", { atMs: CHANGE_MS + second * 1000 })).costPicos;
    expect(costAt(22 * 3600 - 1)).toBe(28n);
    expect(costAt(22 * 3600)).toBe(280n);
    expect(costAt(3600)).toBe(280n);
    expect(costAt(morning - 1)).toBe(280n);
    expect(costAt(morning)).toBe(28n);
    expect(book.rows().map(({ id }) => id)).toContain("acme/m/default@1970-01-01T22:00-08:00Z");
  });

  it.each([null, "", "default", "standard", "auto", "Default"])(
    "takes tier %j for the standard tier",
    (serviceTier) => {
      expect(bookOf(cheap).rate(requestFor("m", { serviceTier })).costPicos).toBe(28n);
    },
  );

  it.each(["flex", "priority", "batch", "scale", "on_demand"])(
    "never charges tier %s at the standard price",
    (serviceTier) => {
      expect(bookOf(cheap).rate(requestFor("m", { serviceTier }))).toEqual({
        pricing: "unpriced",
        costPicos: null,
        priceRowId: null,
        reason: `no price for tier "${serviceTier}" of model "m" at acme, only for default`,
      });
    },
  );

  it("prices each tier by its own rows, and never by those of the standard tier", () => {
    const half: ListedPrices = { tier: "batch", units: { input: 1, output: 4 } };
    const book = bookOf(cheap, half);
    expect(book.rate(requestFor("m", { serviceTier: "Batch" }))).toMatchObject({
      costPicos: 14n,
      priceRowId: "acme/m/batch@1970-01-01",
    });
    expect(book.rate(requestFor("m")).priceRowId).toBe("acme/m/default@1970-01-01");
    expect(book.rate(requestFor("m", { serviceTier: "flex" })).reason).toContain('tier "flex"');
  });

  it("takes over another provider's standard prices, never its tiers", () => {
    const book = bookOf(cheap, { ...cheap, tier: "priority" });
    const request = requestFor("m", { provider: "reseller" });
    expect(book.rate(request).costPicos).toBe(28n);
    expect(book.rate({ ...request, serviceTier: "priority" })).toMatchObject({
      pricing: "unpriced",
      reason: 'no price for tier "priority" of model "m" at reseller, only for default',
    });
  });

  it("prices a variant by its own row, else by the row that holds for all of them", () => {
    const book = bookOf(
      { ...cheap, variant: "hd/1024x1024", units: { images: 80 } },
      { units: { images: 40 } },
      { ...cheap, variant: "hd/1024x1792", units: { images: 120 } },
    );
    const rate = (variant: string | null) =>
      book.rate(requestFor("m", { variant, quantities: { images: 2 } }));
    expect(rate("hd/1024x1024")).toMatchObject({
      costPicos: 160n,
      priceRowId: "acme/m[hd/1024x1024]/default@1970-01-01",
    });
    expect(rate("hd/1024x1792").costPicos).toBe(240n);
    expect(rate("standard/1024x1024").costPicos).toBe(80n);
    expect(rate(null).costPicos).toBe(80n);
  });

  it("says what is missing of a model that is priced by variant alone", () => {
    const book = bookOf({ ...cheap, variant: "hd" });
    const rate = (variant: string | null) => book.rate(requestFor("m", { variant })).reason;
    expect(rate(null)).toBe(
      'model "m" at acme is priced by variant, only for hd, and the call has none',
    );
    expect(rate("sd")).toBe('no price for variant "sd" of model "m" at acme, only for hd');
  });

  it("knows a provider's own word for its standard tier", () => {
    const request = requestFor("m", { provider: "reseller", serviceTier: "on_demand" });
    expect(bookOf(cheap).rate(request).costPicos).toBe(28n);
  });

  it.each([
    [requestFor("unknown"), 'no price for model "unknown" at acme'],
    [requestFor(null), "the call names no model"],
    [requestFor("m", { provider: "nobody" }), 'no prices for provider "nobody"'],
    [requestFor(`m${"x".repeat(10_000)}`), `no price for model "m${"x".repeat(99)}" at acme`],
  ])("leaves a call unpriced, never free, when nothing is known (%#)", (request, reason) => {
    const rating = bookOf(cheap).rate(request);
    expect(rating).toEqual({ pricing: "unpriced", costPicos: null, priceRowId: null, reason });
    expect(bookOf(cheap).find(request)).toBeUndefined();
  });

  it("gives the same answer for a name however often and among however many it is asked", () => {
    const book = createPriceBook(listOf([["m", { startsWith: "m-" }, [cheap]]]));
    for (let i = 0; i < 3000; i += 1) book.find(requestFor(`x-${i}`));
    for (let i = 0; i < 3000; i += 1) {
      expect(book.rate(requestFor(`m-${i % 7}`)).costPicos).toBe(28n);
      expect(book.rate(requestFor(`x-${i}`)).costPicos).toBeNull();
    }
  });

  it("finds the provider behind a base URL", () => {
    const book = bookOf(cheap);
    expect(book.providerAt("https://api.acme.test/v1")).toBe("acme");
    expect(book.providerAt("https://eu.reseller.test/openai/v1")).toBe("reseller");
    expect(book.providerAt("http://127.0.0.1:8000/v1")).toBeUndefined();
    expect(book.providerAt(`https://api.acme.test/${"x".repeat(3000)}`)).toBeUndefined();
  });
});

describe("price book: what it costs", () => {
  it("adds up every class at its own price, exactly", () => {
    const units = Object.fromEntries(QUANTITY_CLASSES.map((name, i) => [name, 10 ** i]));
    const quantities = Object.fromEntries(QUANTITY_CLASSES.map((name, i) => [name, i]));
    const rating = bookOf({ units }).rate(requestFor("m", { quantities }));
    expect(rating.costPicos).toBe(1_876_543_209_876_543_210n);
  });

  it("is exact where a float is not", () => {
    const units = { input: 3_333_333_333, output: 1 };
    const quantities = { input: 999_999_999, output: 1 };
    expect(bookOf({ units }).rate(requestFor("m", { quantities })).costPicos).toBe(
      3_333_333_329_666_666_668n,
    );
  });

  it("charges reasoning as output, cache use and images as input, where they have no price of their own", () => {
    const quantities = { cachedInput: 1, cacheWriteInput: 2, imageInput: 4, reasoningOutput: 8 };
    const own = { cachedInput: 100, cacheWriteInput: 1000, imageInput: 10_000, reasoningOutput: 3 };
    expect(bookOf(cheap).rate(requestFor("m", { quantities })).costPicos).toBe(78n);
    const book = bookOf({ units: { ...cheap.units, ...own } });
    expect(book.rate(requestFor("m", { quantities })).costPicos).toBe(42_124n);
  });

  it("charges cached audio as audio where no discount is known, never as text", () => {
    const quantities = { cachedAudioInput: 3 };
    const book = bookOf({ units: { input: 2, cachedInput: 1, audioInput: 50 } });
    expect(book.rate(requestFor("m", { quantities })).costPicos).toBe(150n);
    expect(bookOf(cheap).rate(requestFor("m", { quantities })).pricing).toBe("unpriced");
  });

  it.each(["audioInput", "audioOutput", "imageOutput"])(
    "leaves a call unpriced whose %s has no price",
    (name) => {
      expect(bookOf(cheap).rate(requestFor("m", { quantities: { [name]: 1 } }))).toEqual({
        pricing: "unpriced",
        costPicos: null,
        priceRowId: null,
        reason: `acme/m/default@1970-01-01 has no price for ${name}`,
      });
      const unused = requestFor("m", { quantities: { input: 1, [name]: 0 } });
      expect(bookOf(cheap).rate(unused).costPicos).toBe(2n);
    },
  );

  it("tells an explicit price of zero from a missing one", () => {
    const quantities = { input: 5 };
    expect(bookOf({ units: { input: 0 } }).rate(requestFor("m", { quantities }))).toMatchObject({
      pricing: "priced",
      costPicos: 0n,
    });
    expect(bookOf({}).rate(requestFor("m", { quantities }))).toMatchObject({
      pricing: "unpriced",
      costPicos: null,
    });
    expect(bookOf({ free: true }).rate(requestFor("m", { quantities })).costPicos).toBe(0n);
  });

  it("prices a call that used nothing at zero", () => {
    expect(bookOf(cheap).rate(requestFor("m", { quantities: {} }))).toMatchObject({
      pricing: "priced",
      costPicos: 0n,
    });
  });

  it("charges the whole call at the long-context step that its input reaches, cached input included", () => {
    const book = bookOf({ ...cheap, steps: [[100, { input: 4, cachedInput: 1, output: 12 }]] });
    const cost = (input: number, cachedInput: number) =>
      book.rate(requestFor("m", { quantities: { input, cachedInput, output: 10 } })).costPicos;
    expect(cost(99, 0)).toBe(99n * 2n + 80n);
    expect(cost(100, 0)).toBe(100n * 4n + 120n);
    expect(cost(40, 60)).toBe(40n * 4n + 60n + 120n);
  });

  it("prices no call whose tokens are only a part of what it costs", () => {
    const book = bookOf({
      ...cheap,
      everyCall: ["requests_kcount"],
      onUse: ["web_searches_kcount"],
    });
    const reason =
      "acme/m/default@1970-01-01 also charges every call by requests_kcount, which is not metered";
    expect(book.rate(requestFor("m"))).toMatchObject({ pricing: "unpriced", reason });
    expect(book.rate(requestFor("m", { quantities: {} })).pricing).toBe("unpriced");
    expect(book.find(requestFor("m"))?.excludedCharges).toEqual(["web_searches_kcount"]);
  });

  it("prices every call of a free provider at zero, whatever its model, tier and quantities", () => {
    const book = createPriceBook(listOf([]), { freeProviders: ["simulator"] });
    const quantities = Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, 7]));
    const request = { provider: "simulator", serviceTier: "flex", quantities };
    for (const model of ["anything", null]) {
      expect(book.rate(requestFor(model, request))).toEqual({
        pricing: "priced",
        costPicos: 0n,
        priceRowId: "simulator/*/default@1970-01-01",
        reason: null,
      });
    }
    expect(book.rows()[0]?.id).toBe("simulator/*/default@1970-01-01");
  });

  it("never gives a negative cost, and none without a row", () => {
    const quantities = fc.record(
      Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, fc.nat(1_000_000)])),
      { requiredKeys: [] },
    );
    const units = fc.record(
      Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, fc.nat(10 ** 9)])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(quantities, units, (used, prices) => {
        const rating = bookOf({ units: prices }).rate(requestFor("m", { quantities: used }));
        const isPriced = rating.pricing === "priced";
        expect(isPriced).toBe(rating.costPicos !== null && rating.costPicos >= 0n);
        expect(isPriced).toBe(rating.priceRowId !== null);
        expect(isPriced).toBe(rating.reason === null);
      }),
    );
  });
});
