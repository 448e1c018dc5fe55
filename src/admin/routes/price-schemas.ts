import { z } from "@hono/zod-openapi";
import { formatUsd } from "../../core/money/picos.ts";
import type { Estimate } from "../../core/pricing/estimate-cost.ts";
import type { Forecast, ForecastRequest } from "../../core/pricing/forecast.ts";
import type { DailyWindow, PriceRow } from "../../core/pricing/price-book.ts";
import { QUANTITY_CLASSES } from "../../core/usage/quantities.ts";
import { closedObject } from "../fields/closed-object.ts";
import {
  formatInstant,
  formatOptionalInstant,
  instantAnswer,
  instantField,
} from "../fields/instants.ts";
import { fieldsOf, formatUnitPrices, unitPriceAnswers } from "./unit-prices.ts";

const MAX_COUNT = 1_000_000_000_000;
const MAX_CUSTOMERS = 1_000_000_000;
const MAX_MONTHS = 120;

const providerField = z.string().trim().min(1).max(64).openapi({ example: "openai" });
const variantField = z.string().trim().min(1).max(64).openapi({
  description: "What else the price depends on: an image's quality and size.",
  example: "hd/1024x1792",
});
const modelField = z.string().trim().min(1).max(256).openapi({ example: "gpt-4o-mini" });

export const priceFilterFields = {
  provider: providerField.optional(),
  model: modelField.optional().openapi({
    description: "Rows of models whose name contains this, in upper or lower case.",
  }),
};

export const priceSchema = z
  .object({
    id: z.string().openapi({ example: "openai/gpt-4o-mini/default@1970-01-01" }),
    provider: z.string(),
    model: z.string().openapi({ description: "`*`: every model." }),
    tier: z.string().openapi({ example: "default" }),
    variant: z.string().nullable().openapi({
      description: "What else the price depends on; null: holds whatever the variant.",
      example: "hd/1024x1792",
    }),
    validFrom: instantAnswer("Inclusive; null: from the beginning.").nullable(),
    validUntil: instantAnswer("Exclusive; null: still valid.").nullable(),
    dailyWindow: z
      .object({ from: z.string(), until: z.string() })
      .nullable()
      .openapi({
        description: "Hours of the UTC day at which it holds; null: all day.",
        example: { from: "16:30:00", until: "00:30:00" },
      }),
    ...unitPriceAnswers,
    steps: z
      .array(
        z.object({
          fromInputTokens: z.number().openapi({ type: "integer" }),
          ...unitPriceAnswers,
        }),
      )
      .openapi({
        description: "From so many input tokens on, the whole call is charged at these.",
      }),
    unmeteredCharges: z.array(z.string()).openapi({
      description: "Charged for every call and not metered: with any, the row prices no call.",
    }),
    excludedCharges: z.array(z.string()).openapi({
      description: "Charged when a call uses them; not part of a cost worked out with this row.",
    }),
    source: z.string(),
  })
  .openapi("Price");

export const estimateInput = closedObject({
  provider: providerField.default("openai"),
  model: modelField,
  serviceTier: z.string().trim().min(1).max(64).nullish().openapi({
    description: "As the provider names it; absent: the standard tier.",
    example: "flex",
  }),
  variant: variantField.nullish(),
  at: instantField("The instant whose prices hold; absent: now.").nullish(),
  quantities: closedObject(
    fieldsOf(
      QUANTITY_CLASSES,
      z.number().int().min(0).max(MAX_COUNT).optional().openapi({ type: "integer" }),
    ),
  ).openapi({
    description:
      "Counts by class: tokens, milliseconds of audio, characters, images, calls. The classes are disjoint: cached input is not part of `input`, reasoning not of `output`.",
    example: { input: 500, output: 1500 },
  }),
  forecast: closedObject({
    callsPerCustomerPerDay: z
      .string()
      .regex(/^\d{1,6}(?:\.\d{1,3})?$/, "must be a decimal with at most three places")
      .openapi({ example: "20" }),
    customers: z
      .number()
      .int()
      .min(0)
      .max(MAX_CUSTOMERS)
      .openapi({ type: "integer", description: "In the first month.", example: 100 }),
    growthPercentPerMonth: z
      .string()
      .regex(/^-?\d{1,3}(?:\.\d{1,2})?$/, "must be a percentage with at most two places")
      .optional()
      .openapi({ example: "10" }),
    months: z.number().int().min(1).max(MAX_MONTHS).openapi({ type: "integer", example: 12 }),
  })
    .optional()
    .openapi({ description: "What so many customers will cost, month by month." }),
}).openapi("EstimateInput");

const forecastSchema = z
  .object({
    perCustomerUsd: z.string().openapi({ description: "In a month of 30 days." }),
    perDayUsd: z.string().openapi({ description: "In the first month." }),
    months: z.array(
      z.object({
        month: z.number().openapi({ type: "integer" }),
        customers: z.string().openapi({ description: "A whole number, however large." }),
        calls: z.string(),
        costUsd: z.string(),
      }),
    ),
    totalUsd: z.string(),
  })
  .openapi("Forecast");

export const estimateSchema = z
  .object({
    provider: z.string(),
    model: z.string(),
    pricing: z.enum(["priced", "unpriced"]),
    costUsd: z.string().nullable().openapi({
      description: 'Null when it is unpriced; "0" is free.',
      example: "0.000975",
    }),
    priceRowId: z.string().nullable().openapi({ description: "The row of the price book." }),
    lines: z
      .array(
        z.object({
          quantityClass: z.enum(QUANTITY_CLASSES),
          count: z.number().openapi({ type: "integer" }),
          pricedAs: z.enum(QUANTITY_CLASSES).openapi({
            description: "The class whose price is charged.",
          }),
          unitUsd: z.string().openapi({ example: "0.15" }),
          per: z.string().openapi({ example: "million tokens" }),
          amountUsd: z.string(),
        }),
      )
      .openapi({ description: "What the cost is made of; empty when it is unpriced." }),
    reason: z.string().nullable().openapi({ description: "Why it is unpriced." }),
    suggestions: z.array(z.string()).openapi({
      description: "Models with a near name, where the named one has no price.",
    }),
    forecast: z.union([forecastSchema, z.null()]).openapi({
      description: "Null where none was asked for, or the call has no price.",
    }),
    tiers: z
      .array(
        z.object({
          tier: z.string(),
          costUsd: z.string(),
          forecast: z.union([forecastSchema, z.null()]),
        }),
      )
      .openapi({ description: "The same call on each tier that has a price for it." }),
  })
  .openapi("Estimate");

export function formatPrice(row: PriceRow): z.infer<typeof priceSchema> {
  const { id, provider, model, tier, variant, source, validFromMs, validUntilMs, dailyWindow } =
    row;
  return {
    id,
    provider,
    model,
    tier,
    variant,
    validFrom: validFromMs === 0 ? null : formatInstant(validFromMs),
    validUntil: formatOptionalInstant(validUntilMs),
    dailyWindow: dailyWindow && formatWindow(dailyWindow),
    ...formatUnitPrices(row.unitPrices),
    steps: row.steps.map(({ fromInputTokens, unitPrices }) => ({
      fromInputTokens,
      ...formatUnitPrices(unitPrices),
    })),
    unmeteredCharges: [...row.unmeteredCharges],
    excludedCharges: [...row.excludedCharges],
    source,
  };
}

type ForecastInput = NonNullable<z.output<typeof estimateInput>["forecast"]>;

/** What came as decimals, in whole numbers. */
export function parseForecast(input: ForecastInput): Omit<ForecastRequest, "costPicosPerCall"> {
  return {
    callThousandthsPerCustomerPerDay: parseFixed(input.callsPerCustomerPerDay, 3),
    customers: input.customers,
    growthBasisPoints: parseFixed(input.growthPercentPerMonth ?? "0", 2),
    months: input.months,
  };
}

/** `"-12.5"` with two places → -1250, exact. */
function parseFixed(text: string, places: number): number {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const value = Number(whole + fraction.padEnd(places, "0"));
  return text.startsWith("-") && value !== 0 ? -value : value;
}

export function formatForecast(forecast: Forecast): z.infer<typeof forecastSchema> {
  return {
    perCustomerUsd: formatUsd(forecast.costPicosPerCustomer),
    perDayUsd: formatUsd(forecast.costPicosPerDay),
    months: forecast.months.map(({ month, customers, calls, costPicos }) => ({
      month,
      customers: customers.toString(),
      calls: calls.toString(),
      costUsd: formatUsd(costPicos),
    })),
    totalUsd: formatUsd(forecast.totalPicos),
  };
}

export function formatEstimate(
  estimate: Estimate,
): Omit<z.infer<typeof estimateSchema>, "provider" | "model" | "forecast" | "tiers"> {
  const priceRowId = estimate.row?.id ?? null;
  if (!estimate.isPriced) {
    const { reason, suggestions } = estimate;
    return {
      pricing: "unpriced",
      costUsd: null,
      priceRowId,
      lines: [],
      reason,
      suggestions: [...suggestions],
    };
  }
  const lines = estimate.lines.map(({ quantityClass, count, pricedAs, ...line }) => ({
    quantityClass,
    count,
    pricedAs,
    unitUsd: line.unitUsd,
    per: line.per,
    amountUsd: formatUsd(line.amountPicos),
  }));
  const costUsd = formatUsd(estimate.costPicos);
  return { pricing: "priced", costUsd, priceRowId, lines, reason: null, suggestions: [] };
}

function formatWindow({ fromSecond, untilSecond }: DailyWindow) {
  return { from: formatSecondOfDay(fromSecond), until: formatSecondOfDay(untilSecond) };
}

function formatSecondOfDay(second: number): string {
  const parts = [Math.floor(second / 3600), Math.floor((second % 3600) / 60), second % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
