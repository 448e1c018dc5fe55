import { z } from "@hono/zod-openapi";
import { isRetryable } from "../../core/resumable/resumable.ts";
import { canRevokeOld, isCancellable, ROTATION_STATES } from "../../core/rotation/rotation.ts";
import type { KeyUser, RotationRecord, SecretVersion } from "../../store/rotation-records.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import type { NameLookup } from "../name-lookup.ts";
import { formatOwnership, ownershipSchema } from "./ownership-answer.ts";

const secretSchema = z.object({
  version: z.number().openapi({ type: "integer" }),
  preview: z.string().openapi({ example: "sk-svcacct-…9fQa" }),
  ownership: ownershipSchema,
  providerKeyId: z.string().nullable().openapi({
    description: "What the provider calls the key; null: not known.",
    example: "key_abc123",
  }),
  providerProjectId: z.string().nullable(),
  providerServiceAccountId: z.string().nullable(),
});

const userSchema = z.object({
  gatewayKeyId: z.string(),
  gatewayKey: z.string().nullable().openapi({ description: "Its name." }),
  customer: z.string().nullable(),
  calls: z.number().openapi({ type: "integer" }),
  firstUsedAt: instantAnswer("The first of these calls."),
  lastUsedAt: instantAnswer("The last of them."),
});

export const keyUsersSchema = z
  .object({
    since: instantAnswer("Calls before it are not counted."),
    data: z.array(userSchema),
  })
  .openapi("ProviderKeyUsers");

export const rotationSchema = z
  .object({
    id: z.string().openapi({ example: "rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    keyId: z.string(),
    key: z.string().nullable().openapi({ description: "The provider key's name." }),
    environment: z.string().nullable(),
    account: z.string().nullable(),
    state: z.enum(ROTATION_STATES).openapi({
      description:
        "`create`, `pending`, `test`, `active`, `observe`, `grace`, `revoke`, `done` is the way. `failed` waits for a retry or a cancel; `undo` goes back to the old secret and ends as `cancelled`.",
    }),
    failedIn: z.enum(ROTATION_STATES).nullable(),
    problem: z.string().nullable().openapi({
      description: "What is in the way, or why it was called off.",
    }),
    way: z.enum(["automatic", "assisted"]),
    trigger: z.enum(["request", "schedule"]),
    compromise: z.boolean(),
    old: secretSchema,
    new: secretSchema.nullable(),
    verified: z.boolean().openapi({
      description:
        "A call with the new secret was answered, Keyward's own or an application's, that another secret would not have been.",
    }),
    activatedAt: instantAnswer("Since when calls are made with the new secret.").nullable(),
    graceUntil: instantAnswer("Until when both secrets are kept.").nullable(),
    oldSecret: z.enum(["refused", "valid", "unknown"]).nullable().openapi({
      description:
        "At the end: whether the provider still takes the old secret. `valid`: it must be deleted there by hand.",
    }),
    attempts: z.number().openapi({
      type: "integer",
      description: "Tries of the present step that failed.",
    }),
    nextAttemptAt: instantAnswer("When the next try is made.").nullable(),
    canRetry: z.boolean(),
    canCancel: z.boolean(),
    canRevokeOld: z.boolean().openapi({
      description: "Whether the old secret can be revoked now, without waiting any longer.",
    }),
    notes: z.array(
      z.object({
        at: instantAnswer("When."),
        state: z.enum(ROTATION_STATES),
        text: z.string(),
      }),
    ),
    createdBy: z.string(),
    createdAt: instantAnswer("When it was begun."),
    endedAt: instantAnswer("When it ended; null while it has not.").nullable(),
  })
  .openapi("Rotation");

export async function formatRotation(
  record: RotationRecord,
  names: NameLookup,
): Promise<z.infer<typeof rotationSchema>> {
  const { old, next, endedAtMs } = record;
  const [key, environment, account] = await Promise.all([
    names.providerKey(record.keyId),
    names.environment(record.environmentId),
    names.account(record.accountId),
  ]);
  const isWaiting = record.attempts > 0 && endedAtMs === null && record.state !== "failed";
  return {
    id: record.id,
    keyId: record.keyId,
    key,
    environment,
    account,
    state: record.state,
    failedIn: record.failedIn,
    problem: record.problem,
    way: record.way,
    trigger: record.trigger,
    compromise: record.isCompromise,
    old: formatSecret(old),
    new: next && formatSecret(next),
    verified: record.isVerified,
    activatedAt: formatOptionalInstant(record.activatedAtMs),
    graceUntil: formatOptionalInstant(record.graceUntilMs),
    oldSecret: record.oldFate,
    attempts: record.attempts,
    nextAttemptAt: formatOptionalInstant(isWaiting ? record.nextAttemptAtMs : null),
    canRetry: endedAtMs === null && isRetryable(record),
    canCancel: isCancellable(record),
    canRevokeOld: canRevokeOld(record),
    notes: record.notes.map(({ atMs, state, text }) => ({ at: formatInstant(atMs), state, text })),
    createdBy: record.createdBy,
    createdAt: formatInstant(record.createdAtMs),
    endedAt: formatOptionalInstant(endedAtMs),
  };
}

export async function formatKeyUsers(
  sinceMs: number,
  users: readonly KeyUser[],
  names: NameLookup,
): Promise<z.infer<typeof keyUsersSchema>> {
  const data = await Promise.all(
    users.map(async (user) => ({
      gatewayKeyId: user.gatewayKeyId,
      gatewayKey: await names.gatewayKey(user.gatewayKeyId),
      customer: user.customer,
      calls: user.calls,
      firstUsedAt: formatInstant(user.firstUsedAtMs),
      lastUsedAt: formatInstant(user.lastUsedAtMs),
    })),
  );
  return { since: formatInstant(sinceMs), data };
}

function formatSecret({ version, preview, remote, ownership }: SecretVersion) {
  return {
    version,
    preview,
    ownership: formatOwnership(ownership, null),
    providerKeyId: remote?.keyId ?? null,
    providerProjectId: remote?.projectId ?? null,
    providerServiceAccountId: remote?.serviceAccountId ?? null,
  };
}
