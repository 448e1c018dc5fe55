import { createRoute, type z } from "@hono/zod-openapi";
import { formatUsd } from "../../core/money/picos.ts";
import { estimateCost, type Estimate } from "../../core/pricing/estimate-cost.ts";
import { forecastCost } from "../../core/pricing/forecast.ts";
import type { PriceRow } from "../../core/pricing/price-book.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { InvalidCursorError, type Page, type PageRequest } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import {
  estimateInput,
  estimateSchema,
  formatEstimate,
  formatForecast,
  formatPrice,
  parseForecast,
  priceFilterFields,
  priceSchema,
} from "./price-schemas.ts";

const listPrices = createRoute({
  method: "get",
  path: "/prices",
  operationId: "listPrices",
  tags: ["prices"],
  summary: "List the price book's rows, by provider and model",
  request: { query: closedQuery({ ...pagingFields, ...priceFilterFields }) },
  responses: {
    200: jsonAnswer("A page of price rows.", listOf("PriceList", priceSchema)),
    ...errorAnswers(),
  },
});

const estimatePrice = createRoute({
  method: "post",
  path: "/prices/estimate",
  operationId: "estimatePrice",
  tags: ["prices"],
  summary: "Say what a call would cost",
  description: "With the same rules and rows as calls are rated with. Changes nothing.",
  request: { query: closedQuery({}), body: jsonBody(estimateInput) },
  responses: { 200: jsonAnswer("The estimate.", estimateSchema), ...errorAnswers(...BODY_CODES) },
});

export function registerPrices(
  router: AdminRouter,
  { priceBook, clock }: Pick<AdminDeps, "priceBook" | "clock">,
): void {
  router.openapi(listPrices, (context) => {
    const query = context.req.valid("query");
    const page = pageOfRows(matchingRows(priceBook.rows(), query), pageRequestOf(query));
    return context.json(listAnswer(page, formatPrice), 200);
  });

  router.openapi(estimatePrice, (context) => {
    const { provider, model, serviceTier, variant, at, quantities, forecast } =
      context.req.valid("json");
    const plan = forecast && parseForecast(forecast);
    if (plan !== undefined && plan.growthBasisPoints < LEAST_GROWTH_BASIS_POINTS) {
      const message =
        "`forecast.growthPercentPerMonth` must be at least -100: nobody is left then.";
      return refuseProblems(context, [{ param: "forecast.growthPercentPerMonth", message }]);
    }
    const request = {
      provider,
      model,
      serviceTier: serviceTier ?? null,
      variant: variant ?? null,
      atMs: at ?? clock.nowMs(),
      quantities: withoutAbsent(quantities),
    };
    const estimate = estimateCost(priceBook, request);
    const forecastOf = (one: Estimate) =>
      plan !== undefined && one.isPriced
        ? formatForecast(forecastCost({ ...plan, costPicosPerCall: one.costPicos }))
        : null;
    const tiers = TIERS.flatMap((tier) => {
      const one = estimateCost(priceBook, { ...request, serviceTier: tier });
      if (!one.isPriced) return [];
      return [{ tier, costUsd: formatUsd(one.costPicos), forecast: forecastOf(one) }];
    });
    const forecasted = { forecast: forecastOf(estimate), tiers };
    return context.json({ provider, model, ...formatEstimate(estimate), ...forecasted }, 200);
  });
}

/** The tiers that providers sell, the cheapest first. */
const TIERS = ["batch", "flex", "default", "priority"];
const LEAST_GROWTH_BASIS_POINTS = -10_000;

function matchingRows(
  rows: readonly PriceRow[],
  {
    provider,
    model,
  }: { readonly provider?: string | undefined; readonly model?: string | undefined },
): readonly PriceRow[] {
  const part = model?.toLowerCase();
  return rows.filter(
    (row) =>
      (provider === undefined || row.provider === provider) &&
      (part === undefined || row.model.toLowerCase().includes(part)),
  );
}

/** The rows stand in memory; a page begins after the id that its cursor holds. */
function pageOfRows(rows: readonly PriceRow[], { limit, cursor }: PageRequest): Page<PriceRow> {
  const after = cursor === undefined ? "" : parseCursor(cursor);
  const rest = rows.filter((row) => row.id > after).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const last = rest.length > limit ? rest[limit - 1] : undefined;
  return { rows: rest.slice(0, limit), nextCursor: last ? formatCursor(last.id) : null };
}

const CURSOR_MARK = "price:";

function formatCursor(id: string): string {
  return Buffer.from(CURSOR_MARK + id).toString("base64url");
}

function parseCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  if (!text.startsWith(CURSOR_MARK)) throw new InvalidCursorError("not a cursor of this list");
  return text.slice(CURSOR_MARK.length);
}

/** The contract's quantities have absent classes, not undefined ones. */
function withoutAbsent(quantities: z.output<typeof estimateInput>["quantities"]): Quantities {
  return Object.fromEntries(
    Object.entries(quantities).filter(([, tokens]) => tokens !== undefined),
  );
}
