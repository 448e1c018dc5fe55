import { createRoute, z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";
import { formatUsd } from "../../core/money/picos.ts";
import { loadPriceOverrides } from "../../store/load-price-overrides.ts";
import type { CorrectionRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer, instantField } from "../fields/instants.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { repricePage, type RepriceResult } from "../repricer.ts";
import { resolveUsageFilter, usageScopeFields } from "./usage-filter.ts";

const count = (description: string) => z.number().openapi({ type: "integer", description });

const correctionSchema = z
  .object({
    id: z.string().openapi({ example: "cor_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    eventId: z.string(),
    ordinal: count("The n-th correction of its event, from 1."),
    createdAt: instantAnswer("When it was made."),
    createdBy: z.string().openapi({ description: "The admin token's name, or `local`." }),
    differenceUsd: z.string().openapi({
      description: "The new cost less the old one, which counts as 0 where there was none.",
      example: "-0.000075",
    }),
    previousPricing: z.enum(["priced", "unpriced"]),
    previousCostUsd: z.string().nullable(),
    previousPriceRowId: z.string().nullable(),
    costUsd: z.string(),
    priceRowId: z.string(),
  })
  .openapi("Correction");

const listCorrections = createRoute({
  method: "get",
  path: "/usage/corrections",
  operationId: "listCorrections",
  tags: ["usage"],
  summary: "List corrections of costs, newest first",
  request: {
    query: closedQuery({
      ...pagingFields,
      event: z
        .string()
        .transform((text, context) => {
          if (isId("evt", text)) return text;
          const message = "must be the id of a usage event";
          context.issues.push({ code: "custom", message, input: text });
          return z.NEVER;
        })
        .optional()
        .openapi({ type: "string", description: "Those of one usage event." }),
    }),
  },
  responses: {
    200: jsonAnswer("A page of corrections.", listOf("CorrectionList", correctionSchema)),
    ...errorAnswers(),
  },
});

const repriceInput = closedObject({
  from: instantField("Calls that began then or later."),
  to: instantField("Calls that began before."),
  ...usageScopeFields,
  dryRun: z.boolean().optional().openapi({ description: "Say what would be, change nothing." }),
  cursor: pagingFields.cursor,
}).openapi("RepriceInput");

const repriceSchema = z
  .object({
    examined: count("Events of this page."),
    corrected: count("Those whose cost differs: each has a correction now, or would have."),
    newlyPriced: count("Those of the corrected that had no price before."),
    unchanged: count("Those that cost what they did."),
    withoutPrice: count("Those for which there is no price: what they cost stays."),
    notPriceable: count("Those that are free, not metered, or of unknown usage."),
    differenceUsd: z.string().openapi({
      description: "What the corrections add up to; may be negative.",
      example: "-1.25",
    }),
    nextCursor: z.string().nullable().openapi({
      description: "Hand it in as `cursor` for the next page; null when all were examined.",
    }),
  })
  .openapi("Repricing");

const reprice = createRoute({
  method: "post",
  path: "/usage/reprice",
  operationId: "repriceUsage",
  tags: ["usage"],
  summary: "Price past calls again, a page at a time",
  description:
    "With today's price book, by the row valid when each call began. Events never change: each difference becomes a correction that refers to its event and is part of every sum from then on. Repeating it adds nothing.",
  request: { query: closedQuery({}), body: jsonBody(repriceInput) },
  responses: {
    200: jsonAnswer("What became of the page.", repriceSchema),
    ...errorAnswers(...BODY_CODES),
  },
});

export function registerCorrections(
  router: AdminRouter,
  deps: Pick<AdminDeps, "store" | "ids" | "clock" | "priceBook" | "providers">,
): void {
  const { store } = deps;

  router.openapi(listCorrections, async (context) => {
    const { event: eventId, ...query } = context.req.valid("query");
    const page = await store.corrections.list(pageRequestOf(query), { eventId });
    return context.json(listAnswer(page, formatCorrection), 200);
  });

  router.openapi(reprice, async (context) => {
    const { dryRun, cursor, ...scope } = context.req.valid("json");
    const resolved = await resolveUsageFilter(store, scope);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    if (cursor === undefined) await loadPriceOverrides(deps);
    const result = await repricePage(deps, {
      filter: resolved.filter,
      cursor,
      isDryRun: dryRun ?? false,
      actor: context.get("actor"),
    });
    return context.json(formatRepricing(result), 200);
  });
}

function formatRepricing({ differencePicos, ...counts }: RepriceResult) {
  return { ...counts, differenceUsd: formatUsd(differencePicos) };
}

function formatCorrection(record: CorrectionRecord): z.infer<typeof correctionSchema> {
  const { previousCostPicos } = record;
  return {
    id: record.id,
    eventId: record.eventId,
    ordinal: record.ordinal,
    createdAt: formatInstant(record.createdAtMs),
    createdBy: record.createdBy,
    differenceUsd: formatUsd(record.differencePicos),
    previousPricing: record.previousPricing,
    previousCostUsd: previousCostPicos === null ? null : formatUsd(previousCostPicos),
    previousPriceRowId: record.previousPriceRowId,
    costUsd: formatUsd(record.costPicos),
    priceRowId: record.priceRowId,
  };
}
