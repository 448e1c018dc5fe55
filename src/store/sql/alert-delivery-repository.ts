import { type RawBuilder, type Selectable, sql, type UpdateObject } from "kysely";
import type { AlertChannelId, AlertMessageId } from "../../core/ids/ids.ts";
import type { AlertDeliveryRecord } from "../alert-records.ts";
import {
  type AlertDeliveryRepository,
  type DeliveryAttempt,
  MAX_ALERT_CHANNELS,
} from "../alert-repositories.ts";
import type { AlertDeliveryTable } from "./alert-tables.ts";
import { toNullableNumber } from "./nullable-number.ts";
import { checkedLimit } from "./page.ts";
import type { Connections } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

export class SqlAlertDeliveryRepository implements AlertDeliveryRepository {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async listDueChannels(
    request: Parameters<AlertDeliveryRepository["listDueChannels"]>[0],
  ): Promise<readonly AlertChannelId[]> {
    const rows = await this.#connections.read
      .selectFrom("alert_channels")
      .select("id")
      .where("is_enabled", "=", 1n)
      .where((where) =>
        where.exists(
          where
            .selectFrom("alert_deliveries")
            .select("alert_deliveries.id")
            .whereRef("channel_id", "=", "alert_channels.id")
            .where(isDue(request)),
        ),
      )
      .orderBy("created_at_ms")
      .orderBy("id")
      .execute();
    return rows.map(({ id }) => id);
  }

  async listDue(
    channelId: AlertChannelId,
    request: Parameters<AlertDeliveryRepository["listDue"]>[1],
  ): Promise<readonly AlertDeliveryRecord[]> {
    const rows = await this.#rows()
      .where("channel_id", "=", channelId)
      .where(isDue(request))
      .orderBy("id")
      .limit(checkedLimit(request))
      .execute();
    return rows.map(toRecord);
  }

  async countAttempted(channelId: AlertChannelId, sinceMs: number): Promise<number> {
    const row = await this.#connections.read
      .selectFrom("alert_deliveries")
      .select((select) => select.fn.countAll().as("count"))
      .where("channel_id", "=", channelId)
      .where("last_attempt_at_ms", ">", BigInt(sinceMs))
      .executeTakeFirst();
    return Number(row?.count ?? 0);
  }

  async delivered(attempt: DeliveryAttempt): Promise<boolean> {
    return await this.#note(attempt, { problem: null, delivered_at_ms: attempt.atMs });
  }

  async postpone(
    attempt: DeliveryAttempt,
    { problem, nextAttemptAtMs }: Parameters<AlertDeliveryRepository["postpone"]>[1],
  ): Promise<boolean> {
    return await this.#note(attempt, { problem, next_attempt_at_ms: nextAttemptAtMs });
  }

  async giveUp(attempt: DeliveryAttempt, problem: string): Promise<boolean> {
    return await this.#note(attempt, { problem, given_up_at_ms: attempt.atMs });
  }

  async listOfMessage(id: AlertMessageId): Promise<readonly AlertDeliveryRecord[]> {
    const rows = await this.#rows()
      .where("message_id", "=", id)
      .orderBy("channel_id")
      .limit(MAX_ALERT_CHANNELS)
      .execute();
    return rows.map(toRecord);
  }

  async retry(id: AlertMessageId, nowMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("alert_deliveries")
      .set({ next_attempt_at_ms: nowMs, given_up_at_ms: null, attempts: 0, created_at_ms: nowMs })
      .where("message_id", "=", id)
      .where("delivered_at_ms", "is", null)
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  async countTroubles(): ReturnType<AlertDeliveryRepository["countTroubles"]> {
    const { read } = this.#connections;
    const [waiting, givenUp] = await Promise.all([
      read
        .selectFrom("alert_deliveries")
        .select((select) => ["channel_id", select.fn.countAll().as("count")])
        .where("delivered_at_ms", "is", null)
        .where("given_up_at_ms", "is", null)
        .where("attempts", ">", 0n)
        .groupBy("channel_id")
        .execute(),
      read
        .selectFrom("alert_deliveries")
        .select((select) => ["channel_id", select.fn.countAll().as("count")])
        .where("given_up_at_ms", "is not", null)
        .groupBy("channel_id")
        .execute(),
    ]);
    const waits = new Map(waiting.map((row) => [row.channel_id, Number(row.count)]));
    const losses = new Map(givenUp.map((row) => [row.channel_id, Number(row.count)]));
    return [...new Set([...waits.keys(), ...losses.keys()])].map((channelId) => ({
      channelId,
      waiting: waits.get(channelId) ?? 0,
      givenUp: losses.get(channelId) ?? 0,
    }));
  }

  async #note(
    { id, attemptsBefore, atMs }: DeliveryAttempt,
    change: UpdateObject<Tables, "alert_deliveries">,
  ): Promise<boolean> {
    const { numUpdatedRows } = await this.#connections.write
      .updateTable("alert_deliveries")
      .set({ ...change, attempts: attemptsBefore + 1, last_attempt_at_ms: atMs })
      .where("id", "=", id)
      .where("attempts", "=", BigInt(attemptsBefore))
      .where("delivered_at_ms", "is", null)
      .where("given_up_at_ms", "is", null)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  #rows() {
    return this.#connections.read.selectFrom("alert_deliveries").selectAll();
  }
}

function isDue({
  nowMs,
  horizonMs,
}: {
  readonly nowMs: number;
  readonly horizonMs: number;
}): RawBuilder<boolean> {
  return sql<boolean>`delivered_at_ms is null and given_up_at_ms is null
    and (next_attempt_at_ms <= ${nowMs} or next_attempt_at_ms > ${nowMs + horizonMs})`;
}

function toRecord(row: Selectable<AlertDeliveryTable>): AlertDeliveryRecord {
  return {
    id: row.id,
    messageId: row.message_id,
    channelId: row.channel_id,
    createdAtMs: Number(row.created_at_ms),
    attempts: Number(row.attempts),
    nextAttemptAtMs: Number(row.next_attempt_at_ms),
    lastAttemptAtMs: toNullableNumber(row.last_attempt_at_ms),
    problem: row.problem,
    deliveredAtMs: toNullableNumber(row.delivered_at_ms),
    givenUpAtMs: toNullableNumber(row.given_up_at_ms),
  };
}
