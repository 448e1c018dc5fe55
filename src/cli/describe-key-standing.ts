import type { components } from "../admin/api-types.ts";
import { formatTime } from "./format-cells.ts";

export type AccountOwnership = components["schemas"]["AccountOwnership"];
export type DueRotation = components["schemas"]["DueRotation"];
type Conflict = AccountOwnership["conflicts"][number];

/** `2 organization, 1 unknown` */
export function formatFoundOwners(one: AccountOwnership): string {
  const counts = [
    [one.organizationKeys, "organization"],
    [one.personalKeys, "personal"],
    [one.unknownKeys, "unknown"],
  ] as const;
  return counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(", ");
}

/** What was declared, what was found, and what tells. */
export function describeConflict(
  { account, declared }: AccountOwnership,
  conflict: Conflict,
): string {
  const { key, keyId, environment, owner, detail } = conflict;
  const whose = owner === "user" ? "looks personal" : "is a service account's";
  return `account ${account} is declared ${declared}, and its key ${key} (${keyId}) of ${environment} ${whose} (${detail ?? "no detail"})`;
}

export function remedyOf({ declared }: AccountOwnership, { keyId }: Conflict): string {
  return declared === "organization"
    ? `make a key of a service account at the provider, then keyward provider-keys rotate ${keyId}`
    : `keyward provider-accounts create --kind organization --name <name>, then add the key there and keyward provider-keys revoke ${keyId}`;
}

/** `provider key main of production is to be rotated by 2026-02-01 09:30, and needs a new secret of you` */
export function describeDue(
  { key, environment, dueAt, isAutomatic }: DueRotation,
  nowMs: number,
): string {
  const when = Date.parse(dueAt) <= nowMs ? "was due" : "is due";
  const how = isAutomatic
    ? "the provider will be asked for a new secret"
    : "it needs a new secret of you";
  return `the rotation of provider key ${key} of ${environment} ${when} ${formatTime(dueAt)}: ${how}`;
}

export function dueRemedyOf({ keyId, isAutomatic, account }: DueRotation): string {
  return isAutomatic
    ? `keyward rotations list --key ${keyId}`
    : `keyward provider-keys rotate ${keyId}, or keyward provider-accounts set-admin-key ${account}`;
}
