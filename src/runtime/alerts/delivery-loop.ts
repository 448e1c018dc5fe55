/**
 * Sends what is to be delivered, through every channel that has something, oldest first. A channel is looked after by
 * one process at a time, under a lease, so that its messages keep their order and its rate; a process that dies leaves a
 * lease that runs out, and what it had sent without noting it is sent once more, under the same id.
 */
import type { SendOutcome } from "../../alerts/alert-message.ts";
import {
  DELIVERY_HORIZON_MS,
  deliveryDelayMs,
  isDeliveryHopeless,
} from "../../core/alerts/delivery-schedule.ts";
import type { AlertChannelId, IdFactory, LeaseId } from "../../core/ids/ids.ts";
import type { AlertChannelRecord, AlertDeliveryRecord } from "../../store/alert-records.ts";
import type { Store } from "../../store/store.ts";
import type { Log } from "../../telemetry/log.ts";
import type { AlertSenders } from "./alert-senders.ts";
import { composeMessage } from "./compose-message.ts";
import type { NamedStore } from "./subject-names.ts";

export interface DeliveryDeps {
  readonly store: Pick<Store, "alerts"> & NamedStore;
  readonly senders: Pick<AlertSenders, "send">;
  readonly ids: Pick<IdFactory, "create">;
  readonly log: Log;
  readonly nowMs: () => number;
  /** 0 inclusive to 1 exclusive. */
  readonly random: () => number;
}

/** A channel's messages within any minute, however many processes there are: Slack takes about one a second. */
export const MAX_MESSAGES_A_MINUTE = 20;
const MINUTE_MS = 60_000;
/** Longer than a message may take; renewed before each. */
const LEASE_MS = 120_000;

/** Each channel by itself: one that hangs keeps no other one waiting. */
export class AlertDelivery {
  readonly #deps: DeliveryDeps;
  readonly #stopping = new AbortController();
  readonly #active = new Map<AlertChannelId, Promise<void>>();

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Begins with what is due through channels that are not at work. Rejects when the store cannot be asked. */
  async look(): Promise<void> {
    const { store, ids, nowMs, log } = this.#deps;
    const { signal } = this.#stopping;
    const due = await store.alerts.deliveries.listDueChannels({
      nowMs: nowMs(),
      horizonMs: DELIVERY_HORIZON_MS,
    });
    for (const id of due) {
      if (signal.aborted || this.#active.has(id)) continue;
      const lease = { id, leaseId: ids.create("lea") };
      const work = deliverThrough(this.#deps, lease, signal).catch((err: unknown) => {
        // The store is away. What was sent and not noted is sent once more when the lease has run out.
        log.error({ err, channelId: id }, "alerts of a channel could not be looked after");
      });
      this.#active.set(id, work);
      void work.finally(() => this.#active.delete(id));
    }
  }

  /** Resolves when no channel is at work. */
  async settled(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active.values());
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the gateway stops"));
    await this.settled();
  }
}

interface ChannelLease {
  readonly id: AlertChannelId;
  readonly leaseId: LeaseId;
}

async function deliverThrough(
  deps: DeliveryDeps,
  lease: ChannelLease,
  signal: AbortSignal,
): Promise<void> {
  const { leases } = deps.store.alerts;
  const name = `channel ${lease.id}`;
  const hold = () => leases.take(name, { leaseId: lease.leaseId, leaseMs: LEASE_MS });
  if (!(await hold())) return;
  try {
    while (!signal.aborted && (await hold())) {
      if (!(await deliverNext(deps, lease.id, signal))) return;
    }
  } finally {
    await leases.release(name, lease.leaseId);
  }
}

/** False when there is nothing to do through the channel for now. */
async function deliverNext(
  deps: DeliveryDeps,
  id: AlertChannelId,
  signal: AbortSignal,
): Promise<boolean> {
  const { channels, deliveries } = deps.store.alerts;
  const nowMs = deps.nowMs();
  const [channel, [delivery], attempted] = await Promise.all([
    channels.findById(id),
    deliveries.listDue(id, { nowMs, horizonMs: DELIVERY_HORIZON_MS, limit: 1 }),
    deliveries.countAttempted(id, nowMs - MINUTE_MS),
  ]);
  if (channel?.isEnabled !== true || delivery === undefined) return false;
  if (attempted >= MAX_MESSAGES_A_MINUTE) return false;
  const message = await composeMessage(deps.store, delivery.messageId);
  const outcome: SendOutcome =
    message === undefined
      ? { kind: "failed", problem: "its alerts are gone", retryAfterMs: undefined }
      : await deps.senders.send(channel, message, signal);
  // Broken off by a stop: nothing is known of it, so it is tried again as if it had not been.
  if (signal.aborted && outcome.kind === "failed") return false;
  await noteOutcome(deps, { channel, delivery }, outcome);
  return true;
}

async function noteOutcome(
  { store, log, nowMs, random }: DeliveryDeps,
  {
    channel,
    delivery,
  }: { readonly channel: AlertChannelRecord; readonly delivery: AlertDeliveryRecord },
  outcome: SendOutcome,
): Promise<void> {
  const { deliveries, channels } = store.alerts;
  const atMs = nowMs();
  const attempts = delivery.attempts + 1;
  const attempt = { id: delivery.id, attemptsBefore: delivery.attempts, atMs };
  const named = { channel: channel.name, message: delivery.messageId, attempts };
  if (outcome.kind === "delivered") {
    await deliveries.delivered(attempt);
    await channels.noteAttempt(channel.id, { atMs, problem: null });
    log.info(named, "an alert was delivered");
    return;
  }
  const { problem, retryAfterMs } = outcome;
  await channels.noteAttempt(channel.id, { atMs, problem });
  if (isDeliveryHopeless({ attempts, ageMs: atMs - delivery.createdAtMs })) {
    await deliveries.giveUp(attempt, problem);
    log.error({ ...named, problem }, "an alert was given up: its channel has failed for days");
    return;
  }
  const delayMs = deliveryDelayMs(attempts, { retryAfterMs, random: random() });
  await deliveries.postpone(attempt, { problem, nextAttemptAtMs: atMs + delayMs });
  log.warn({ ...named, problem, delayMs }, "an alert could not be delivered");
}
