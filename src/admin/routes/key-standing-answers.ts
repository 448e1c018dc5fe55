import { z } from "@hono/zod-openapi";
import { KEY_OWNERS, OWNERSHIP_SOURCES } from "../../core/keys/ownership.ts";
import { RULE_MODES } from "../../core/policy/environment-policy.ts";
import { ACCOUNT_KINDS } from "../../store/records.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import {
  type AccountOwnership,
  type DueRotation,
  type OwnershipConflict,
  SOON_DAYS,
} from "../key-standing.ts";

/** Of each list; what is beyond it is in `GET /provider-keys`. */
const MAX_TOLD = 100;

const count = (description: string) => z.number().openapi({ type: "integer", description });

const conflictSchema = z.object({
  keyId: z.string(),
  key: z.string().openapi({ description: "The provider key's name." }),
  environment: z.string(),
  owner: z.enum(KEY_OWNERS),
  source: z.enum(OWNERSHIP_SOURCES).nullable(),
  detail: z.string().nullable().openapi({ example: "openai-organization: user-…" }),
  rule: z.enum(RULE_MODES).openapi({
    description:
      "What the environment's rule `no_personal_keys` says: `enforce`: a person's is refused.",
  }),
});

export const accountOwnershipSchema = z
  .object({
    accountId: z.string(),
    account: z.string().openapi({ example: "openai-main" }),
    declared: z.enum(ACCOUNT_KINDS).openapi({ description: "The account's `kind`." }),
    organizationKeys: count("Keys in use that were found to be a service account's."),
    personalKeys: count("Keys in use that were found to be a person's."),
    unknownKeys: count("Keys in use of which nothing tells whose they are."),
    conflicts: z
      .array(conflictSchema)
      .openapi({ description: `Keys whose owner contradicts the kind; at most ${MAX_TOLD}.` }),
  })
  .openapi("AccountOwnership");

export const dueRotationSchema = z
  .object({
    keyId: z.string(),
    key: z.string(),
    environment: z.string(),
    account: z.string(),
    dueAt: instantAnswer("When it is to be rotated; it may have passed."),
    isAutomatic: z.boolean().openapi({
      description: "The provider is asked for the new secret; false: a person has to bring it.",
    }),
  })
  .openapi("DueRotation");

export const DUE_DESCRIPTION = `Provider keys that are to be rotated by schedule within ${SOON_DAYS} days, or should have been, and are not being rotated; the first first, at most ${MAX_TOLD}.`;

export function formatOwnerships(
  accounts: readonly AccountOwnership[],
): z.infer<typeof accountOwnershipSchema>[] {
  return accounts.map(({ account, found, conflicts }) => ({
    accountId: account.id,
    account: account.name,
    declared: account.kind,
    organizationKeys: found.organization,
    personalKeys: found.personal,
    unknownKeys: found.unknown,
    conflicts: conflicts.slice(0, MAX_TOLD).map(formatConflict),
  }));
}

function formatConflict({ key, environment, ownership, mode }: OwnershipConflict) {
  return {
    keyId: key.id,
    key: key.name,
    environment: environment.name,
    owner: ownership.owner,
    source: ownership.evidence?.source ?? null,
    detail: ownership.evidence?.detail ?? null,
    rule: mode,
  };
}

export function formatDue(due: readonly DueRotation[]): z.infer<typeof dueRotationSchema>[] {
  return due.slice(0, MAX_TOLD).map(({ key, environment, account, dueMs, isAutomatic }) => ({
    keyId: key.id,
    key: key.name,
    environment: environment.name,
    account: account.name,
    dueAt: formatInstant(dueMs),
    isAutomatic,
  }));
}
