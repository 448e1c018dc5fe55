import { picos, type Picos } from "../money/picos.ts";

/** A month of a forecast. */
const DAYS_A_MONTH = 30;
const ALL_BASIS_POINTS = 10_000n;
const THOUSANDTHS = 1000n;

export interface ForecastRequest {
  readonly costPicosPerCall: Picos;
  /** In thousandths: half a call a day is 500. */
  readonly callThousandthsPerCustomerPerDay: number;
  /** In the first month. */
  readonly customers: number;
  /** From month to month, in hundredths of a percent: 10 % = 1000; negative where they become fewer. */
  readonly growthBasisPoints: number;
  readonly months: number;
}

interface ForecastMonth {
  /** Counted from 1. */
  readonly month: number;
  readonly customers: bigint;
  readonly calls: bigint;
  readonly costPicos: Picos;
}

export interface Forecast {
  /** In a month. */
  readonly costPicosPerCustomer: Picos;
  /** In the first month. */
  readonly costPicosPerDay: Picos;
  readonly months: readonly ForecastMonth[];
  readonly totalPicos: Picos;
}

/**
 * What so many customers cost from month to month. Customers are whole, rounded from the exact growth since the first
 * month; money is exact to the pico.
 */
export function forecastCost(request: ForecastRequest): Forecast {
  const { costPicosPerCall, growthBasisPoints } = request;
  const first = BigInt(request.customers);
  const callThousandths = BigInt(request.callThousandthsPerCustomerPerDay);
  const costOfDays = (customers: bigint, days: number): Picos =>
    picos(
      roundedQuotient(costPicosPerCall * callThousandths * customers * BigInt(days), THOUSANDTHS),
    );
  const factor = ALL_BASIS_POINTS + BigInt(growthBasisPoints);
  const months: ForecastMonth[] = [];
  let [numerator, denominator] = [first, 1n];
  let totalPicos = 0n;
  for (let month = 1; month <= request.months; month += 1) {
    const customers = roundedQuotient(numerator, denominator);
    const costPicos = costOfDays(customers, DAYS_A_MONTH);
    const calls = roundedQuotient(customers * callThousandths * BigInt(DAYS_A_MONTH), THOUSANDTHS);
    months.push({ month, customers, calls, costPicos });
    totalPicos += costPicos;
    numerator *= factor;
    denominator *= ALL_BASIS_POINTS;
  }
  return {
    costPicosPerCustomer: costOfDays(1n, DAYS_A_MONTH),
    costPicosPerDay: costOfDays(first, 1),
    months,
    totalPicos: picos(totalPicos),
  };
}

/** Half away from zero; neither is negative here. */
function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  return (numerator * 2n + denominator) / (denominator * 2n);
}
