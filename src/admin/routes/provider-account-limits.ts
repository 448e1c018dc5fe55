import { createRoute, z } from "@hono/zod-openapi";
import {
  composeRequest,
  figuresOf,
  type LimitedAmount,
  type LimitFigures,
  type ModelFigures,
  STRETCH_MS,
  type Stretch,
  type WaitFigures,
} from "../../core/limits/account-figures.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuse } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { formatInstant } from "../fields/instants.ts";
import { idParam } from "../fields/names.ts";
import { findAccount } from "../references.ts";
import { formatPeak, peakSchema } from "./demand-peak-schema.ts";

/** Models of one account in an answer; more have no place on a page for people. */
const MAX_MODELS = 200;

const count = (description: string) => z.number().openapi({ type: "integer", description });

const optionalCount = (description: string) =>
  z
    .number()
    .nullable()
    .openapi({ type: ["integer", "null"], description });

const stretches = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ lastDay: schema, last7Days: schema, last30Days: schema });

const limitSchema = z
  .object({
    limit: optionalCount("As the provider's answers told it last; null: they have not."),
    used: optionalCount(
      "Used now, as far as the answering process knows; null where it does not, or where no server runs.",
    ),
    // A union: `nullable()` would have the schema of this name be nullable wherever it is used.
    peaks: stretches(z.union([peakSchema, z.null()])).openapi({
      description: "The busiest minute; null where nothing was asked for.",
    }),
  })
  .openapi("AccountLimitFigures");

const waitsSchema = z
  .object({
    waited: count("Calls that waited for room."),
    longestWaitMs: count("The longest wait."),
    refused: count("Calls that were not sent for want of room."),
  })
  .openapi("AccountWaitFigures");

const modelSchema = z
  .object({
    model: z.string().openapi({ example: "gpt-4o" }),
    requests: limitSchema,
    tokens: limitSchema,
    waits: stretches(waitsSchema),
  })
  .openapi("AccountModelFigures");

const figuresSchema = z
  .object({
    accountId: z.string(),
    accountName: z.string().openapi({ example: "openai-main" }),
    models: z.array(modelSchema).openapi({
      description: `Of the last 30 days; at most about ${MAX_MODELS}, the busiest.`,
    }),
    request: z.string().nullable().openapi({
      description:
        "A paragraph to ask the provider for higher limits with; null where no peak came to 80 % of one.",
    }),
  })
  .openapi("ProviderAccountLimits");

const getProviderAccountLimits = createRoute({
  method: "get",
  path: "/provider-accounts/{id}/limits",
  operationId: "getProviderAccountLimits",
  tags: ["provider accounts"],
  summary:
    "How near a provider account comes to its provider's limits, and what to ask for more with",
  description:
    "Calls count by the minute in which they came, also those that then waited or were not sent. Peaks are kept by the hour for 30 days; stretches begin with a full hour. Up to 15 seconds late.",
  request: { params: idParam("openai-main"), query: closedQuery({}) },
  responses: {
    200: jsonAnswer("The figures.", figuresSchema),
    ...errorAnswers("not_found"),
  },
});

type LimitDeps = Pick<AdminDeps, "store" | "clock" | "accountUses">;

export function registerProviderAccountLimits(
  router: AdminRouter,
  { store, clock, accountUses }: LimitDeps,
): void {
  router.openapi(getProviderAccountLimits, async (context) => {
    const account = await findAccount(store, context.req.valid("param").id);
    if (!account) {
      const message = "There is no provider account of this id or name.";
      return refuse(context, "not_found", message, "id");
    }
    const nowMs = clock.nowMs();
    const peaksOf = (stretch: Stretch) =>
      store.accountDemand.listPeaks({
        accountId: account.id,
        fromMs: nowMs - STRETCH_MS[stretch],
        limit: MAX_MODELS,
      });
    const [lastDay, last7Days, last30Days] = await Promise.all([
      peaksOf("lastDay"),
      peaksOf("last7Days"),
      peaksOf("last30Days"),
    ]);
    const models = figuresOf({ lastDay, last7Days, last30Days });
    const uses = (accountUses?.() ?? []).filter(({ accountId }) => accountId === account.id);
    const usedOf = (model: string, what: LimitedAmount) => {
      const used = uses.find((use) => use.model === model && use.of === what)?.used;
      return used === undefined ? null : Math.ceil(used);
    };
    return context.json(
      {
        accountId: account.id,
        accountName: account.name,
        models: models.map((one) => formatModel(one, usedOf)),
        request: composeRequest(account, models, formatMinute),
      },
      200,
    );
  });
}

/** `2026-01-31 09:00`, in UTC. */
function formatMinute(minuteMs: number): string {
  return formatInstant(minuteMs).slice(0, 16).replace("T", " ");
}

function formatModel(
  { model, requests, tokens, waits }: ModelFigures,
  usedOf: (model: string, of: LimitedAmount) => number | null,
): z.infer<typeof modelSchema> {
  return {
    model,
    requests: formatLimit(requests, usedOf(model, "requests")),
    tokens: formatLimit(tokens, usedOf(model, "tokens")),
    waits: byStretch(waits, (one: WaitFigures) => ({ ...one })),
  };
}

function formatLimit(
  { limit, peaks }: LimitFigures,
  used: number | null,
): z.infer<typeof limitSchema> {
  return { limit, used, peaks: byStretch(peaks, (peak) => peak && formatPeak(peak, limit)) };
}

function byStretch<Value, Formatted>(
  values: Readonly<Record<Stretch, Value>>,
  format: (value: Value) => Formatted,
): Record<Stretch, Formatted> {
  return {
    lastDay: format(values.lastDay),
    last7Days: format(values.last7Days),
    last30Days: format(values.last30Days),
  };
}
