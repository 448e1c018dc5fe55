import { type Kysely, type Selectable, sql } from "kysely";
import type { LimitId } from "../../core/ids/ids.ts";
import type { DecideUses, HeldSlots, LimitUse, LimitUseKey } from "../../core/limits/limit-use.ts";
import type { Counted, SlidingWindow } from "../../core/limits/sliding-window.ts";
import { type LimitUseRepository, MAX_CHANGED_USES } from "../store.ts";
import { checkedLimit } from "./page.ts";
import { listRunningProcesses } from "./running-processes.ts";
import type { Connections } from "./sql-engine.ts";
import type { LimitUseTable, Tables } from "./tables.ts";

/** After this long without a change nothing in a row's windows counts any more; and how coarsely that is written down. */
const IDLE_STEP_MS = 10 * 60_000;
/** Longer than any call takes: slots that nobody has spoken of for so long belong to processes that are gone. */
const FORGOTTEN_MS = 24 * 60 * 60_000;

type UseRow = Selectable<LimitUseTable>;

export class SqlLimitUseRepository implements LimitUseRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async change(keys: readonly LimitUseKey[], decide: DecideUses): Promise<void> {
    if (keys.length === 0) return;
    if (keys.length > MAX_CHANGED_USES) {
      throw new RangeError(`at most ${MAX_CHANGED_USES} uses are changed at once`);
    }
    await this.#connections.write.transaction().execute(async (db) => {
      const { rows, nowMs } = await this.#lock(db, keys);
      const runningProcesses = await listRunningProcesses(db, this.#connections.engine);
      const found = new Map(rows.map((row) => [keyOf(row.limit_id, row.subject), toUse(row)]));
      const uses = keys.map(({ limitId, subject }) => {
        const use = found.get(keyOf(limitId, subject));
        if (use === undefined) throw new Error(`the use of ${limitId} was not locked`);
        return use;
      });
      await this.#write(db, decide(uses, { nowMs, runningProcesses }), nowMs);
    });
  }

  async listOf(limitId: LimitId, limit: number): Promise<readonly LimitUse[]> {
    const rows = await this.#connections.read
      .selectFrom("limit_uses")
      .selectAll()
      .where("limit_id", "=", limitId)
      .orderBy("subject")
      .limit(checkedLimit({ limit }))
      .execute();
    return rows.map(toUse);
  }

  async removeIdle(limit: number): Promise<number> {
    const { write, engine } = this.#connections;
    const isIdle = sql<boolean>`idle_at_ms <= ${engine.nowMs}
      and (slots = '{}' or idle_at_ms <= ${engine.nowMs} - ${FORGOTTEN_MS})`;
    const idle = write.selectFrom("limit_uses").select(["limit_id", "subject"]).where(isIdle);
    const found = await idle.limit(checkedLimit({ limit })).execute();
    let removed = 0;
    for (const { limit_id, subject } of found) {
      const { numDeletedRows } = await write
        .deleteFrom("limit_uses")
        .where("limit_id", "=", limit_id)
        .where("subject", "=", subject)
        // Once more on what is deleted: somebody may have taken from it meanwhile.
        .where(isIdle)
        .executeTakeFirst();
      removed += Number(numDeletedRows);
    }
    return removed;
  }

  /**
   * Makes the rows that are not there, locks all of them and reads them, in one statement. In one order, whoever asks: two
   * that each wait for a row of the other would wait for ever.
   */
  async #lock(db: Kysely<Tables>, keys: readonly LimitUseKey[]) {
    const { engine } = this.#connections;
    const values = keys
      .map(({ limitId, subject }) => ({
        limit_id: limitId,
        subject,
        requests: "[]",
        tokens: "[]",
        slots: "{}",
        idle_at_ms: 0n,
      }))
      .toSorted((a, b) => compare(a.limit_id, b.limit_id) || compare(a.subject, b.subject));
    const rows = await db
      .insertInto("limit_uses")
      .values(values)
      .onConflict((conflict) =>
        conflict
          .columns(["limit_id", "subject"])
          .doUpdateSet({ slots: sql.ref<string>("limit_uses.slots") }),
      )
      .returningAll()
      .returning(engine.nowMs.as("now_ms"))
      .execute();
    const [first] = rows;
    if (first === undefined) throw new Error("no use was locked");
    return { rows, nowMs: Number(first.now_ms) };
  }

  async #write(db: Kysely<Tables>, uses: readonly LimitUse[], nowMs: number): Promise<void> {
    const idleAtMs = (Math.floor(nowMs / IDLE_STEP_MS) + 2) * IDLE_STEP_MS;
    const parameters = uses.flatMap((use) => [
      use.limitId,
      use.subject,
      formatWindow(use.requests),
      formatWindow(use.tokens),
      formatSlots(use.slots),
      BigInt(idleAtMs),
    ]);
    await this.#connections.engine.insertRows(db, {
      table: "limit_uses",
      columns: ["limit_id", "subject", "requests", "tokens", "slots", "idle_at_ms"],
      onConflict: `on conflict (limit_id, subject) do update set requests = excluded.requests,
        tokens = excluded.tokens, slots = excluded.slots, idle_at_ms = excluded.idle_at_ms`,
      parameters,
    });
  }
}

function keyOf(limitId: LimitId, subject: string): string {
  return `${limitId} ${subject}`;
}

/** By code units; any order does that is the same everywhere. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function toUse(row: UseRow): LimitUse {
  return {
    limitId: row.limit_id,
    subject: row.subject,
    requests: parseWindow(row.requests),
    tokens: parseWindow(row.tokens),
    slots: parseSlots(row.slots),
  };
}

/** The first moment, its amount; then the time from one to the next, and the amount. */
function formatWindow(window: SlidingWindow): string {
  let beforeMs = 0;
  const numbers = window.flatMap(({ atMs, amount }) => {
    const sinceMs = atMs - beforeMs;
    beforeMs = atMs;
    return [sinceMs, amount];
  });
  return JSON.stringify(numbers);
}

function parseWindow(text: string): SlidingWindow {
  const numbers = JSON.parse(text) as readonly number[];
  const window: Counted[] = [];
  let atMs = 0;
  for (let i = 0; i + 1 < numbers.length; i += 2) {
    atMs += numbers[i] ?? 0;
    window.push({ atMs, amount: numbers[i + 1] ?? 0 });
  }
  return window;
}

function formatSlots(slots: HeldSlots): string {
  const pairs = Object.entries(slots).map(([id, { held, inFlight }]) => [id, [held, inFlight]]);
  return JSON.stringify(Object.fromEntries(pairs));
}

/** Processes of an earlier version, of which some may still run, write only how many are held. */
function parseSlots(text: string): HeldSlots {
  const slots = JSON.parse(text) as Readonly<Record<string, number | readonly [number, number]>>;
  return Object.fromEntries(
    Object.entries(slots).map(([id, told]) => {
      const [held, inFlight] = typeof told === "number" ? [told, told] : told;
      return [id, { held, inFlight }];
    }),
  );
}
