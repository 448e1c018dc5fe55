import { z } from "@hono/zod-openapi";
import { UNKNOWN_OWNERSHIP } from "../../core/keys/ownership.ts";
import { formatUsd, type Picos } from "../../core/money/picos.ts";
import type { ProviderLimits } from "../../core/provisioning/provider-limits.ts";
import { isProvisionCancellable, PROVISION_STATES } from "../../core/provisioning/provision.ts";
import { isRetryable } from "../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import type { NameLookup } from "../name-lookup.ts";
import { HELD_DESCRIPTION } from "./held-work.ts";
import { formatOwnership, ownershipSchema } from "./ownership-answer.ts";

const limitsSchema = z
  .object({
    monthlyLimitUsd: z.string().nullable().openapi({
      description:
        "The provider refuses what is spent beyond it in a month. Null: no hard budget counts every call of the environment.",
      example: "1000",
    }),
    budgetId: z.string().nullable().openapi({
      description: "The budget that the monthly limit comes from; null where it was named.",
    }),
    models: z.array(z.string()).nullable().openapi({
      description:
        "Those that the environment's policy allows and enforces; a beginning with a star stands for the models that the provider has that day. Null: every model.",
    }),
    requestsPerMinute: z.number().nullable().openapi({
      type: "integer",
      description: "Of each model. Null: the provider's own limit.",
    }),
    tokensPerMinute: z.number().nullable().openapi({
      type: "integer",
      description: "Of each model. Null: the provider's own limit.",
    }),
  })
  .openapi("ProviderLimits");

export const planSchema = z
  .object({
    environment: z.string().openapi({ example: "production" }),
    account: z.string().nullable().openapi({ example: "openai-main" }),
    keyName: z.string().openapi({ example: "main" }),
    projectName: z.string().openapi({
      description: "Of the project and its service account; `<id>` will be the provision's id.",
      example: "keyward-production-<id>",
    }),
    limits: limitsSchema,
    conflicts: z.array(z.string()).openapi({
      description: "What would refuse it now; empty: nothing would.",
    }),
  })
  .openapi("ProvisionPlan");

export const provisionSchema = z
  .object({
    id: z.string().openapi({ example: "pvn_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    environment: z.string().nullable(),
    account: z.string().nullable(),
    state: z.enum(PROVISION_STATES).openapi({
      description:
        "`project`, `limits`, `key`, `identify`, `test`, `add`, `done` is the way. `failed` waits for a retry or a cancel; `undo` deletes what was made and ends as `cancelled`.",
    }),
    failedIn: z.enum(PROVISION_STATES).nullable(),
    problem: z.string().nullable().openapi({
      description: "What is in the way, or why it was called off.",
    }),
    projectName: z.string().openapi({
      description: "Of the project at the provider and of its service account.",
    }),
    projectId: z.string().nullable().openapi({ description: "The provider's id of it." }),
    serviceAccountId: z.string().nullable(),
    providerKeyId: z.string().nullable().openapi({ description: "What the provider calls it." }),
    limits: limitsSchema,
    outcomes: z
      .array(
        z.object({
          limit: z.enum(["spend", "models", "rate"]),
          isSet: z.boolean(),
          text: z.string().openapi({ description: "What was set, or what to do by hand." }),
        }),
      )
      .openapi({ description: "Empty until it was tried." }),
    keyId: z.string().openapi({ description: "The provider key that there is once it is done." }),
    keyName: z.string(),
    preview: z.string().nullable().openapi({ example: "sk-svcacct-…9fQa" }),
    ownership: ownershipSchema,
    verified: z.boolean().openapi({
      description: "A call of Keyward's own with the key was answered.",
    }),
    attempts: z.number().openapi({
      type: "integer",
      description: "Tries of the present step that failed.",
    }),
    nextAttemptAt: instantAnswer("When the next try is made.").nullable(),
    held: z.boolean().openapi({ description: HELD_DESCRIPTION }),
    canRetry: z.boolean(),
    canCancel: z.boolean(),
    notes: z.array(
      z.object({
        at: instantAnswer("When."),
        state: z.enum(PROVISION_STATES),
        text: z.string(),
      }),
    ),
    createdBy: z.string(),
    createdAt: instantAnswer("When it was begun."),
    endedAt: instantAnswer("When it ended; null while it has not.").nullable(),
  })
  .openapi("Provision");

export async function formatProvision(
  record: ProvisionRecord,
  names: NameLookup,
): Promise<z.infer<typeof provisionSchema>> {
  const { secret, endedAtMs } = record;
  const [environment, account] = await Promise.all([
    names.environment(record.environmentId),
    names.account(record.accountId),
  ]);
  const isWaiting = record.attempts > 0 && endedAtMs === null && record.state !== "failed";
  return {
    id: record.id,
    environment,
    account,
    state: record.state,
    failedIn: record.failedIn,
    problem: record.problem,
    projectName: record.remoteName,
    projectId: record.projectId,
    serviceAccountId: secret?.remote?.serviceAccountId ?? null,
    providerKeyId: secret?.remote?.keyId ?? null,
    limits: formatLimits(record.limits),
    outcomes: record.outcomes.map((outcome) => ({ ...outcome })),
    keyId: record.keyId,
    keyName: record.keyName,
    preview: secret?.preview ?? null,
    ownership: formatOwnership(secret?.ownership ?? UNKNOWN_OWNERSHIP, null),
    verified: record.isVerified,
    attempts: record.attempts,
    nextAttemptAt: formatOptionalInstant(isWaiting ? record.nextAttemptAtMs : null),
    held: record.isHeld,
    canRetry: endedAtMs === null && isRetryable(record),
    canCancel: record.isHeld || isProvisionCancellable(record),
    notes: record.notes.map(({ atMs, state, text }) => ({ at: formatInstant(atMs), state, text })),
    createdBy: record.createdBy,
    createdAt: formatInstant(record.createdAtMs),
    endedAt: formatOptionalInstant(endedAtMs),
  };
}

const PICOS_PER_CENT = 10_000_000_000n;

export function formatLimits({
  spend,
  models,
  rate,
}: ProviderLimits): z.infer<typeof limitsSchema> {
  return {
    monthlyLimitUsd:
      spend === null ? null : formatUsd((BigInt(spend.monthlyCents) * PICOS_PER_CENT) as Picos),
    budgetId: spend?.budgetId ?? null,
    models: models && [...models],
    requestsPerMinute: rate?.requestsPerMinute ?? null,
    tokensPerMinute: rate?.tokensPerMinute ?? null,
  };
}
