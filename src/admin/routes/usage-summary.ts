import { createRoute, z } from "@hono/zod-openapi";
import type { GatewayKeyId, EnvironmentId, ProjectId } from "../../core/ids/ids.ts";
import { formatUsd, ZERO_PICOS } from "../../core/money/picos.ts";
import { nearestName } from "../../core/text/nearest-name.ts";
import { SUMMARY_DIMENSIONS, type SummaryDimension, type SummaryRow } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer, instantField } from "../fields/instants.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { quoteInput } from "../fields/quote-input.ts";
import { NameLookup } from "../name-lookup.ts";
import { resolveUsageFilter, usageScopeFields } from "./usage-filter.ts";

const KNOWN = SUMMARY_DIMENSIONS.map((name) => `\`${name}\``).join(", ");

const groupByField = z
  .string()
  .transform((text, context): readonly SummaryDimension[] => {
    const parsed = parseGroupBy(text);
    if ("dimensions" in parsed) return parsed.dimensions;
    context.issues.push({ code: "custom", message: parsed.refusal, input: text });
    return z.NEVER;
  })
  .default([])
  .openapi({
    type: "string",
    description: `Dimensions with commas between, in the order of the rows: ${KNOWN}; \`hour\` or \`day\`, not both. Absent: one row, the total.`,
    example: "customer,model",
  });

const integer = (description: string) => z.number().openapi({ type: "integer", description });
const idField = z.string().optional();
const nameField = z.string().nullable().optional();

const summaryRowSchema = z
  .object({
    project: nameField.openapi({ description: "With `groupBy=project`: its name." }),
    projectId: idField,
    environment: nameField.openapi({ description: "With `groupBy=environment`: its name." }),
    environmentId: idField,
    key: nameField.openapi({ description: "With `groupBy=key`: the gateway key's name." }),
    keyId: idField,
    customer: nameField.openapi({
      description: "With `groupBy=customer`: the external id; null: calls that name none.",
    }),
    feature: nameField.openapi({
      description: "With `groupBy=feature`; null: calls that name none.",
    }),
    model: nameField.openapi({
      description:
        "With `groupBy=model`: the served model, or the requested one where none served.",
    }),
    hour: instantAnswer("With `groupBy=hour`: its beginning.").optional(),
    day: z.string().optional().openapi({
      description: "With `groupBy=day`: the day in UTC.",
      format: "date",
      example: "2026-01-31",
    }),
    calls: integer("All provider calls, the following ones included."),
    failedCalls: integer("Calls that the provider refused or broke off without an answer."),
    interruptedCalls: integer("Calls whose answer began and did not end."),
    unknownCalls: integer("Calls whose process died before they were settled."),
    estimatedCalls: integer("Calls whose tokens were counted here."),
    unpricedCalls: integer("Calls without a known price; they are not in `costUsd`."),
    usageUnknownCalls: integer(
      "Calls of which nobody knows what they consumed: their process died, or the answer does not say. In `costUsd` they are what a budget had set aside for them, if one had.",
    ),
    unmeteredCalls: integer("Calls to endpoints whose usage is not read; not in `costUsd`."),
    inputTokens: integer("All input tokens, cached ones included."),
    cachedInputTokens: integer("The part of them that was read from a cache."),
    outputTokens: integer("All output tokens, reasoning included."),
    reasoningOutputTokens: integer("The part of them that was reasoning."),
    costUsd: z.string().nullable().openapi({
      description:
        "What the provider charges us for the priced calls (`calls` - `unpricedCalls` - `usageUnknownCalls` - `unmeteredCalls`), and what was set aside for calls whose usage is not known; null where there are calls and for none of them a figure.",
      example: "0.000315",
    }),
    priceUsd: z.string().openapi({ description: "What we charge the customers.", example: "0" }),
  })
  .openapi("UsageSummaryRow");

const getUsageSummary = createRoute({
  method: "get",
  path: "/usage/summary",
  operationId: "getUsageSummary",
  tags: ["usage"],
  summary: "Sum calls, tokens and money by any of eight dimensions",
  description:
    "From hourly sums: `from` counts from the full hour before it, `to` up to the full hour after it.",
  request: {
    query: closedQuery({
      ...pagingFields,
      groupBy: groupByField,
      from: instantField("Inclusive; the full hour at or before it.").optional(),
      to: instantField("Exclusive; the full hour at or after it.").optional(),
      ...usageScopeFields,
    }),
  },
  responses: {
    200: jsonAnswer("A page of sums.", listOf("UsageSummary", summaryRowSchema)),
    ...errorAnswers(),
  },
});

export function registerUsageSummary(
  router: AdminRouter,
  { store }: Pick<AdminDeps, "store">,
): void {
  router.openapi(getUsageSummary, async (context) => {
    const { groupBy, limit, cursor, ...given } = context.req.valid("query");
    const resolved = await resolveUsageFilter(store, given);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const { fromMs, toMs, ...filter } = resolved.filter;
    const page = await store.usage.summarize(pageRequestOf({ limit, cursor }), {
      groupBy,
      fromMs,
      toMs,
      filter,
    });
    const names = new NameLookup(store);
    const data = await Promise.all(page.rows.map((row) => formatSummaryRow(row, names)));
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });
}

function parseGroupBy(
  text: string,
): { readonly dimensions: readonly SummaryDimension[] } | { readonly refusal: string } {
  const dimensions: SummaryDimension[] = [];
  for (const name of text === "" ? [] : text.split(",")) {
    const trimmed = name.trim();
    const dimension = SUMMARY_DIMENSIONS.find((known) => known === trimmed);
    if (dimension === undefined) return { refusal: unknownDimension(trimmed) };
    if (dimensions.includes(dimension)) return { refusal: `must name \`${dimension}\` once` };
    dimensions.push(dimension);
  }
  const isByBoth = dimensions.includes("hour") && dimensions.includes("day");
  return isByBoth ? { refusal: "must name `hour` or `day`, not both" } : { dimensions };
}

function unknownDimension(name: string): string {
  const nearest = nearestName(name, SUMMARY_DIMENSIONS);
  const hint = nearest === undefined ? "" : `; did you mean \`${nearest}\`?`;
  return `must be made of ${KNOWN}, and has ${quoteInput(name)}${hint}`;
}

type SummaryRowAnswer = z.infer<typeof summaryRowSchema>;

async function formatSummaryRow(
  { group, costPicos, pricePicos, ...counts }: SummaryRow,
  names: NameLookup,
): Promise<SummaryRowAnswer> {
  const { calls, unpricedCalls, usageUnknownCalls, unmeteredCalls } = counts;
  // An unknown cost is not 0; that of no calls is. What was set aside for a call is a figure.
  const isCostless = unpricedCalls + usageUnknownCalls + unmeteredCalls >= calls;
  const isUnknown = calls > 0 && isCostless && costPicos === ZERO_PICOS;
  const answer: SummaryRowAnswer = {
    ...counts,
    costUsd: isUnknown ? null : formatUsd(costPicos),
    priceUsd: formatUsd(pricePicos),
  };
  for (const dimension of SUMMARY_DIMENSIONS) {
    const value = group[dimension];
    if (value !== undefined) Object.assign(answer, await FORMATS[dimension](value, names));
  }
  return answer;
}

type GroupValue = string | number | null;
type FormatGroup = (
  value: GroupValue,
  names: NameLookup,
) => Partial<SummaryRowAnswer> | Promise<Partial<SummaryRowAnswer>>;

/** The contract gives ids for project, environment and key, milliseconds for hour and day, and names else. */
const FORMATS: Readonly<Record<SummaryDimension, FormatGroup>> = {
  project: async (value, names) => {
    const projectId = String(value) as ProjectId;
    return { project: await names.project(projectId), projectId };
  },
  environment: async (value, names) => {
    const environmentId = String(value) as EnvironmentId;
    return { environment: await names.environment(environmentId), environmentId };
  },
  key: async (value, names) => {
    const keyId = String(value) as GatewayKeyId;
    return { key: await names.gatewayKey(keyId), keyId };
  },
  customer: (value) => ({ customer: nameOf(value) }),
  feature: (value) => ({ feature: nameOf(value) }),
  model: (value) => ({ model: nameOf(value) }),
  hour: (value) => ({ hour: formatInstant(Number(value)) }),
  day: (value) => ({ day: formatInstant(Number(value)).slice(0, "2026-01-31".length) }),
};

function nameOf(value: GroupValue): string | null {
  return value === null ? null : String(value);
}
