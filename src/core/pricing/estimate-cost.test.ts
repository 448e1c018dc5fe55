import { describe, expect, it } from "vitest";
import { formatUsd } from "../money/picos.ts";
import { BUILT_IN_PRICE_LIST } from "./built-in-price-list.ts";
import { createPriceBook } from "./create-price-book.ts";
import { estimateCost } from "./estimate-cost.ts";

const book = createPriceBook(BUILT_IN_PRICE_LIST);
const request = {
  provider: "openai",
  model: "gpt-4o-mini",
  serviceTier: null,
  variant: null,
  // 2026-09-01
  atMs: 1_788_220_800_000,
  quantities: { input: 500, output: 1500 },
};

describe("estimateCost", () => {
  it("gives the README's example to the pico-dollar, line by line", () => {
    const estimate = estimateCost(book, request);
    if (!estimate.isPriced) throw new Error(estimate.reason);
    // 500 x 0.15 / 1e6 + 1500 x 0.60 / 1e6 = 0.000075 + 0.0009
    expect(formatUsd(estimate.costPicos)).toBe("0.000975");
    expect(
      estimate.lines.map((line) => [
        line.quantityClass,
        line.count,
        line.unitUsd,
        formatUsd(line.amountPicos),
      ]),
    ).toEqual([
      ["input", 500, "0.15", "0.000075"],
      ["output", 1500, "0.6", "0.0009"],
    ]);
    expect(estimate.row.id).toBe("openai/gpt-4o-mini/default@1970-01-01");
    expect(book.rate(request).costPicos).toBe(estimate.costPicos);
  });

  it("has its lines in the order of the classes, whichever was named first", () => {
    const quantities = { output: 1500, cachedInput: 0, input: 500 };
    const estimate = estimateCost(book, { ...request, quantities });
    expect(estimate.isPriced && estimate.lines.map((line) => line.quantityClass)).toEqual([
      "input",
      "output",
    ]);
  });

  it("names the class whose price is charged where a class has none of its own", () => {
    const estimate = estimateCost(book, { ...request, quantities: { reasoningOutput: 10 } });
    if (!estimate.isPriced) throw new Error(estimate.reason);
    expect(estimate.lines[0]).toMatchObject({ pricedAs: "output", unitUsd: "0.6" });
  });

  it("suggests near names for a model without a price, the nearest first", () => {
    const estimate = estimateCost(book, { ...request, model: "gpt4o-mini" });
    expect(estimate).toMatchObject({
      isPriced: false,
      row: null,
      reason: 'no price for model "gpt4o-mini" at openai',
    });
    expect(!estimate.isPriced && estimate.suggestions[0]).toBe("gpt-4o-mini");
    expect(!estimate.isPriced && estimate.suggestions.length).toBeLessThanOrEqual(5);
  });

  it("says which class the row has no price for", () => {
    const estimate = estimateCost(book, { ...request, quantities: { audioInput: 1 } });
    expect(estimate).toMatchObject({
      isPriced: false,
      reason: "openai/gpt-4o-mini/default@1970-01-01 has no price for audioInput",
      suggestions: [],
    });
  });

  it("suggests nothing where there is nothing near, nor for a call without a model", () => {
    expect(estimateCost(book, { ...request, model: "zzzzzzzz" })).toMatchObject({
      suggestions: [],
    });
    expect(estimateCost(book, { ...request, model: null })).toMatchObject({ suggestions: [] });
  });
});
