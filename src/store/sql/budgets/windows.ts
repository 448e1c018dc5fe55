/**
 * Windows and leases within a transaction: locked, changed as bigints in memory, and written back. Every transaction
 * locks windows in the order of their ids, and a lease only under its window's lock, so that no two wait for each
 * other in a circle.
 */
import type { Insertable, Selectable } from "kysely";
import { carryOver, type WindowKey, windowIdOf } from "../../../core/budgets/budget.ts";
import type { LeaseHolder } from "../../../core/budgets/lease.ts";
import { windowAt } from "../../../core/budgets/periods.ts";
import type { BudgetId } from "../../../core/ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../../../core/money/picos.ts";
import { boundedText } from "../bounded-text.ts";
import { type BulkTarget, insertRows, partsOf } from "../bulk-insert.ts";
import { fromMoneyColumns, toMoneyColumns } from "../money-columns.ts";
import type { BudgetLeaseTable, BudgetWindowTable } from "../tables.ts";

/** A window whose row is locked. */
export interface LockedWindow {
  readonly id: string;
  readonly budgetId: BudgetId;
  readonly subject: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number | null;
  readonly carriedPicos: Picos;
  spentPicos: Picos;
  leasedPicos: Picos;
}

export interface LockedLease {
  readonly windowId: string;
  readonly holder: LeaseHolder;
  readonly lostAtMs: number | null;
  leasedPicos: Picos;
}

const MAX_IDS = 1000;

/** By id; of those that are not open yet, opens them first. */
export async function openWindows(
  target: BulkTarget,
  keys: Iterable<WindowKey>,
): Promise<ReadonlyMap<string, LockedWindow>> {
  const byId = new Map<string, WindowKey>();
  for (const { budget, subject, window } of keys) {
    const key = { budget, subject: boundedText(subject), window };
    byId.set(windowIdOf(key), key);
  }
  const ids = [...byId.keys()].toSorted(byText);
  const open = new Set<string>();
  for (const part of chunksOf(ids)) {
    const rows = await target.db
      .selectFrom("budget_windows")
      .select("id")
      .where("id", "in", part)
      .execute();
    for (const { id } of rows) open.add(id);
  }
  const missing: Insertable<BudgetWindowTable>[] = [];
  for (const id of ids) {
    const key = byId.get(id);
    if (key !== undefined && !open.has(id)) missing.push(await newRow(target, id, key));
  }
  for (const part of partsOf(missing)) {
    await insertRows(target, "budget_windows", part, "on conflict (id) do nothing");
  }
  return await lockWindows(target, ids);
}

/** Those of the ids that are open. */
export async function lockWindows(
  { db, engine }: BulkTarget,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LockedWindow>> {
  const locked = new Map<string, LockedWindow>();
  for (const part of chunksOf(ids.toSorted(byText))) {
    const query = db.selectFrom("budget_windows").selectAll().where("id", "in", part).orderBy("id");
    for (const row of await engine.lockRows(query).execute()) {
      locked.set(row.id, {
        id: row.id,
        budgetId: row.budget_id,
        subject: row.subject,
        startsAtMs: Number(row.starts_at_ms),
        endsAtMs: row.ends_at_ms === null ? null : Number(row.ends_at_ms),
        ...amountsOf(row),
      });
    }
  }
  return locked;
}

export async function saveWindows(
  target: BulkTarget,
  windows: Iterable<LockedWindow>,
): Promise<void> {
  const rows = Array.from(windows, toWindowRow);
  for (const part of partsOf(rows)) {
    await insertRows(target, "budget_windows", part, REPLACE_WINDOW);
  }
}

/** What a holder has of these windows, which must be locked; by the window's id. */
export async function readLeases(
  { db }: Pick<BulkTarget, "db">,
  windowIds: readonly string[],
  holder: LeaseHolder,
): Promise<Map<string, LockedLease>> {
  const leases = new Map<string, LockedLease>();
  for (const part of chunksOf(windowIds)) {
    const rows = await db
      .selectFrom("budget_leases")
      .selectAll()
      .where("window_id", "in", part)
      .where("holder", "=", holder)
      .execute();
    for (const row of rows) {
      leases.set(row.window_id, {
        windowId: row.window_id,
        holder,
        lostAtMs: row.lost_at_ms === null ? null : Number(row.lost_at_ms),
        leasedPicos: fromMoneyColumns(row.leased_micros, row.leased_rest_picos),
      });
    }
  }
  return leases;
}

/** A lease of nothing is removed. */
export async function saveLeases(target: BulkTarget, leases: Iterable<LockedLease>): Promise<void> {
  const rows: Insertable<BudgetLeaseTable>[] = [];
  for (const { windowId, holder, lostAtMs, leasedPicos } of leases) {
    if (leasedPicos === 0n) {
      await target.db
        .deleteFrom("budget_leases")
        .where("window_id", "=", windowId)
        .where("holder", "=", holder)
        .execute();
      continue;
    }
    const leased = toMoneyColumns(leasedPicos);
    rows.push({
      window_id: windowId,
      holder,
      leased_micros: leased.micros,
      leased_rest_picos: leased.restPicos,
      lost_at_ms: lostAtMs,
    });
  }
  for (const part of partsOf(rows)) {
    await insertRows(target, "budget_leases", part, REPLACE_LEASE);
  }
}

/** A window's row with what its predecessor hands on. */
async function newRow(
  target: BulkTarget,
  id: string,
  key: WindowKey,
): Promise<Insertable<BudgetWindowTable>> {
  return toWindowRow({
    id,
    budgetId: key.budget.id,
    subject: key.subject,
    ...key.window,
    carriedPicos: await carriedInto(target, key),
    spentPicos: ZERO_PICOS,
    leasedPicos: ZERO_PICOS,
  });
}

async function carriedInto({ db }: BulkTarget, key: WindowKey): Promise<Picos> {
  const { budget, subject, window } = key;
  if (!budget.rollsOver || window.startsAtMs <= budget.createdAtMs) return ZERO_PICOS;
  const before = { budget, subject, window: windowAt({ ...budget }, window.startsAtMs - 1) };
  const row = await db
    .selectFrom("budget_windows")
    .selectAll()
    .where("id", "=", windowIdOf(before))
    .executeTakeFirst();
  return carryOver(budget, row === undefined ? NOTHING_SPENT : amountsOf(row));
}

export function amountsOf(row: Selectable<BudgetWindowTable>) {
  return {
    carriedPicos: fromMoneyColumns(row.carried_micros, row.carried_rest_picos),
    spentPicos: fromMoneyColumns(row.spent_micros, row.spent_rest_picos),
    leasedPicos: fromMoneyColumns(row.leased_micros, row.leased_rest_picos),
  };
}

const NOTHING_SPENT = {
  carriedPicos: ZERO_PICOS,
  spentPicos: ZERO_PICOS,
  leasedPicos: ZERO_PICOS,
};

function toWindowRow(window: LockedWindow): Insertable<BudgetWindowTable> {
  const spent = toMoneyColumns(window.spentPicos);
  const leased = toMoneyColumns(window.leasedPicos);
  const carried = toMoneyColumns(window.carriedPicos);
  return {
    id: window.id,
    budget_id: window.budgetId,
    subject: window.subject,
    starts_at_ms: window.startsAtMs,
    ends_at_ms: window.endsAtMs,
    spent_micros: spent.micros,
    spent_rest_picos: spent.restPicos,
    leased_micros: leased.micros,
    leased_rest_picos: leased.restPicos,
    carried_micros: carried.micros,
    carried_rest_picos: carried.restPicos,
  };
}

const REPLACE_WINDOW = replacing("id", [
  "spent_micros",
  "spent_rest_picos",
  "leased_micros",
  "leased_rest_picos",
]);
const REPLACE_LEASE = replacing("window_id, holder", [
  "leased_micros",
  "leased_rest_picos",
  "lost_at_ms",
]);

function replacing(key: string, columns: readonly string[]): string {
  const sets = columns.map((column) => `${column} = excluded.${column}`);
  return `on conflict (${key}) do update set ${sets.join(", ")}`;
}

/** Lowers the lease by what is wanted, or by what there is of it; returns by how much. */
export function takeFrom(lease: LockedLease | undefined, wanted: Picos): Picos {
  if (lease === undefined || wanted <= 0n) return ZERO_PICOS;
  const taken = wanted < lease.leasedPicos ? wanted : lease.leasedPicos;
  lease.leasedPicos = picos(lease.leasedPicos - taken);
  return taken;
}

function* chunksOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += MAX_IDS) {
    yield items.slice(start, start + MAX_IDS);
  }
}

function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
