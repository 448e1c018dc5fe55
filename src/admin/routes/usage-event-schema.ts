import { z } from "@hono/zod-openapi";
import { formatUsd, type Picos } from "../../core/money/picos.ts";
import {
  QUANTITY_CLASSES,
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import {
  EVENT_STATUSES,
  PRICING_STATES,
  USAGE_SOURCES,
  type UsageEvent,
} from "../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../../store/records.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import type { NameLookup } from "../name-lookup.ts";

const integer = (description: string) => z.number().openapi({ type: "integer", description });
const money = (description: string) =>
  z.string().nullable().openapi({ description, example: "0.000315" });

const count = z.number().optional().openapi({ type: "integer" });
const quantitiesSchema = z
  .object(Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, count])))
  .openapi("Quantities", {
    description: "Tokens by disjoint class; an absent class is zero.",
    example: { input: 500, output: 1500 },
  });

export const usageEventSchema = z
  .object({
    id: z.string().openapi({ example: "evt_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    requestId: z.string().openapi({ description: "The client's call; its attempts share it." }),
    attempt: integer(
      "Which provider call of the client's call this is, from 1: more after a failover.",
    ),
    startedAt: instantAnswer("When the call was admitted; of a later attempt, when it began."),
    status: z.enum(EVENT_STATUSES),
    httpStatus: integer("The provider's; null when it did not answer.").nullable(),
    durationMs: integer("From its start to the end."),
    firstByteMs: integer("From its start to the first byte of the answer.").nullable(),
    projectId: z.string(),
    project: z.string().nullable(),
    environmentId: z.string(),
    environment: z.string().nullable(),
    keyId: z.string().openapi({ description: "The gateway key's id." }),
    customer: z.string().nullable().openapi({ description: "The customer's external id." }),
    feature: z.string().nullable(),
    operation: z.string().openapi({ example: "chat.completions" }),
    method: z.string(),
    path: z.string(),
    isStream: z.boolean(),
    provider: z.string(),
    providerAccountId: z.string().nullable(),
    providerKeyId: z.string().nullable(),
    providerResponseId: z.string().nullable(),
    requestedModel: z.string().nullable(),
    sentModel: z.string().nullable().openapi({
      description: "What a routing rule put in place of the requested model; else null.",
    }),
    servedModel: z.string().nullable(),
    serviceTier: z.string().nullable(),
    variant: z
      .string()
      .nullable()
      .openapi({ description: "What else the price depends on.", example: "hd/1024x1792" }),
    usageSource: z.enum(USAGE_SOURCES),
    inputTokens: integer("All input tokens, cached ones included."),
    cachedInputTokens: integer("The part of them that was read from a cache."),
    outputTokens: integer("All output tokens, reasoning included."),
    reasoningOutputTokens: integer("The part of them that was reasoning."),
    quantities: quantitiesSchema,
    pricing: z.enum(PRICING_STATES),
    costUsd: money("What the provider charges us; null where that is not known."),
    priceUsd: money("What we charge the customer; null where no plan applies."),
    holdUsd: money("What was set aside for the call; null where no budget applies."),
    priceRowId: z.string().nullable(),
    correctedCostUsd: money("What it costs by its last correction; null where it has none."),
    correctedPriceRowId: z.string().nullable(),
    clientTokenId: z.string().nullable().openapi({
      description:
        "Of the client token that the call came with; null: it came with the key itself.",
    }),
  })
  .openapi("UsageEvent");

export type UsageEventAnswer = z.infer<typeof usageEventSchema>;

export async function formatUsageEvent(
  event: UsageEvent,
  names: NameLookup,
  correction: CorrectionRecord | undefined,
): Promise<UsageEventAnswer> {
  const [project, environment] = await Promise.all([
    names.project(event.projectId),
    names.environment(event.environmentId),
  ]);
  return {
    ...formatEventFacts(event),
    project,
    environment,
    correctedCostUsd: formatOptionalUsd(correction?.costPicos ?? null),
    correctedPriceRowId: correction?.priceRowId ?? null,
  };
}

type LookedUp = "project" | "environment" | "correctedCostUsd" | "correctedPriceRowId";

/** What the event itself says, without what has to be looked up for it. */
export function formatEventFacts(event: UsageEvent): Omit<UsageEventAnswer, LookedUp> {
  const { quantities } = event;
  return {
    id: event.id,
    requestId: event.requestId,
    attempt: event.attempt,
    startedAt: formatInstant(event.startedAtMs),
    status: event.status,
    httpStatus: event.httpStatus,
    durationMs: event.durationMs,
    firstByteMs: event.firstByteMs,
    projectId: event.projectId,
    environmentId: event.environmentId,
    keyId: event.gatewayKeyId,
    customer: event.customer,
    feature: event.feature,
    operation: event.operation,
    method: event.method,
    path: event.path,
    isStream: event.isStream,
    provider: event.provider,
    providerAccountId: event.providerAccountId,
    providerKeyId: event.providerKeyId,
    providerResponseId: event.providerResponseId,
    requestedModel: event.requestedModel,
    sentModel: event.sentModel,
    servedModel: event.servedModel,
    serviceTier: event.serviceTier,
    variant: event.variant,
    usageSource: event.usageSource,
    inputTokens: totalInputTokens(quantities),
    cachedInputTokens: totalCachedInputTokens(quantities),
    outputTokens: totalOutputTokens(quantities),
    reasoningOutputTokens: quantities.reasoningOutput ?? 0,
    quantities: { ...quantities },
    pricing: event.pricing,
    costUsd: formatOptionalUsd(event.costPicos),
    priceUsd: formatOptionalUsd(event.pricePicos),
    holdUsd: formatOptionalUsd(event.holdPicos),
    priceRowId: event.priceRowId,
    clientTokenId: event.clientTokenId ?? null,
  };
}

function formatOptionalUsd(amount: Picos | null): string | null {
  return amount === null ? null : formatUsd(amount);
}
