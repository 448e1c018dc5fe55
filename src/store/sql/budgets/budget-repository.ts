import type { Kysely, Selectable, UpdateObject } from "kysely";
import {
  type Budget,
  type BudgetIncrease,
  increaseEndAt,
  limitAt,
  windowIdOf,
} from "../../../core/budgets/budget.ts";
import { grantOf } from "../../../core/budgets/grant.ts";
import type { LeaseAnswer, LeaseAsk, LeaseHolder } from "../../../core/budgets/lease.ts";
import { windowAt } from "../../../core/budgets/periods.ts";
import type { BudgetId, BudgetIncreaseId } from "../../../core/ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../../../core/money/picos.ts";
import type {
  BudgetChange,
  BudgetRepository,
  BudgetSpread,
  BudgetWindowRecord,
} from "../../budget-repository.ts";
import type { Page, PageRequest } from "../../store.ts";
import { boundedText } from "../bounded-text.ts";
import type { BulkTarget } from "../bulk-insert.ts";
import { recordChange } from "../change-repository.ts";
import { toMoneyColumns } from "../money-columns.ts";
import { newestFirst } from "../page.ts";
import { type Connections, exclusively } from "../sql-engine.ts";
import type { BudgetTable, Tables } from "../tables.ts";
import { toBudgetRow, toIncreaseRow, withIncreases } from "./budget-rows.ts";
import { sumLedger } from "./ledger-sums.ts";
import { listWindows, readWindows } from "./window-list.ts";
import { countSubjects, listFullest } from "./window-spread.ts";
import {
  type LockedLease,
  lockWindows,
  openWindows,
  readLeases,
  saveLeases,
  saveWindows,
  takeFrom,
} from "./windows.ts";

export class SqlBudgetRepository implements BudgetRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async insert(budget: Budget): Promise<void> {
    await exclusively(this.#connections, async (db) => {
      const target = this.#target(db);
      await db.insertInto("budgets").values(toBudgetRow(budget)).execute();
      // From here on whoever adds to the ledger waits, and then adds to this budget, too.
      await this.#nextEpoch(db, budget.id);
      const window = windowAt(budget, budget.createdAtMs);
      const sums = await sumLedger(target, budget, window);
      const keys = Array.from(sums.keys(), (subject) => ({ budget, subject, window }));
      const windows = await openWindows(target, keys);
      for (const one of windows.values()) one.spentPicos = sums.get(one.subject) ?? ZERO_PICOS;
      await saveWindows(target, windows.values());
      await recordChange(db, "budget", budget.id);
    });
  }

  async findById(id: BudgetId): Promise<Budget | undefined> {
    return await findBudget(this.#connections.read, id);
  }

  async list(
    page: PageRequest,
    filter: Parameters<BudgetRepository["list"]>[1] = {},
  ): Promise<Page<Budget>> {
    let rows = this.#connections.read.selectFrom("budgets").selectAll();
    if (filter.scopeKind !== undefined) rows = rows.where("scope_kind", "=", filter.scopeKind);
    if (filter.scopeId !== undefined) rows = rows.where("scope_id", "=", filter.scopeId);
    if (filter.withArchived !== true) rows = rows.where("archived_at_ms", "is", null);
    const found = await newestFirst("budgets", rows, page, (row: Selectable<BudgetTable>) => row);
    return {
      rows: await withIncreases(this.#connections.read, found.rows),
      nextCursor: found.nextCursor,
    };
  }

  async count(): Promise<number> {
    const { count } = await this.#connections.read
      .selectFrom("budgets")
      .select((select) => select.fn.countAll<bigint>().as("count"))
      .where("archived_at_ms", "is", null)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async listActive(): Promise<readonly Budget[]> {
    const rows = await this.#connections.read
      .selectFrom("budgets")
      .selectAll()
      .where("archived_at_ms", "is", null)
      .execute();
    return await withIncreases(this.#connections.read, rows);
  }

  async update(id: BudgetId, change: BudgetChange): Promise<boolean> {
    const columns = toColumns(change);
    return await this.#change(id, async (db) => {
      if (Object.keys(columns).length === 0) return true;
      await db.updateTable("budgets").set(columns).where("id", "=", id).execute();
      return true;
    });
  }

  async addIncrease(id: BudgetId, increase: BudgetIncrease): Promise<boolean> {
    return await this.#change(id, async (db) => {
      await db.insertInto("budget_increases").values(toIncreaseRow(id, increase)).execute();
      return true;
    });
  }

  async endIncrease(id: BudgetId, increaseId: BudgetIncreaseId, untilMs: number): Promise<boolean> {
    return await this.#change(id, async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("budget_increases")
        .set({ until_ms: untilMs })
        .where("budget_id", "=", id)
        .where("id", "=", increaseId)
        .where("until_ms", ">", BigInt(untilMs))
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }

  async archive(id: BudgetId, atMs: number): Promise<boolean> {
    return await this.#change(id, async (db) => {
      await db.updateTable("budgets").set({ archived_at_ms: atMs }).where("id", "=", id).execute();
      await this.#nextEpoch(db, `${id} archived`);
      return true;
    });
  }

  async findWindows(ids: readonly string[]): Promise<readonly BudgetWindowRecord[]> {
    return await readWindows(this.#connections.read, ids);
  }

  async listWindows(
    page: PageRequest,
    filter: Parameters<BudgetRepository["listWindows"]>[1],
  ): Promise<Page<BudgetWindowRecord>> {
    return await listWindows(this.#connections.read, page, filter);
  }

  async listFullest(
    page: PageRequest,
    filter: Parameters<BudgetRepository["listFullest"]>[1],
  ): Promise<Page<BudgetWindowRecord>> {
    return await listFullest(this.#connections.read, page, filter);
  }

  async countSubjects(budget: Budget, atMs: number): Promise<BudgetSpread> {
    return await countSubjects(this.#connections.read, budget, atMs);
  }

  async lease(request: Parameters<BudgetRepository["lease"]>[0]): Promise<readonly LeaseAnswer[]> {
    if (request.asks.length === 0) return [];
    return await this.#transaction((target) => grantLeases(target, request));
  }

  async giveBack(
    holder: LeaseHolder,
    amounts: Parameters<BudgetRepository["giveBack"]>[1],
  ): Promise<void> {
    if (amounts.length === 0) return;
    const wanted = new Map(amounts.map(({ windowId, picos: amount }) => [windowId, amount]));
    await this.#transaction((target) =>
      returnLeases(target, holder, [...wanted.keys()], (lease) => wanted.get(lease.windowId)),
    );
  }

  async leasesOf(holder: LeaseHolder): Promise<ReadonlyMap<string, Picos>> {
    const ids = await leasedWindows(this.#connections.read, holder);
    const leases = await readLeases({ db: this.#connections.read }, ids, holder);
    return new Map(
      Array.from(leases.values(), ({ windowId, leasedPicos }) => [windowId, leasedPicos]),
    );
  }

  async closeLeases(holder: LeaseHolder): Promise<void> {
    await this.#transaction((target) => closeLeases(target, holder));
  }

  async markLost(holder: LeaseHolder, atMs: number): Promise<void> {
    await this.#connections.write
      .updateTable("budget_leases")
      .set({ lost_at_ms: atMs })
      .where("holder", "=", holder)
      .where("lost_at_ms", "is", null)
      .execute();
  }

  async markFound(holder: LeaseHolder): Promise<void> {
    await this.#connections.write
      .updateTable("budget_leases")
      .set({ lost_at_ms: null })
      .where("holder", "=", holder)
      .execute();
  }

  /** Of a budget that is there and not archived, noted for every process. `work`: whether it has changed anything. */
  async #change(id: BudgetId, work: (db: Kysely<Tables>) => Promise<boolean>): Promise<boolean> {
    return await exclusively(this.#connections, async (db) => {
      const row = await db
        .selectFrom("budgets")
        .select("id")
        .where("id", "=", id)
        .where("archived_at_ms", "is", null)
        .executeTakeFirst();
      if (row === undefined || !(await work(db))) return false;
      await recordChange(db, "budget", id);
      return true;
    });
  }

  async #nextEpoch(db: Kysely<Tables>, epoch: string): Promise<void> {
    await this.#connections.engine.lockBudgetRules(db, "alone");
    await db.updateTable("budget_epoch").set({ epoch }).where("id", "=", 1n).execute();
  }

  async #transaction<Result>(work: (target: BulkTarget) => Promise<Result>): Promise<Result> {
    const { write } = this.#connections;
    if (write.isTransaction) return await work(this.#target(write));
    return await write.transaction().execute((db) => work(this.#target(db)));
  }

  #target(db: Kysely<Tables>): BulkTarget {
    return { ...this.#connections, db };
  }
}

/** Within a transaction: everything that the holder has left is free again. */
export async function closeLeases(target: BulkTarget, holder: LeaseHolder): Promise<void> {
  const ids = await leasedWindows(target.db, holder);
  await returnLeases(target, holder, ids, ({ leasedPicos }) => leasedPicos);
}

async function leasedWindows(db: Kysely<Tables>, holder: LeaseHolder): Promise<string[]> {
  const rows = await db
    .selectFrom("budget_leases")
    .select("window_id")
    .where("holder", "=", holder)
    .execute();
  return rows.map((row) => row.window_id);
}

async function returnLeases(
  target: BulkTarget,
  holder: LeaseHolder,
  windowIds: readonly string[],
  amountOf: (lease: LockedLease) => Picos | undefined,
): Promise<void> {
  if (windowIds.length === 0) return;
  const windows = await lockWindows(target, windowIds);
  const leases = await readLeases(target, [...windows.keys()], holder);
  for (const lease of leases.values()) {
    const window = windows.get(lease.windowId);
    if (window === undefined) continue;
    const returned = takeFrom(lease, amountOf(lease) ?? ZERO_PICOS);
    window.leasedPicos = picos(window.leasedPicos - returned);
  }
  await saveWindows(target, windows.values());
  await saveLeases(target, leases.values());
}

async function grantLeases(
  target: BulkTarget,
  { holder, atMs, asks }: Parameters<BudgetRepository["lease"]>[0],
): Promise<readonly LeaseAnswer[]> {
  const budgets = await readBudgets(target.db, asks);
  const standing = asks.map((ask) => ({ ask, budget: budgets.get(ask.key.budget.id) }));
  const keys = standing.flatMap(({ ask, budget }) =>
    budget === undefined ? [] : [{ ...ask.key, budget }],
  );
  const windows = await openWindows(target, keys);
  const leases = await readLeases(target, [...windows.keys()], holder);
  const answers = standing.map(({ ask, budget }): LeaseAnswer => {
    const window = budget && windows.get(idOf(ask, budget));
    if (window === undefined) return unlimited(ask);
    const limitPicos = limitAt(budget as Budget, window.carriedPicos, atMs);
    const grantedPicos = grantOf({ ...window, limitPicos }, ask);
    window.leasedPicos = picos(window.leasedPicos + grantedPicos);
    const lease = leases.get(window.id) ?? {
      windowId: window.id,
      holder,
      lostAtMs: null,
      leasedPicos: ZERO_PICOS,
    };
    lease.leasedPicos = picos(lease.leasedPicos + grantedPicos);
    leases.set(window.id, lease);
    const { spentPicos, leasedPicos } = window;
    const limitUntilMs = increaseEndAt(budget as Budget, atMs);
    return { grantedPicos, limitPicos, limitUntilMs, spentPicos, leasedPicos };
  });
  await saveWindows(target, windows.values());
  await saveLeases(target, leases.values());
  return answers;
}

function idOf({ key }: LeaseAsk, budget: Budget): string {
  return windowIdOf({ ...key, budget, subject: boundedText(key.subject) });
}

function unlimited({ needPicos }: LeaseAsk): LeaseAnswer {
  return {
    grantedPicos: needPicos,
    limitPicos: needPicos,
    limitUntilMs: null,
    spentPicos: ZERO_PICOS,
    leasedPicos: needPicos,
  };
}

/** Those of the asks' budgets that limit anything now. */
async function readBudgets(
  db: Kysely<Tables>,
  asks: readonly LeaseAsk[],
): Promise<ReadonlyMap<BudgetId, Budget>> {
  const ids = [...new Set(asks.map(({ key }) => key.budget.id))];
  const rows = await db
    .selectFrom("budgets")
    .selectAll()
    .where("id", "in", ids)
    .where("archived_at_ms", "is", null)
    .where("paused_at_ms", "is", null)
    .execute();
  return new Map((await withIncreases(db, rows)).map((budget) => [budget.id, budget]));
}

async function findBudget(db: Kysely<Tables>, id: BudgetId): Promise<Budget | undefined> {
  const rows = await db.selectFrom("budgets").selectAll().where("id", "=", id).execute();
  return (await withIncreases(db, rows))[0];
}

function toColumns(change: BudgetChange): UpdateObject<Tables, "budgets"> {
  const { name, limitPicos, enforcement, onTightBudget, pausedAtMs } = change;
  const limit = limitPicos === undefined ? undefined : toMoneyColumns(limitPicos);
  return {
    ...(name !== undefined && { name }),
    ...(limit !== undefined && {
      limit_micros: limit.micros,
      limit_rest_picos: limit.restPicos,
    }),
    ...(enforcement !== undefined && { enforcement }),
    ...(onTightBudget !== undefined && { on_tight_budget: onTightBudget }),
    ...(pausedAtMs !== undefined && { paused_at_ms: pausedAtMs }),
  };
}
