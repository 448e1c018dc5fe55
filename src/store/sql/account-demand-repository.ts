import { type Insertable, type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import {
  type AccountDemand,
  type AccountPeaks,
  addDemand,
  type DemandPeak,
  HOUR_MS,
  NO_DEMAND,
  startOfHour,
} from "../../core/limits/account-demand.ts";
import {
  type AccountDemandRepository,
  MAX_ADDED_DEMANDS,
  type PeaksRequest,
} from "../account-demand-repository.ts";
import type { AccountHourTable, AccountMinuteTable } from "./account-tables.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { checkedLimit } from "./page.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

const MINUTES_KEPT_MS = 2 * HOUR_MS;
const HOURS_KEPT_MS = 30 * 24 * HOUR_MS;

type HourRow = Insertable<AccountHourTable>;

interface PeakRow {
  readonly account_id: ProviderAccountId;
  readonly model: string;
  readonly peak_requests: bigint;
  readonly peak_requests_at_ms: bigint;
  readonly peak_tokens: bigint;
  readonly peak_tokens_at_ms: bigint;
  readonly waited: bigint;
  readonly longest_wait_ms: bigint;
  readonly refused: bigint;
  readonly request_limit: bigint | null;
  readonly token_limit: bigint | null;
}

export class SqlAccountDemandRepository implements AccountDemandRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async add(demands: readonly AccountDemand[]): Promise<void> {
    if (demands.length === 0) return;
    if (demands.length > MAX_ADDED_DEMANDS) {
      throw new RangeError(`at most ${MAX_ADDED_DEMANDS} minutes are added at once`);
    }
    // In one order, whoever adds: two that each wait for a row of the other would wait for ever.
    const ordered = demands.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
    await this.#connections.write.transaction().execute(async (db) => {
      // The rows are this transaction's until it ends, so no other one raises a peak by less than their sum.
      const totals = await addToMinutes(db, ordered);
      await raiseHours(db, hoursOf(ordered, totals));
    });
  }

  async listPeaks(request: PeaksRequest): Promise<readonly AccountPeaks[]> {
    const hours = sql<Selectable<AccountHourTable>>`
      select account_id, model, hour_ms as from_ms, peak_requests, peak_requests_at_ms, peak_tokens,
        peak_tokens_at_ms, waited, longest_wait_ms, refused, request_limit, token_limit
      from account_hours where hour_ms >= ${BigInt(startOfHour(request.fromMs))}`;
    return await this.#listPeaks(hours, request);
  }

  async listRecentPeaks(request: PeaksRequest): Promise<readonly AccountPeaks[]> {
    const minutes = sql<Selectable<AccountHourTable>>`
      select account_id, model, minute_ms as from_ms, requests as peak_requests,
        minute_ms as peak_requests_at_ms, tokens as peak_tokens, minute_ms as peak_tokens_at_ms,
        0 as waited, 0 as longest_wait_ms, 0 as refused, request_limit, token_limit
      from account_minutes where minute_ms >= ${BigInt(request.fromMs)}`;
    return await this.#listPeaks(minutes, request);
  }

  async removeOld(limit: number): Promise<number> {
    const { write, engine } = this.#connections;
    const most = checkedLimit({ limit });
    const minutes = await sql`
      delete from account_minutes where (account_id, model, minute_ms) in (
        select account_id, model, minute_ms from account_minutes
        where minute_ms < ${engine.nowMs} - ${MINUTES_KEPT_MS} order by minute_ms limit ${most})`.execute(
      write,
    );
    const hours = await sql`
      delete from account_hours where (account_id, model, hour_ms) in (
        select account_id, model, hour_ms from account_hours
        where hour_ms < ${engine.nowMs} - ${HOURS_KEPT_MS} order by hour_ms limit ${most})`.execute(
      write,
    );
    return Number(minutes.numAffectedRows ?? 0n) + Number(hours.numAffectedRows ?? 0n);
  }

  async #listPeaks(
    stretch: RawBuilder<Selectable<AccountHourTable>>,
    { accountId, limit }: PeaksRequest,
  ): Promise<readonly AccountPeaks[]> {
    const ofAccount = accountId === undefined ? sql`` : sql`and account_id = ${accountId}`;
    // The latest of equal peaks; and the limits as they were told last. In one pass, however many accounts there are.
    const { rows } = await sql<PeakRow>`
      with stretch as (${stretch} ${ofAccount}),
      ranked as (
        select stretch.*,
          ${rank("peak_requests desc")} as by_requests,
          ${rank("peak_tokens desc")} as by_tokens,
          ${rank("case when request_limit is null then 1 else 0 end")} as by_request_limit,
          ${rank("case when token_limit is null then 1 else 0 end")} as by_token_limit
        from stretch
      ),
      busiest as (
        select account_id, model, max(peak_requests) as peak_requests, max(peak_tokens) as peak_tokens,
          max(case when by_requests = 1 then peak_requests_at_ms end) as peak_requests_at_ms,
          max(case when by_tokens = 1 then peak_tokens_at_ms end) as peak_tokens_at_ms,
          cast(sum(waited) as bigint) as waited, max(longest_wait_ms) as longest_wait_ms,
          cast(sum(refused) as bigint) as refused,
          max(case when by_request_limit = 1 then request_limit end) as request_limit,
          max(case when by_token_limit = 1 then token_limit end) as token_limit
        from ranked group by account_id, model
        order by max(peak_requests) desc, account_id, model limit ${checkedLimit({ limit })}
      )
      select * from busiest order by account_id, model`.execute(this.#connections.read);
    return rows.map(toPeaks);
  }
}

/** 1 for the first in this order, of equal ones the latest. */
function rank(order: string): RawBuilder<bigint> {
  return sql`row_number() over (partition by account_id, model order by ${sql.raw(order)}, from_ms desc)`;
}

/** Adds, and says what all processes have counted of these minutes. */
async function addToMinutes(
  db: Kysely<Tables>,
  demands: readonly AccountDemand[],
): Promise<ReadonlyMap<string, Selectable<AccountMinuteTable>>> {
  const rows = await db
    .insertInto("account_minutes")
    .values(
      demands.map((demand) => ({
        account_id: demand.accountId,
        model: demand.model,
        minute_ms: BigInt(demand.minuteMs),
        requests: BigInt(demand.requests),
        tokens: BigInt(demand.tokens),
        request_limit: optionalInteger(demand.requestLimit),
        token_limit: optionalInteger(demand.tokenLimit),
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(["account_id", "model", "minute_ms"]).doUpdateSet({
        requests: sql`account_minutes.requests + excluded.requests`,
        tokens: sql`account_minutes.tokens + excluded.tokens`,
        request_limit: sql`coalesce(excluded.request_limit, account_minutes.request_limit)`,
        token_limit: sql`coalesce(excluded.token_limit, account_minutes.token_limit)`,
      }),
    )
    .returningAll()
    .execute();
  return new Map(rows.map((row) => [minuteKey(row.account_id, row.model, row.minute_ms), row]));
}

async function raiseHours(db: Kysely<Tables>, hours: readonly HourRow[]): Promise<void> {
  await db
    .insertInto("account_hours")
    .values([...hours])
    .onConflict((conflict) =>
      conflict.columns(["account_id", "model", "hour_ms"]).doUpdateSet({
        peak_requests: higher("peak_requests"),
        peak_requests_at_ms: higher("peak_requests", "peak_requests_at_ms"),
        peak_tokens: higher("peak_tokens"),
        peak_tokens_at_ms: higher("peak_tokens", "peak_tokens_at_ms"),
        waited: sql`account_hours.waited + excluded.waited`,
        longest_wait_ms: higher("longest_wait_ms"),
        refused: sql`account_hours.refused + excluded.refused`,
        request_limit: sql`coalesce(excluded.request_limit, account_hours.request_limit)`,
        token_limit: sql`coalesce(excluded.token_limit, account_hours.token_limit)`,
      }),
    )
    .execute();
}

/** The column's new value where the peak (or the wait) is a higher one. */
function higher(of: string, column = of): RawBuilder<bigint> {
  const [now, before] = [sql.ref(`excluded.${of}`), sql.ref(`account_hours.${of}`)];
  const [value, old] = [sql.ref(`excluded.${column}`), sql.ref(`account_hours.${column}`)];
  return sql<bigint>`case when ${now} > ${before} then ${value} else ${old} end`;
}

/** A row for each hour, in the order of the minutes. */
function hoursOf(
  demands: readonly AccountDemand[],
  totals: ReadonlyMap<string, Selectable<AccountMinuteTable>>,
): readonly HourRow[] {
  const hours = new Map<string, AccountDemand[]>();
  for (const demand of demands) {
    const key = minuteKey(demand.accountId, demand.model, startOfHour(demand.minuteMs));
    hours.set(key, [...(hours.get(key) ?? []), demand]);
  }
  return [...hours.values()].map((minutes) => {
    const [first] = minutes;
    if (first === undefined) throw new Error("an hour has a minute");
    const { waited, longestWaitMs, refused } = minutes.reduce(addDemand, NO_DEMAND);
    const rows = minutes.map(({ accountId, model, minuteMs }) => {
      const total = totals.get(minuteKey(accountId, model, minuteMs));
      if (total === undefined) throw new Error(`a minute of ${accountId} was not added to`);
      return total;
    });
    const requests = highest(rows, "requests");
    const tokens = highest(rows, "tokens");
    const lastOf = (of: "requestLimit" | "tokenLimit") =>
      minutes.findLast((minute) => minute[of] !== null)?.[of] ?? null;
    return {
      account_id: first.accountId,
      model: first.model,
      hour_ms: BigInt(startOfHour(first.minuteMs)),
      peak_requests: requests.requests,
      peak_requests_at_ms: requests.minute_ms,
      peak_tokens: tokens.tokens,
      peak_tokens_at_ms: tokens.minute_ms,
      waited: BigInt(waited),
      longest_wait_ms: BigInt(longestWaitMs),
      refused: BigInt(refused),
      request_limit: optionalInteger(lastOf("requestLimit")),
      token_limit: optionalInteger(lastOf("tokenLimit")),
    };
  });
}

function highest(
  rows: readonly Selectable<AccountMinuteTable>[],
  of: "requests" | "tokens",
): Selectable<AccountMinuteTable> {
  return rows.reduce((most, row) => (row[of] > most[of] ? row : most));
}

function toPeaks(row: PeakRow): AccountPeaks {
  return {
    accountId: row.account_id,
    model: row.model,
    requests: peakOf(row.peak_requests, row.peak_requests_at_ms),
    tokens: peakOf(row.peak_tokens, row.peak_tokens_at_ms),
    waited: Number(row.waited),
    longestWaitMs: Number(row.longest_wait_ms),
    refused: Number(row.refused),
    requestLimit: toNullableNumber(row.request_limit),
    tokenLimit: toNullableNumber(row.token_limit),
  };
}

function peakOf(amount: bigint, minuteMs: bigint): DemandPeak | null {
  return Number(amount) === 0 ? null : { amount: Number(amount), minuteMs: Number(minuteMs) };
}

function optionalInteger(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}

/** An id has no space in it, nor has a number. */
function minuteKey(accountId: string, model: string, minuteMs: bigint | number): string {
  return `${accountId} ${minuteMs} ${model}`;
}

/** Alike in every process; that is all it has to be. */
function orderOf({ accountId, model, minuteMs }: AccountDemand): string {
  return minuteKey(accountId, model, minuteMs);
}
