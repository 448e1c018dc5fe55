import type { Insertable, Kysely, Selectable } from "kysely";
import type { EventId } from "../../core/ids/ids.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../records.ts";
import type { CorrectionRepository, Page, PageRequest } from "../store.ts";
import { boundedName, boundedText } from "./bounded-text.ts";
import { postCorrections } from "./budgets/post-to-budgets.ts";
import { type BulkTarget, insertRows, partsOf } from "./bulk-insert.ts";
import {
  fromMoneyColumns,
  fromNullableMoney,
  toMoneyColumns,
  toNullableMoney,
} from "./money-columns.ts";
import { checkedLimit, newestFirst } from "./page.ts";
import { UsageRollups } from "./rollups.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables, UsageCorrectionTable } from "./tables.ts";
import { ADD_TO_ROLLUP } from "./write-events.ts";

interface CorrectedEvent {
  readonly event: UsageEvent;
  readonly correction: CorrectionRecord;
}

export class SqlCorrectionRepository implements CorrectionRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(corrections: readonly CorrectedEvent[]): Promise<{ readonly inserted: number }> {
    if (corrections.length === 0) return { inserted: 0 };
    const { write } = this.#connections;
    const work = (db: Kysely<Tables>) =>
      writeCorrections({ ...this.#connections, db }, corrections);
    return write.isTransaction ? await work(write) : await write.transaction().execute(work);
  }

  async lastOf(eventIds: readonly EventId[]): Promise<readonly CorrectionRecord[]> {
    if (eventIds.length === 0) return [];
    checkedLimit({ limit: eventIds.length });
    const rows = await this.#rows().where("event_id", "in", eventIds).orderBy("ordinal").execute();
    return [...new Map(rows.map((row) => [row.event_id, toRecord(row)])).values()];
  }

  async list(
    page: PageRequest,
    filter: { readonly eventId?: EventId | undefined } = {},
  ): Promise<Page<CorrectionRecord>> {
    let rows = this.#rows();
    if (filter.eventId !== undefined) rows = rows.where("event_id", "=", filter.eventId);
    return await newestFirst("corrections", rows, page, toRecord);
  }

  #rows() {
    return this.#connections.read.selectFrom("usage_corrections").selectAll();
  }
}

async function writeCorrections(
  target: BulkTarget,
  corrections: readonly CorrectedEvent[],
): Promise<{ readonly inserted: number }> {
  const rollups = new UsageRollups();
  // In the order of events: two that correct the same ones at once cannot deadlock.
  const inOrder = corrections.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1));
  const added: CorrectedEvent[] = [];
  for (const part of partsOf(inOrder)) {
    const areNew = await insertRows(
      target,
      "usage_corrections",
      part.map(({ correction }) => toRow(correction)),
      "on conflict (event_id, ordinal) do nothing",
    );
    for (const [index, corrected] of part.entries()) {
      if (areNew[index] !== true) continue;
      rollups.correct(corrected.event, corrected.correction);
      added.push(corrected);
    }
  }
  await postCorrections(target, added);
  for (const part of partsOf(rollups.rows())) {
    await insertRows(target, "usage_rollups", part, ADD_TO_ROLLUP);
  }
  return { inserted: added.length };
}

function toRow(record: CorrectionRecord): Insertable<UsageCorrectionTable> {
  const difference = toMoneyColumns(record.differencePicos);
  const previous = toNullableMoney(record.previousCostPicos);
  const cost = toMoneyColumns(record.costPicos);
  return {
    id: record.id,
    event_id: record.eventId,
    ordinal: record.ordinal,
    created_at_ms: record.createdAtMs,
    created_by: record.createdBy,
    difference_micros: difference.micros,
    difference_rest_picos: difference.restPicos,
    previous_pricing: record.previousPricing,
    previous_cost_micros: previous.micros,
    previous_cost_rest_picos: previous.restPicos,
    previous_price_row_id: boundedName(record.previousPriceRowId),
    cost_micros: cost.micros,
    cost_rest_picos: cost.restPicos,
    price_row_id: boundedText(record.priceRowId),
  };
}

function toRecord(row: Selectable<UsageCorrectionTable>): CorrectionRecord {
  return {
    id: row.id,
    eventId: row.event_id,
    ordinal: Number(row.ordinal),
    createdAtMs: Number(row.created_at_ms),
    createdBy: row.created_by,
    differencePicos: fromMoneyColumns(row.difference_micros, row.difference_rest_picos),
    previousPricing: row.previous_pricing,
    previousCostPicos: fromNullableMoney(row.previous_cost_micros, row.previous_cost_rest_picos),
    previousPriceRowId: row.previous_price_row_id,
    costPicos: fromMoneyColumns(row.cost_micros, row.cost_rest_picos),
    priceRowId: row.price_row_id,
  };
}
