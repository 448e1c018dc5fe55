import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatUsd, parseUsd, picos } from "../money/picos.ts";
import { forecastCost, type ForecastRequest } from "./forecast.ts";

function request(change: Partial<ForecastRequest> = {}): ForecastRequest {
  return {
    // 500 input and 1500 output tokens of gpt-4o-mini
    costPicosPerCall: parseUsd("0.000975") ?? picos(0n),
    callThousandthsPerCustomerPerDay: 20_000,
    customers: 100,
    growthBasisPoints: 0,
    months: 1,
    ...change,
  };
}

describe("a forecast", () => {
  it("multiplies out to the pico: a call, a customer, a day, a month", () => {
    const forecast = forecastCost(request());
    // 0.000975 x 20 x 30, x 20 x 100, x 20 x 100 x 30
    expect(formatUsd(forecast.costPicosPerCustomer)).toBe("0.585");
    expect(formatUsd(forecast.costPicosPerDay)).toBe("1.95");
    expect(forecast.months).toEqual([
      { month: 1, customers: 100n, calls: 60_000n, costPicos: parseUsd("58.5") },
    ]);
    expect(formatUsd(forecast.totalPicos)).toBe("58.5");
  });

  it("grows from the exact number of customers, and counts whole ones", () => {
    const { months, totalPicos } = forecastCost(
      request({ customers: 15, growthBasisPoints: 1000, months: 4 }),
    );
    // 15, 16.5, 18.15, 19.965
    expect(months.map(({ customers }) => customers)).toEqual([15n, 17n, 18n, 20n]);
    expect(formatUsd(totalPicos)).toBe(formatUsd(picos((parseUsd("0.585") ?? 0n) * 70n)));
  });

  it("shrinks as well, down to nobody, and takes parts of a call a day", () => {
    const { months } = forecastCost(
      request({ customers: 10, growthBasisPoints: -10_000, months: 2 }),
    );
    expect(months.map(({ customers }) => customers)).toEqual([10n, 0n]);
    const half = forecastCost(request({ callThousandthsPerCustomerPerDay: 500 }));
    expect(formatUsd(half.costPicosPerCustomer)).toBe("0.014625");
  });

  it("never loses a pico: the total is the sum of its months, and no month is dearer with fewer customers", () => {
    fc.assert(
      fc.property(
        fc.record({
          costPicosPerCall: fc.bigInt({ min: 0n, max: 10n ** 13n }).map(picos),
          callThousandthsPerCustomerPerDay: fc.nat(1_000_000),
          customers: fc.nat(1_000_000),
          growthBasisPoints: fc.integer({ min: -10_000, max: 100_000 }),
          months: fc.integer({ min: 1, max: 36 }),
        }),
        (input) => {
          const { months, totalPicos } = forecastCost(input);
          expect(months).toHaveLength(input.months);
          expect(months.reduce((sum, { costPicos }) => sum + costPicos, 0n)).toBe(totalPicos);
          for (const [index, { customers, costPicos }] of months.entries()) {
            const before = months[index - 1];
            if (before === undefined || input.growthBasisPoints < 0) continue;
            expect(customers).toBeGreaterThanOrEqual(before.customers);
            expect(costPicos).toBeGreaterThanOrEqual(before.costPicos);
          }
        },
      ),
    );
  });
});
