import type { components } from "../../admin/api-types.ts";
import { formatCount, formatUsd } from "../format-cells.ts";
import type { Output } from "../output.ts";

type Estimate = components["schemas"]["Estimate"];

/** The call on every tier that has a price for it, and what that comes to where a forecast was asked for. */
export async function printTiers(output: Output, { tiers, forecast }: Estimate): Promise<void> {
  const isForecast = forecast !== null;
  if (!isForecast && tiers.length < 2) return;
  output.line();
  await output.table(tiers, [
    { title: "tier", value: ({ tier }) => tier },
    { title: "a call", value: ({ costUsd }) => formatUsd(costUsd), isNumber: true },
    ...(isForecast
      ? FORECAST_COLUMNS.map(({ title, usdOf }) => ({
          title,
          value: (row: Estimate["tiers"][number]) => formatUsd(row.forecast && usdOf(row.forecast)),
          isNumber: true,
        }))
      : []),
  ]);
}

type Forecast = components["schemas"]["Forecast"];

const FORECAST_COLUMNS: readonly {
  readonly title: string;
  readonly usdOf: (forecast: Forecast) => string;
}[] = [
  { title: "a day", usdOf: ({ perDayUsd }) => perDayUsd },
  { title: "a customer's month", usdOf: ({ perCustomerUsd }) => perCustomerUsd },
  { title: "first month", usdOf: ({ months }) => months[0]?.costUsd ?? "0" },
  { title: "last month", usdOf: ({ months }) => months.at(-1)?.costUsd ?? "0" },
  { title: "in all", usdOf: ({ totalUsd }) => totalUsd },
];

/** Month by month, on the tier that was asked for. */
export async function printMonths(output: Output, { forecast }: Estimate): Promise<void> {
  if (forecast === null || forecast.months.length < 2) return;
  output.line();
  await output.table(
    forecast.months,
    [
      { title: "month", value: ({ month }) => formatCount(month), isNumber: true },
      { title: "customers", value: ({ customers }) => groupDigits(customers), isNumber: true },
      { title: "calls", value: ({ calls }) => groupDigits(calls), isNumber: true },
      { title: "cost", value: ({ costUsd }) => formatUsd(costUsd), isNumber: true },
    ],
    ["", "", "in all", formatUsd(forecast.totalUsd)],
  );
}

function groupDigits(whole: string): string {
  return BigInt(whole).toLocaleString("en-US");
}
