/**
 * Work that a provider goes on with after it has answered (a response in background mode, a batch, a run): it is charged
 * when it has ended, by what the provider then reports of it.
 */
import { createHash } from "node:crypto";
import { type EventId, type ProviderAccountId, ulidOf } from "../ids/ids.ts";

export const DEFERRED_KINDS = ["response", "batch", "thread_run"] as const;
export type DeferredKind = (typeof DEFERRED_KINDS)[number];

/** The work as its provider knows it. */
export interface DeferredWork {
  readonly kind: DeferredKind;
  /** The provider's id of it. Within one account it names one piece of work, which is charged once. */
  readonly objectId: string;
  /** Where it is asked for, below the API's version: `/responses/resp_1`. */
  readonly path: string;
}

/** Why usage is still waited for, or was given up: by the last time that the provider was asked. */
export const PENDING_PROBLEMS = [
  "not_finished",
  "no_provider_key",
  "key_refused",
  "not_found",
  "rate_limited",
  "provider_failed",
  "unreachable",
  "unreadable",
  "internal",
] as const;
export type PendingProblem = (typeof PENDING_PROBLEMS)[number];

/**
 * The id of the event that charges a piece of work, or the n-th of them where it has several (a batch, one for each
 * model). The same work has the same ids wherever and however often it is worked out, so the store takes it once.
 */
export function deferredEventId(
  work: { readonly accountId: ProviderAccountId | null; readonly objectId: string },
  part: number,
): EventId {
  const name = JSON.stringify([work.accountId, work.objectId, part]);
  return `evt_${ulidOf(createHash("sha256").update(name).digest())}` as EventId;
}
