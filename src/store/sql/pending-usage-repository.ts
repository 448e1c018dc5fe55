import { type Kysely, type Selectable, sql, type UpdateObject } from "kysely";
import type { EventId } from "../../core/ids/ids.ts";
import type { UsageEvent, UsageReport } from "../../core/usage/usage-event.ts";
import type { PendingUsageRecord } from "../records.ts";
import type {
  Page,
  PageRequest,
  PendingLease,
  PendingState,
  PendingUsageRepository,
} from "../store.ts";
import { closeLeases } from "./budgets/budget-repository.ts";
import { newestFirst } from "./page.ts";
import type { Connections } from "./sql-engine.ts";
import type { PendingUsageTable, Tables } from "./tables.ts";
import { fromEventRow } from "./usage-event-row.ts";
import { writeEvents } from "./write-events.ts";

type PendingRow = Selectable<PendingUsageTable>;

const NO_LEASE = { lease_id: null, leased_until_ms: 0n } as const;

export class SqlPendingUsageRepository implements PendingUsageRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async claim(
    request: Parameters<PendingUsageRepository["claim"]>[0],
  ): Promise<readonly PendingUsageRecord[]> {
    const { leaseId, nowMs, leaseMs, horizonMs, limit } = request;
    const due = await this.#due(this.#connections.read, request).limit(limit).execute();
    if (due.length === 0) return [];
    const rows = await this.#connections.write
      .updateTable("pending_usage")
      .set({ lease_id: leaseId, leased_until_ms: nowMs + leaseMs })
      .where(
        "id",
        "in",
        due.map(({ id }) => id),
      )
      // Once more on what is written to: of two that have found the same row, one leases it.
      .where(isDue({ nowMs, horizonMs }))
      .where(isFree({ nowMs, leaseMs }))
      .returningAll()
      .execute();
    return await this.#withEvents(rows);
  }

  async renew(lease: PendingLease, leasedUntilMs: number): Promise<boolean> {
    return await this.#change(lease, { leased_until_ms: BigInt(leasedUntilMs) });
  }

  async release(lease: PendingLease): Promise<boolean> {
    return await this.#change(lease, NO_LEASE);
  }

  async settle(
    { id, leaseId }: PendingLease,
    events: readonly [UsageEvent, ...UsageEvent[]],
  ): Promise<boolean> {
    const { write } = this.#connections;
    const work = async (db: Kysely<Tables>): Promise<boolean> => {
      const target = { ...this.#connections, db };
      const { numDeletedRows } = await db
        .deleteFrom("pending_usage")
        .where("id", "=", id)
        .where("lease_id", "=", leaseId)
        .executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      const charged = await db
        .selectFrom("usage_events")
        .select("id")
        .where("id", "=", events[0].id)
        .executeTakeFirst();
      if (charged === undefined) await writeEvents(target, events, { holder: id });
      await closeLeases(target, id);
      return true;
    };
    return write.isTransaction ? await work(write) : await write.transaction().execute(work);
  }

  async postpone(
    lease: PendingLease,
    change: Parameters<PendingUsageRepository["postpone"]>[1],
  ): Promise<boolean> {
    const { checkedAtMs, problem, nextCheckAtMs } = change;
    return await this.#change(lease, {
      ...NO_LEASE,
      checks: sql<bigint>`checks + 1`,
      last_check_at_ms: BigInt(checkedAtMs),
      problem,
      next_check_at_ms: sql<bigint>`case when report is null
        then cast(${nextCheckAtMs} as bigint) else next_check_at_ms end`,
    });
  }

  async giveUp(
    lease: PendingLease,
    { checkedAtMs, problem }: Parameters<PendingUsageRepository["giveUp"]>[1],
  ): Promise<boolean> {
    const { write } = this.#connections;
    const work = async (db: Kysely<Tables>): Promise<boolean> => {
      const isGivenUp = await this.#change(
        lease,
        {
          ...NO_LEASE,
          checks: sql<bigint>`checks + 1`,
          last_check_at_ms: BigInt(checkedAtMs),
          problem,
          given_up_at_ms: BigInt(checkedAtMs),
        },
        db,
      );
      if (isGivenUp) await closeLeases({ ...this.#connections, db }, lease.id);
      return isGivenUp;
    };
    return write.isTransaction ? await work(write) : await write.transaction().execute(work);
  }

  async retry(id: EventId, nowMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("pending_usage")
      .set({ given_up_at_ms: null, checks: 0n, next_check_at_ms: BigInt(nowMs), ...NO_LEASE })
      .where("id", "=", id)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async findById(id: EventId): Promise<PendingUsageRecord | undefined> {
    const rows = await this.#rows().where("id", "=", id).execute();
    return (await this.#withEvents(rows))[0];
  }

  async list(
    page: PageRequest,
    filter: { readonly state?: PendingState | undefined } = {},
  ): Promise<Page<PendingUsageRecord>> {
    let rows = this.#rows();
    if (filter.state === "waiting") rows = rows.where("given_up_at_ms", "is", null);
    if (filter.state === "given_up") rows = rows.where("given_up_at_ms", "is not", null);
    const found = await newestFirst("pendingUsage", rows, page, (row) => row);
    return { rows: await this.#withEvents(found.rows), nextCursor: found.nextCursor };
  }

  #rows() {
    return this.#connections.read.selectFrom("pending_usage").selectAll();
  }

  #due(db: Kysely<Tables>, request: Parameters<PendingUsageRepository["claim"]>[0]) {
    return db
      .selectFrom("pending_usage")
      .select("id")
      .where(isDue(request))
      .where(isFree(request))
      .orderBy("next_check_at_ms");
  }

  async #change(
    { id, leaseId }: PendingLease,
    change: UpdateObject<Tables, "pending_usage">,
    db = this.#connections.write,
  ): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable("pending_usage")
      .set(change)
      .where("id", "=", id)
      .where("lease_id", "=", leaseId)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  async #withEvents(rows: readonly PendingRow[]): Promise<readonly PendingUsageRecord[]> {
    if (rows.length === 0) return [];
    const events = await this.#connections.read
      .selectFrom("usage_events")
      .selectAll()
      .where(
        "id",
        "in",
        rows.map(({ id }) => id),
      )
      .execute();
    const byId = new Map(events.map((event) => [event.id, fromEventRow(event)]));
    return rows.map((row) => {
      const event = byId.get(row.id);
      if (event === undefined) throw new Error(`pending usage ${row.id} has no event`);
      return toRecord(row, event);
    });
  }
}

function isDue({ nowMs, horizonMs }: { readonly nowMs: number; readonly horizonMs: number }) {
  return sql<boolean>`given_up_at_ms is null
    and (next_check_at_ms <= ${nowMs} or next_check_at_ms > ${nowMs + horizonMs})`;
}

function isFree({ nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number }) {
  // One that ends far later than any can was taken before the clock stepped back; a little later, by a clock that is ahead.
  return sql<boolean>`(leased_until_ms <= ${nowMs} or leased_until_ms > ${nowMs + 2 * leaseMs})`;
}

function toRecord(row: PendingRow, event: UsageEvent): PendingUsageRecord {
  const { kind, object_id: objectId, path, report, problem } = row;
  return {
    event,
    work: { kind, objectId, path },
    report: report === null ? null : (JSON.parse(report) as UsageReport),
    createdAtMs: Number(row.created_at_ms),
    checks: Number(row.checks),
    nextCheckAtMs: Number(row.next_check_at_ms),
    lastCheckAtMs: row.last_check_at_ms === null ? null : Number(row.last_check_at_ms),
    problem,
    givenUpAtMs: row.given_up_at_ms === null ? null : Number(row.given_up_at_ms),
  };
}
