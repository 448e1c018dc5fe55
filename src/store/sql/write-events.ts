import type { Lending } from "../../core/budgets/lease.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { postEvents } from "./budgets/post-to-budgets.ts";
import { type BulkTarget, insertRows, partsOf } from "./bulk-insert.ts";
import { writeDeferredSteps } from "./deferred-steps.ts";
import { ROLLUP_SUMS, UsageRollups } from "./rollups.ts";
import { toEventRow } from "./usage-event-row.ts";

export const ADD_TO_ROLLUP = `on conflict
  (hour_ms, project_id, environment_id, gateway_key_id, customer, feature, model)
  do update set ${ROLLUP_SUMS.map((name) => `${name} = usage_rollups.${name} + excluded.${name}`).join(", ")}`;

/**
 * Within a transaction: inserts the events whose id is new, and exactly those into the rollups and, where they have a
 * deferred step, into the pending usage. Every transaction locks rows in this order (pending usage, budgets, rollups),
 * so that no two wait for each other in a circle.
 */
export async function writeEvents(
  target: BulkTarget,
  events: readonly UsageEvent[],
  lending?: Lending,
): Promise<{ readonly inserted: number }> {
  const rollups = new UsageRollups();
  const added: UsageEvent[] = [];
  for (const part of partsOf(onceInIdOrder(events))) {
    const rows = part.map(toEventRow);
    const areNew = await insertRows(target, "usage_events", rows, "on conflict (id) do nothing");
    for (const [index, event] of part.entries()) {
      const row = rows[index];
      if (row === undefined || areNew[index] !== true) continue;
      rollups.add(row);
      added.push(event);
    }
  }
  const waiting = await writeDeferredSteps(target, added);
  await postEvents(target, added, { lending, waiting });
  for (const part of partsOf(rollups.rows())) {
    await insertRows(target, "usage_rollups", part, ADD_TO_ROLLUP);
  }
  return { inserted: added.length };
}

/** Each id once (the first one counts), in the order of ids: two processes with the same events cannot deadlock. */
function onceInIdOrder(events: readonly UsageEvent[]): readonly UsageEvent[] {
  // They come nearly in this order, which makes sorting cheaper than a map of ids.
  const inOrder = events.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
  return inOrder.filter(({ id }, index) => id !== inOrder[index - 1]?.id);
}
