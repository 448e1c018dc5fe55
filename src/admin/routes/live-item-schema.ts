import { z } from "@hono/zod-openapi";
import type { CallReport, RefusalReport } from "../../telemetry/call-observer.ts";
import { scrubSecrets } from "../../telemetry/scrub-secrets.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { formatEventFacts, usageEventSchema } from "./usage-event-schema.ts";

const liveCallSchema = usageEventSchema
  .omit({ project: true, correctedCostUsd: true, correctedPriceRowId: true })
  .extend({
    ending: z.string().openapi({
      description:
        "How the exchange with the provider ended: `whole`, `client-gone`, `revoked` (its key was, meanwhile), or a fault.",
      example: "whole",
    }),
    traceId: z.string().nullable().openapi({ description: "Null while tracing is off." }),
  })
  .openapi("LiveCall");

const liveRefusalSchema = z
  .object({
    requestId: z.string(),
    code: z.string().openapi({ description: "As in the table of errors.", example: "overloaded" }),
    startedAt: instantAnswer("When the call came."),
    durationMs: z.number().openapi({ type: "integer" }),
    environment: z.string().nullable().openapi({ description: "Null for a stranger's call." }),
    environmentId: z.string().nullable(),
    projectId: z.string().nullable(),
    keyId: z.string().nullable(),
    customer: z.string().nullable(),
    feature: z.string().nullable(),
    operation: z.string(),
    method: z.string(),
    path: z.string(),
    requestedModel: z.string().nullable(),
    traceId: z.string().nullable(),
  })
  .openapi("LiveRefusal");

export const liveItemSchema = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("opened"),
      time: instantAnswer("From now on calls are told."),
      serverStartedAt: z.string().nullable().openapi({
        format: "date-time",
        description: "Another value after a reconnect is another process.",
      }),
    }),
    z.object({ kind: z.literal("call"), call: liveCallSchema }),
    z.object({ kind: z.literal("refusal"), refusal: liveRefusalSchema }),
    z.object({
      kind: z.literal("dropped"),
      count: z.number().openapi({
        type: "integer",
        description: "So many came before the next item and are gone: the reader was too slow.",
      }),
    }),
    z.object({
      kind: z.literal("idle"),
      time: instantAnswer("Nothing has happened; all is well."),
    }),
  ])
  .openapi("LiveItem");

export type LiveItem = z.infer<typeof liveItemSchema>;

/** One line of the stream. */
export function formatLiveLine(item: LiveItem): string {
  return `${JSON.stringify(item)}\n`;
}

export function formatLiveCall({ event, environment, ending, trace }: CallReport): LiveItem {
  const facts = formatEventFacts(event);
  const call = {
    ...facts,
    customer: scrub(facts.customer),
    feature: scrub(facts.feature),
    path: scrubSecrets(facts.path),
    requestedModel: scrub(facts.requestedModel),
    sentModel: scrub(facts.sentModel),
    servedModel: scrub(facts.servedModel),
    environment,
    ending,
    traceId: trace?.traceId ?? null,
  };
  return { kind: "call", call };
}

export function formatLiveRefusal(report: RefusalReport): LiveItem {
  const { gatewayKeyId, startedAtMs, trace, ...facts } = report;
  const refusal = {
    ...facts,
    customer: scrub(facts.customer),
    feature: scrub(facts.feature),
    path: scrubSecrets(facts.path),
    requestedModel: scrub(facts.requestedModel),
    startedAt: formatInstant(startedAtMs),
    keyId: gatewayKeyId,
    traceId: trace?.traceId ?? null,
  };
  return { kind: "refusal", refusal };
}

/** What a caller wrote may be a key in the wrong place. */
function scrub(text: string | null): string | null {
  return text === null ? null : scrubSecrets(text);
}
