import type { Insertable } from "kysely";
import type { EventId } from "../../core/ids/ids.ts";
import type { DeferredStep, UsageEvent, UsageReport } from "../../core/usage/usage-event.ts";
import { type BulkTarget, insertRows, partsOf } from "./bulk-insert.ts";
import type { PendingUsageTable } from "./tables.ts";

/**
 * What the events of one transaction have begun and seen the end of, as rows of pending usage. Returns the events that
 * have got a row.
 */
export async function writeDeferredSteps(
  target: BulkTarget,
  events: readonly UsageEvent[],
): Promise<ReadonlySet<EventId>> {
  const waiting = new Set<EventId>();
  const begun: Insertable<PendingUsageTable>[] = [];
  const ended: EndedWork[] = [];
  for (const event of events) {
    const { deferred } = event;
    if (deferred === undefined) continue;
    if (deferred.step === "begun") begun.push(toRow(event, deferred));
    else {
      const { objectId, report } = deferred;
      ended.push({ objectId, report, accountId: event.providerAccountId ?? "" });
    }
  }
  // In the order of works, so that two transactions with the same ones wait for each other in one direction only.
  for (const part of partsOf(begun.toSorted((a, b) => (a.object_id < b.object_id ? -1 : 1)))) {
    const areNew = await insertRows(target, "pending_usage", part, "on conflict do nothing");
    for (const [index, { id }] of part.entries()) if (areNew[index] === true) waiting.add(id);
  }
  for (const work of onceInOrder(ended)) await wake(target, work);
  return waiting;
}

interface EndedWork {
  readonly accountId: string;
  readonly objectId: string;
  readonly report: UsageReport | null;
}

function toRow(
  event: UsageEvent,
  { work, firstCheckAtMs }: Extract<DeferredStep, { step: "begun" }>,
): Insertable<PendingUsageTable> {
  return {
    id: event.id,
    created_at_ms: Math.trunc(event.startedAtMs),
    kind: work.kind,
    provider_account_id: event.providerAccountId ?? "",
    object_id: work.objectId,
    path: work.path,
    report: null,
    checks: 0,
    next_check_at_ms: Math.trunc(firstCheckAtMs),
    last_check_at_ms: null,
    problem: null,
    given_up_at_ms: null,
    lease_id: null,
    leased_until_ms: 0,
  };
}

/** The last report of each work, by its id. */
function onceInOrder(ended: readonly EndedWork[]): readonly EndedWork[] {
  const byWork = new Map<string, EndedWork>();
  for (const work of ended) byWork.set(`${work.objectId}\u0000${work.accountId}`, work);
  return [...byWork].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, work]) => work);
}

/** Nothing where it has no row: it was charged, or was never waited for. */
async function wake({ db }: BulkTarget, { accountId, objectId, report }: EndedWork): Promise<void> {
  await db
    .updateTable("pending_usage")
    .set({
      next_check_at_ms: 0n,
      given_up_at_ms: null,
      ...(report !== null && { report: JSON.stringify(report) }),
    })
    .where("object_id", "=", objectId)
    .where("provider_account_id", "=", accountId)
    .execute();
}
