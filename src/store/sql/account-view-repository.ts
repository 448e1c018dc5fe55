import { type Kysely, type Selectable, sql } from "kysely";
import {
  type AccountView,
  type AccountViewKey,
  type DecideViews,
  emptyView,
} from "../../core/limits/account-view.ts";
import {
  type AccountViewRepository,
  type ChangedViews,
  MAX_CHANGED_VIEWS,
} from "../account-view-repository.ts";
import type { AccountViewTable } from "./account-tables.ts";
import { checkedLimit } from "./page.ts";
import { listRunningProcesses } from "./running-processes.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** A change shows up to so long after the time that stands in it: until its transaction ends. */
const COMMIT_MS = 2_000;

type ViewRow = Selectable<AccountViewTable>;

export class SqlAccountViewRepository implements AccountViewRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async change(keys: readonly AccountViewKey[], decide: DecideViews): Promise<void> {
    if (keys.length === 0) return;
    if (keys.length > MAX_CHANGED_VIEWS) {
      throw new RangeError(`at most ${MAX_CHANGED_VIEWS} views are changed at once`);
    }
    const { write, engine } = this.#connections;
    await write.transaction().execute(async (db) => {
      const { rows, nowMs } = await this.#lock(db, keys);
      const runningProcesses = await listRunningProcesses(db, engine);
      const found = new Map(rows.map((row) => [keyOf(row.account_id, row.model), row]));
      const views = keys.map(({ accountId, model }) => {
        const row = found.get(keyOf(accountId, model));
        if (row === undefined) throw new Error(`the view of ${accountId} was not locked`);
        return toView(row);
      });
      await this.#write(db, decide(views, { nowMs, runningProcesses }), nowMs);
    });
  }

  async listChanged({
    cursor,
    freshMs,
    limit,
  }: Parameters<AccountViewRepository["listChanged"]>[0]): Promise<ChangedViews> {
    const { read, engine } = this.#connections;
    const runningProcesses = await listRunningProcesses(read, engine);
    const clock = await sql<{ now_ms: bigint }>`select ${engine.nowMs} as now_ms`.execute(read);
    const nowMs = Number(clock.rows[0]?.now_ms);
    // A cursor that lies ahead is from before the clock stepped back.
    const sinceMs = cursor === undefined || cursor > nowMs ? nowMs - freshMs : cursor;
    const rows = await read
      .selectFrom("account_views")
      .selectAll()
      .where("changed_at_ms", ">=", BigInt(sinceMs))
      .orderBy("changed_at_ms")
      .limit(checkedLimit({ limit }))
      .execute();
    const last = rows.at(-1);
    // Where more of the same time than fit stand in a row, they are gone past: they come when they change.
    const isFull = rows.length === limit && last !== undefined;
    const readUpToMs = isFull
      ? Math.max(Number(last.changed_at_ms), sinceMs + 1)
      : nowMs - COMMIT_MS;
    return {
      views: rows.map(toView),
      moment: { nowMs, runningProcesses },
      cursor: Math.max(sinceMs, readUpToMs),
    };
  }

  async removeOld(unchangedForMs: number, limit: number): Promise<number> {
    const { write, engine } = this.#connections;
    const isOld = sql<boolean>`changed_at_ms <= ${engine.nowMs} - ${unchangedForMs}`;
    const old = await write
      .selectFrom("account_views")
      .select(["account_id", "model"])
      .where(isOld)
      .limit(checkedLimit({ limit }))
      .execute();
    let removed = 0;
    for (const { account_id, model } of old) {
      const { numDeletedRows } = await write
        .deleteFrom("account_views")
        .where("account_id", "=", account_id)
        .where("model", "=", model)
        // Once more on what is deleted: somebody may have changed it meanwhile.
        .where(isOld)
        .executeTakeFirst();
      removed += Number(numDeletedRows);
    }
    return removed;
  }

  /**
   * Makes the rows that are not there, locks all of them and reads them, in one statement. In one order, whoever asks: two
   * that each wait for a row of the other would wait for ever.
   */
  async #lock(db: Kysely<Tables>, keys: readonly AccountViewKey[]) {
    const { engine } = this.#connections;
    const values = keys
      .map((key) => ({
        account_id: key.accountId,
        model: key.model,
        view: JSON.stringify(emptyView(key)),
        changed_at_ms: 0n,
      }))
      .toSorted((a, b) => (keyOf(a.account_id, a.model) < keyOf(b.account_id, b.model) ? -1 : 1));
    const rows = await db
      .insertInto("account_views")
      .values(values)
      .onConflict((conflict) =>
        conflict
          .columns(["account_id", "model"])
          .doUpdateSet({ view: sql.ref<string>("account_views.view") }),
      )
      .returningAll()
      .returning(engine.nowMs.as("now_ms"))
      .execute();
    const [first] = rows;
    if (first === undefined) throw new Error("no view was locked");
    return { rows, nowMs: Number(first.now_ms) };
  }

  async #write(db: Kysely<Tables>, views: readonly AccountView[], nowMs: number): Promise<void> {
    const parameters = views.flatMap((view) => [
      view.accountId,
      view.model,
      JSON.stringify(view),
      BigInt(nowMs),
    ]);
    await this.#connections.engine.insertRows(db, {
      table: "account_views",
      columns: ["account_id", "model", "view", "changed_at_ms"],
      onConflict: `on conflict (account_id, model) do update set view = excluded.view,
        changed_at_ms = excluded.changed_at_ms`,
      parameters,
    });
  }
}

/** An id has no space in it. */
function keyOf(accountId: string, model: string): string {
  return `${accountId} ${model}`;
}

function toView({ view }: Pick<ViewRow, "view">): AccountView {
  return JSON.parse(view) as AccountView;
}
