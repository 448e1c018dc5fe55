import type { z } from "@hono/zod-openapi";
import { isOwnershipConflict } from "../../core/keys/ownership.ts";
import { rotationDueMs } from "../../core/rotation/rotation-schedule.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import { formatInstant, formatOptionalInstant } from "../fields/instants.ts";
import { formatOwnership, type ownershipSchema } from "./ownership-answer.ts";

/** What an answer about a provider key says of its secret's owner and age. */
export interface KeyLifeAnswer {
  readonly ownership: z.infer<typeof ownershipSchema>;
  readonly ownershipConflict: boolean;
  readonly secretSince: string;
  readonly rotateEveryDays: number | null;
  readonly rotationDueAt: string | null;
  readonly rotationId: string | null;
}

export async function describeKeyLife(
  store: Pick<AdminDeps["store"], "rotation" | "providerAccounts">,
  { id, accountId, createdAtMs, revokedAtMs }: ProviderKeyRecord,
): Promise<KeyLifeAnswer> {
  const [facts, account, open] = await Promise.all([
    store.rotation.keyFacts.of(id),
    store.providerAccounts.findById(accountId),
    store.rotation.rotations.findOpenOf(id),
  ]);
  const { ownership, ownershipSeenAtMs, rotateEveryDays } = facts;
  const sinceMs = facts.secretSinceMs ?? createdAtMs;
  const isDue = rotateEveryDays !== null && revokedAtMs === null;
  const dueMs = isDue ? rotationDueMs(sinceMs, rotateEveryDays) : null;
  return {
    ownership: formatOwnership(ownership, ownershipSeenAtMs),
    ownershipConflict:
      account !== undefined && revokedAtMs === null && isOwnershipConflict(account.kind, ownership),
    secretSince: formatInstant(sinceMs),
    rotateEveryDays,
    rotationDueAt: formatOptionalInstant(dueMs),
    rotationId: open?.id ?? null,
  };
}
