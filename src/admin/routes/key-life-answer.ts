import type { z } from "@hono/zod-openapi";
import type { RotationId } from "../../core/ids/ids.ts";
import { isOwnershipConflict, UNKNOWN_OWNERSHIP } from "../../core/keys/ownership.ts";
import { rotationDueMs } from "../../core/rotation/rotation-schedule.ts";
import type { ProviderAccountRecord, ProviderKeyRecord } from "../../store/records.ts";
import type { KeyFactsRecord } from "../../store/rotation-records.ts";
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

/** Of each of these keys, in three questions to the store however many they are. */
export async function describeKeyLives(
  store: Pick<AdminDeps["store"], "rotation" | "providerAccounts">,
  keys: readonly ProviderKeyRecord[],
): Promise<(key: ProviderKeyRecord) => KeyLifeAnswer> {
  const ids = keys.map(({ id }) => id);
  const accountIds = [...new Set(keys.map(({ accountId }) => accountId))];
  const [facts, open, accounts] = await Promise.all([
    store.rotation.keyFacts.ofAll(ids),
    store.rotation.rotations.findOpenIds(ids),
    Promise.all(accountIds.map((id) => store.providerAccounts.findById(id))),
  ]);
  return (key) => {
    const account = accounts.find((one) => one?.id === key.accountId);
    return describeKeyLife(key, {
      facts: facts.get(key.id),
      account,
      rotationId: open.get(key.id),
    });
  };
}

function describeKeyLife(
  { createdAtMs, revokedAtMs }: ProviderKeyRecord,
  {
    facts,
    account,
    rotationId,
  }: {
    readonly facts: KeyFactsRecord | undefined;
    readonly account: ProviderAccountRecord | undefined;
    readonly rotationId: RotationId | undefined;
  },
): KeyLifeAnswer {
  const ownership = facts?.ownership ?? UNKNOWN_OWNERSHIP;
  const rotateEveryDays = facts?.rotateEveryDays ?? null;
  const sinceMs = facts?.secretSinceMs ?? createdAtMs;
  const isDue = rotateEveryDays !== null && revokedAtMs === null;
  const dueMs = isDue ? rotationDueMs(sinceMs, rotateEveryDays) : null;
  return {
    ownership: formatOwnership(ownership, facts?.ownershipSeenAtMs ?? null),
    ownershipConflict:
      account !== undefined && revokedAtMs === null && isOwnershipConflict(account.kind, ownership),
    secretSince: formatInstant(sinceMs),
    rotateEveryDays,
    rotationDueAt: formatOptionalInstant(dueMs),
    rotationId: rotationId ?? null,
  };
}
