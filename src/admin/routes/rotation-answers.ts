import { z } from "@hono/zod-openapi";
import { isRetryable } from "../../core/resumable/resumable.ts";
import { awaitsRevocation } from "../../core/rotation/old-secret.ts";
import {
  canRevokeOld,
  isCancellable,
  OLD_SECRET_FATES,
  ROTATION_STATES,
} from "../../core/rotation/rotation.ts";
import type { ProviderRegistry } from "../../providers/provider.ts";
import type { KeyUser, RotationRecord, SecretVersion } from "../../store/rotation-records.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { NameLookup } from "../name-lookup.ts";
import { HELD_DESCRIPTION } from "./held-work.ts";
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
    oldSecret: z.enum(OLD_SECRET_FATES).nullable().openapi({
      description:
        "At the end: what is known of the old secret. `refused`: the provider takes it no more. `deleted`: it was deleted there by Keyward. `confirmed`: a person says that it is deleted there. `valid`: it must be deleted there by hand. `unknown`: it may have to be.",
    }),
    awaitsRevocation: z.boolean().openapi({
      description:
        "It has ended, and the stolen secret may still be valid at the provider: delete it there. Ends when the provider refuses it, or with `POST /rotations/{id}/confirm-revoked`.",
    }),
    keysPage: z.string().nullable().openapi({
      description: "Where the provider's keys are deleted by hand; null: not known.",
    }),
    attempts: z.number().openapi({
      type: "integer",
      description: "Tries of the present step that failed.",
    }),
    nextAttemptAt: instantAnswer(
      "When the next try is made; with `awaitsRevocation`: of the stolen secret.",
    ).nullable(),
    held: z.boolean().openapi({ description: HELD_DESCRIPTION }),
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

/** What an answer needs to know beside the rotation. */
export interface RotationReading {
  readonly names: NameLookup;
  readonly providers: Pick<ProviderRegistry, "find">;
}

export function readingOf({
  store,
  providers,
}: {
  readonly store: ConstructorParameters<typeof NameLookup>[0];
  readonly providers: RotationReading["providers"];
}): RotationReading {
  return { names: new NameLookup(store), providers };
}

export async function keysPageOf(
  { accountId }: Pick<RotationRecord, "accountId">,
  { names, providers }: RotationReading,
): Promise<string | null> {
  const provider = await names.providerOf(accountId);
  return (provider === null ? undefined : providers.find(provider)?.keysPage) ?? null;
}

export async function formatRotation(
  record: RotationRecord,
  reading: RotationReading,
): Promise<z.infer<typeof rotationSchema>> {
  const { names } = reading;
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
    awaitsRevocation: awaitsRevocation(record),
    keysPage: await keysPageOf(record, reading),
    attempts: record.attempts,
    nextAttemptAt: formatOptionalInstant(isWaiting ? record.nextAttemptAtMs : record.oldCheckAtMs),
    held: record.isHeld,
    canRetry: endedAtMs === null && isRetryable(record),
    canCancel: record.isHeld || isCancellable(record),
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
