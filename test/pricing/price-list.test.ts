import { readFileSync } from "node:fs";
import { calcPrice, findProvider } from "@pydantic/genai-prices";
import { describe, expect, it } from "vitest";
import { applyPriceOverlay } from "../../scripts/apply-price-overlay.ts";
import { PRICE_LIST_URL, buildPriceList } from "../../scripts/build-price-book.ts";
import { convertProvider, picosPerToken } from "../../scripts/price-list-source.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import type { PriceRow } from "../../src/core/pricing/price-book.ts";
import type { ModelMatch, PriceList } from "../../src/core/pricing/price-list.ts";
import { TOKEN_CLASSES } from "../../src/core/usage/quantities.ts";

const built = buildPriceList();

describe("the shipped price list", () => {
  it("is what the script makes of the installed data (else run `npm run prices` and read the difference)", () => {
    expect(readFileSync(PRICE_LIST_URL, "utf8") === built.text).toBe(true);
  });

  it("gives every row an id of its own and only whole, non-negative prices", () => {
    const rows = createPriceBook(built.list).rows();
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    for (const { unitPrices, steps } of rows) {
      for (const prices of [unitPrices, ...steps.map((step) => step.unitPrices)]) {
        for (const price of Object.values(prices)) expect(price).toBeGreaterThanOrEqual(0n);
      }
    }
  });

  it("reports every charge that it does not take over", () => {
    const report = built.report.join("\n");
    expect(report).toContain("perplexity/sonar: requests_kcount is not metered, stays unpriced");
    expect(report).toContain("groq/whisper-large-v3: input_audio_hours is not metered");
    expect(report).toContain("cerebras/qwen-3-coder-480b: listed without any price");
    expect(report).toContain("0.08333333333333334 USD per million taken as 83334 picos per token");
  });

  // The data package's own engine, in floats, is an independent reading of the same data.
  const dates = [
    "2025-01-15T12:00:00Z",
    "2026-09-01T02:30:00Z",
    "2026-10-01T20:00:00Z",
    "2027-02-01T05:00:00Z",
  ];
  it.each(dates)("agrees with the data's own engine for every name in the list on %s", (date) => {
    const book = createPriceBook(built.list);
    let compared = 0;
    for (const { provider, model } of namesOf(built.list)) {
      const request = { provider, model, serviceTier: null, variant: null, atMs: Date.parse(date) };
      const row = book.find(request);
      if (row === undefined) {
        const options = { providerId: provider, timestamp: new Date(date) };
        expect(calcPrice({ input_tokens: 1 }, model, options), model).toBeNull();
        continue;
      }
      const isComparable =
        row.unitPrices.input !== undefined &&
        row.unmeteredCharges.length === 0 &&
        !isMendedHere(row, date);
      if (!isComparable) continue;
      for (const inputTokens of [1000, 300_000]) {
        const cached = row.unitPrices.cachedInput === undefined ? 0 : 400;
        const output = row.unitPrices.output === undefined ? 0 : 70;
        const quantities = { input: inputTokens - cached, cachedInput: cached, output };
        const rating = book.rate({ ...request, quantities });
        const theirs = calcPrice(
          { input_tokens: inputTokens, cache_read_tokens: cached, output_tokens: output },
          model,
          { providerId: provider, timestamp: new Date(date) },
        );
        expect(Number(rating.costPicos) / 1e12, `${provider} ${model}`).toBeCloseTo(
          theirs?.total_price ?? Number.NaN,
          9,
        );
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(3000);
  });
});

/** Every name that a match lists outright, and one for every pattern that tells one. */
function namesOf(list: PriceList): { readonly provider: string; readonly model: string }[] {
  return list.providers.flatMap(({ name, models }) =>
    models.flatMap(([, match]) => namesIn(match).map((model) => ({ provider: name, model }))),
  );
}

function namesIn(match: ModelMatch): string[] {
  if (typeof match === "string") return [match];
  if ("startsWith" in match) return [`${match.startsWith}x`];
  if ("endsWith" in match) return [`x${match.endsWith}`];
  if ("contains" in match) return [`x-${match.contains}-x`];
  if ("regex" in match)
    return [match.regex.replaceAll(/\\d(\{\d\})?/g, "1").replaceAll(/[\^$\\]/g, "")];
  return ("and" in match ? match.and : match).flatMap(namesIn);
}

/** The data's engine lets the V4 models' peak hours reach back before the day that brought them (its own note says so). */
function isMendedHere(row: PriceRow, date: string): boolean {
  return row.provider === "deepseek" && row.model.includes("-v4-") && date < "2026-08-17";
}

describe("the overlay", () => {
  const book = createPriceBook(built.list);
  const rows = book.rows();
  const atMs = Date.parse("2026-11-24T12:00:00Z");
  const row = (model: string, serviceTier: string | null, provider = "openai") =>
    book.find({ provider, model, serviceTier, variant: null, atMs });

  it("names a source for every price that is not the data's", () => {
    for (const one of rows) {
      const isOurs = one.tier !== "default" || one.variant !== null;
      if (isOurs) expect(one.source.length, one.id).toBeGreaterThan(built.list.source.length);
      else expect(one.source.length).toBeGreaterThan(0);
    }
  });

  it("stops when it names a model that the data does not have", () => {
    const renamed = built.list.providers.map((provider) => ({
      ...provider,
      models: provider.models.filter(([id]) => id !== "gpt-4o"),
    }));
    expect(() => applyPriceOverlay(renamed, "x")).toThrow("the data has no openai/gpt-4o");
  });

  it("keeps the order of the tiers: batch and flex below standard, priority above, class by class", () => {
    let compared = 0;
    for (const one of rows) {
      if (one.tier === "default") continue;
      const standard = rows.find(
        ({ provider, model, variant, validFromMs, tier }) =>
          tier === "default" &&
          provider === one.provider &&
          model === one.model &&
          variant === one.variant &&
          validFromMs === one.validFromMs,
      );
      expect(standard, one.id).toBeDefined();
      for (const name of ["input", "output"] as const) {
        const [price = 0n, usual = 0n] = [one.unitPrices[name], standard?.unitPrices[name]];
        if (one.tier === "priority") expect(price, one.id).toBeGreaterThan(usual);
        else expect(price * 2n, one.id).toBe(usual);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(200);
  });

  it("makes no long-context step cheaper than what comes before it, on any tier", () => {
    for (const { id, unitPrices, steps } of rows) {
      let before = unitPrices;
      for (const step of steps) {
        for (const name of TOKEN_CLASSES) {
          const [price, lower] = [step.unitPrices[name], before[name]];
          if (price === undefined || lower === undefined) continue;
          expect(price, `${id} ${name}`).toBeGreaterThanOrEqual(lower);
        }
        before = step.unitPrices;
      }
    }
  });

  it("charges tools the same on every tier, and lets an unknown tier have no price", () => {
    for (const tier of [null, "flex", "batch"]) {
      const { webSearches, fileSearches } = row("gpt-5.4", tier)?.unitPrices ?? {};
      expect([webSearches, fileSearches]).toEqual([10_000_000_000n, 2_500_000_000n]);
    }
    expect(row("gpt-5.4", "scale")).toBeUndefined();
    expect(row("claude-opus-4-8", "priority", "anthropic")).toBeUndefined();
    expect(row("gpt-4o", "priority", "azure")).toBeUndefined();
  });
});

describe("the conversion", () => {
  it.each([
    [0.15, 150_000],
    [0.0028, 2800],
    [0.003625, 3625],
    [1e-6, 1],
    [2.5e-5, 25],
    [75, 75_000_000],
    [0, 0],
    // 0.1 + 0.08 as a float: the noise in the 17th digit is no price.
    [0.18000000000000002, 180_000],
  ])("moves the decimal point of %s to %s picos per token", (usd, expected) => {
    expect(picosPerToken(usd, "", { lines: [] })).toBe(expected);
  });

  it("rounds up what is finer than a pico, and says so", () => {
    const report = { lines: [] as string[] };
    expect(picosPerToken(0.0000005, "x", report)).toBe(1);
    expect(report.lines).toEqual(["x: 5e-7 USD per million taken as 1 picos per token"]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e7])("refuses %s as a price", (bad) => {
    expect(() => picosPerToken(bad, "x", { lines: [] })).toThrow("not a price");
  });

  it("stops at a charge that nobody has decided about", () => {
    expect(() => convert({ input_mtok: 1, moon_phase_kcount: 2 })).toThrow(
      "acme/m: unknown price key moon_phase_kcount",
    );
  });

  it("turns an exclusive tier start into the first token count of the step, for every class", () => {
    const { models } = convert({
      input_mtok: { base: 1, tiers: [{ start: 200_000, price: 2 }] },
      cache_read_mtok: 0.1,
      output_mtok: 5,
    });
    expect(models[0]?.[2]).toEqual([
      {
        units: { input: 1_000_000, cachedInput: 100_000, output: 5_000_000 },
        steps: [[200_001, { input: 2_000_000, cachedInput: 100_000, output: 5_000_000 }]],
      },
    ]);
  });

  it("ends a dated price where the next begins, and lets a daily window begin with the price before it", () => {
    const { models } = convert([
      { prices: { input_mtok: 1 } },
      { constraint: { type: "start_date", start_date: "2026-08-17" }, prices: { input_mtok: 2 } },
      {
        constraint: { type: "time_of_date", start_time: "01:00:00Z", end_time: "04:00:00Z" },
        prices: { input_mtok: 3 },
      },
    ]);
    const startMs = Date.parse("2026-08-17T00:00:00Z");
    expect(models[0]?.[2]).toEqual([
      { untilMs: startMs, units: { input: 1_000_000 } },
      { from: ["2026-08-17", startMs], units: { input: 2_000_000 } },
      { from: ["2026-08-17", startMs], daily: [3600, 14_400], units: { input: 3_000_000 } },
    ]);
  });

  it("refuses dates that do not ascend", () => {
    expect(() => convert([dated("2026-02-01"), dated("2026-01-01")])).toThrow("must ascend");
    expect(() => convert([dated("yesterday")])).toThrow("must ascend");
  });

  it("does not take a model without any price for free", () => {
    const { models, report } = convert({});
    expect(models[0]?.[2]).toEqual([{}]);
    expect(report).toEqual(["acme/m: listed without any price, stays unpriced"]);
  });

  it("knows every provider that it is asked for", () => {
    for (const { name } of built.list.providers) {
      expect(findProvider({ providerId: name })?.id).toBe(name);
    }
  });
});

type ModelPrices = Parameters<typeof convertProvider>[0]["models"][number]["prices"];

function convert(prices: ModelPrices) {
  const report = { lines: [] as string[] };
  const provider = {
    id: "acme",
    name: "Acme",
    api_pattern: "https://api\\.acme\\.test",
    models: [{ id: "m", match: { equals: "m" }, prices }],
  };
  return { models: convertProvider(provider, [], report).models, report: report.lines };
}

function dated(startDate: string) {
  return {
    constraint: { type: "start_date" as const, start_date: startDate },
    prices: { input_mtok: 1 },
  };
}
