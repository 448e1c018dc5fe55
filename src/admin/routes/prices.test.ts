import { describe, expect, it } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { expectData } from "../client.ts";

describe("prices", () => {
  const admin = adminUnderTest();

  it("says what a call costs, exactly and line by line", async () => {
    const estimated = await admin.post("/prices/estimate", {
      model: "gpt-4o-mini",
      quantities: { input: 500, output: 1500 },
    });
    expect(estimated.status).toBe(200);
    expect(estimated.body).toEqual({
      provider: "openai",
      model: "gpt-4o-mini",
      pricing: "priced",
      costUsd: "0.000975",
      priceRowId: "openai/gpt-4o-mini/default@1970-01-01",
      lines: [
        {
          quantityClass: "input",
          count: 500,
          pricedAs: "input",
          unitUsd: "0.15",
          per: "million tokens",
          amountUsd: "0.000075",
        },
        {
          quantityClass: "output",
          count: 1500,
          pricedAs: "output",
          unitUsd: "0.6",
          per: "million tokens",
          amountUsd: "0.0009",
        },
      ],
      reason: null,
      suggestions: [],
      forecast: null,
      tiers: [
        { tier: "batch", costUsd: "0.0004875", forecast: null },
        { tier: "default", costUsd: "0.000975", forecast: null },
        { tier: "priority", costUsd: "0.001625", forecast: null },
      ],
    });
  });

  it("forecasts what so many customers cost, month by month and on each tier", async () => {
    const estimated = await admin.post("/prices/estimate", {
      model: "gpt-4o-mini",
      quantities: { input: 500, output: 1500 },
      forecast: {
        callsPerCustomerPerDay: "20",
        customers: 100,
        growthPercentPerMonth: "10",
        months: 3,
      },
    });
    // 0.000975 x 20 calls x 30 days = 0.585 a customer; 100, 110 and 121 of them
    const forecast = {
      perCustomerUsd: "0.585",
      perDayUsd: "1.95",
      months: [
        { month: 1, customers: "100", calls: "60000", costUsd: "58.5" },
        { month: 2, customers: "110", calls: "66000", costUsd: "64.35" },
        { month: 3, customers: "121", calls: "72600", costUsd: "70.785" },
      ],
      totalUsd: "193.635",
    };
    expect(estimated.body).toMatchObject({
      forecast,
      tiers: [
        { tier: "batch", forecast: { totalUsd: "96.8175" } },
        { tier: "default", forecast },
        { tier: "priority" },
      ],
    });
  });

  it.each([
    [{ callsPerCustomerPerDay: "1e3" }, "forecast.callsPerCustomerPerDay"],
    [{ customers: -1 }, "forecast.customers"],
    [{ growthPercentPerMonth: "-100.01" }, "forecast.growthPercentPerMonth"],
    [{ months: 0 }, "forecast.months"],
    [{ months: 121 }, "forecast.months"],
  ])("refuses a forecast of what cannot be (%#)", async (change, param) => {
    const forecast = { callsPerCustomerPerDay: "1", customers: 1, months: 1, ...change };
    const body = { model: "gpt-4o-mini", quantities: { input: 1 }, forecast };
    const refused = await admin.post("/prices/estimate", body);
    expect(refused.body).toMatchObject({ error: { param } });
  });

  it("calls a model without a price unpriced, never free, and the simulator free", async () => {
    const quantities = { input: 1 };
    const unknown = await admin.post("/prices/estimate", { model: "gpt4o-mini", quantities });
    expect(unknown.body).toMatchObject({ pricing: "unpriced", costUsd: null });
    expect((unknown.body as { suggestions: string[] }).suggestions).toContain("gpt-4o-mini");
    const provider = "simulator";
    const free = await admin.post("/prices/estimate", { provider, model: "any", quantities });
    expect(free.body).toMatchObject({ pricing: "priced", costUsd: "0" });
  });

  it("refuses tokens that are no count, and classes that are none", async () => {
    for (const input of [-1, 1.5, "5", 1e15]) {
      const refused = await admin.post("/prices/estimate", { model: "x", quantities: { input } });
      expect(refused.body).toMatchObject({ error: { param: "quantities.input" } });
    }
    const body = { model: "x", quantities: { cached: 1 } };
    expect((await admin.post("/prices/estimate", body)).body).toMatchObject({
      error: { param: "quantities.cached" },
    });
  });

  it("lists every row of the book exactly once, page by page", async () => {
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const query = { limit: 400, ...(cursor === undefined ? {} : { cursor }) };
      const page = expectData(await admin.client.GET("/prices", { params: { query } }));
      listed.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(listed).toEqual(
      admin.deps.priceBook
        .rows()
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it("narrows by provider and by part of a model's name, with prices per million tokens", async () => {
    const query = { provider: "openai", model: "4O-MINI" };
    const { data } = expectData(await admin.client.GET("/prices", { params: { query } }));
    expect(data.length).toBeGreaterThan(0);
    for (const row of data) expect(row).toMatchObject({ provider: "openai" });
    expect(data.find(({ id }) => id === "openai/gpt-4o-mini/default@1970-01-01")).toMatchObject({
      usdPerMillionTokens: { input: "0.15", cachedInput: "0.075", output: "0.6" },
      validFrom: null,
      validUntil: null,
    });
  });

  it("shows what is not charged by tokens for the unit that its provider names", async () => {
    const query = { provider: "openai", model: "whisper-1" };
    const { data } = expectData(await admin.client.GET("/prices", { params: { query } }));
    expect(data[0]).toMatchObject({
      usdPerMillionTokens: {},
      usdPerUnit: { audioMinute: "0.006" },
    });
    const estimated = await admin.post("/prices/estimate", {
      model: "dall-e-3",
      variant: "hd/1024x1792",
      quantities: { images: 2 },
    });
    expect(estimated.body).toMatchObject({
      costUsd: "0.24",
      priceRowId: "openai/dall-e-3[hd/1024x1792]/default@1970-01-01",
      lines: [{ quantityClass: "images", count: 2, unitUsd: "0.12", per: "image" }],
    });
  });
});
