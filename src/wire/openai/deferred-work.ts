import type { DeferredKind, DeferredWork } from "../../core/usage/deferred-usage.ts";
import { NO_QUANTITIES } from "../../core/usage/quantities.ts";
import type { DeferredStep, UsageReport } from "../../core/usage/usage-event.ts";
import type { DeferredFacts, ResponseFacts } from "./operation.ts";

/** What a work's status says of its end; a status that is not named means that it goes on. */
export type EndingByStatus = Readonly<Record<string, NonNullable<DeferredFacts["ending"]>>>;

/** Ids become part of a path: one that could make another path of it is none. */
const OBJECT_ID = /^(?!\.+$)[\w.:-]{1,200}$/;

export function isObjectId(value: unknown): value is string {
  return typeof value === "string" && OBJECT_ID.test(value);
}

/** Null where the answer names no work that could be asked for. `path` makes the place of it from its id. */
export function readWork(
  kind: DeferredKind,
  id: unknown,
  path: (id: string) => string | undefined,
): DeferredWork | null {
  if (!isObjectId(id)) return null;
  const place = path(id);
  return place === undefined ? null : { kind, objectId: id, path: place };
}

export function readEnding(status: unknown, endings: EndingByStatus): DeferredFacts["ending"] {
  return typeof status === "string" && Object.hasOwn(endings, status)
    ? (endings[status] ?? null)
    : null;
}

/**
 * What work has consumed that has ended, by what its provider says of it. Without a report of its usage: nothing where it
 * failed, unknown where it may have delivered something.
 */
export function reportOf(facts: ResponseFacts, ending: UsageReport["status"]): UsageReport {
  const { servedModel, serviceTier, priceVariant: variant, quantities } = facts;
  const named = { status: ending, servedModel, serviceTier, variant };
  if (quantities === null) {
    const usageSource = ending === "failed" ? "none" : "unknown";
    return { ...named, usageSource, quantities: NO_QUANTITIES };
  }
  const usageSource = facts.unpricedCharge === null ? "reported" : "unknown";
  return { ...named, usageSource, quantities };
}

/** What an answer that shows work tells the store of its end; undefined while the work goes on, or where there is none. */
export function endedStep(facts: ResponseFacts): DeferredStep | undefined {
  const { deferred, quantities } = facts;
  if (deferred === null || deferred.ending === null) return undefined;
  // Where the usage is not told here, it may be told to whoever asks again.
  const report = quantities === null ? null : reportOf(facts, deferred.ending);
  return { step: "ended", objectId: deferred.work.objectId, report };
}
