/** The part of the store's contract that is about alerts. */
import type { AlertKind, AlertSeverity } from "../core/alerts/alert-rule.ts";
import type {
  AlertChannelId,
  AlertDeliveryId,
  AlertId,
  AlertMessageId,
  AlertMuteId,
  AlertRuleId,
  LeaseId,
  ProviderKeyId,
} from "../core/ids/ids.ts";
import type {
  AlertChannelRecord,
  AlertDeliveryRecord,
  AlertKey,
  AlertMuteRecord,
  AlertRecord,
  AlertRuleRecord,
} from "./alert-records.ts";
import type { Page, PageRequest } from "./paging.ts";

export const MAX_ALERT_CHANNELS = 50;
export const MAX_ALERT_RULES = 200;
export const MAX_ALERT_MUTES = 1000;

export interface AlertChannelRepository {
  /** Throws UniqueViolationError for a name that is taken. */
  insert(record: AlertChannelRecord): Promise<void>;
  findById(id: AlertChannelId): Promise<AlertChannelRecord | undefined>;
  findByName(name: string): Promise<AlertChannelRecord | undefined>;
  /** All of them, oldest first; at most MAX_ALERT_CHANNELS. */
  listAll(): Promise<readonly AlertChannelRecord[]>;
  /** Name, recipients, sender and whether it is enabled. False when there is no such channel. */
  update(record: AlertChannelRecord): Promise<boolean>;
  /** With its deliveries, whatever their state. False when there is no such channel. */
  remove(id: AlertChannelId): Promise<boolean>;
  /** How the last attempt went; `problem` null = it was delivered. */
  noteAttempt(
    id: AlertChannelId,
    attempt: { readonly atMs: number; readonly problem: string | null },
  ): Promise<void>;
}

export interface AlertRuleRepository {
  /** Throws UniqueViolationError for a name that is taken. */
  insert(record: AlertRuleRecord): Promise<void>;
  /**
   * Adds those of a kind that was never added so before, in the life of the installation and whoever comes first; ever after
   * that kind is passed over. Returns those that were added: under a name of its own each, also where it is taken.
   */
  insertDefaults(records: readonly AlertRuleRecord[]): Promise<readonly AlertRuleRecord[]>;
  findById(id: AlertRuleId): Promise<AlertRuleRecord | undefined>;
  findByName(name: string): Promise<AlertRuleRecord | undefined>;
  /** All of them, oldest first; at most MAX_ALERT_RULES. */
  listAll(): Promise<readonly AlertRuleRecord[]>;
  /** Everything but its kind and its age. False when there is no such rule. */
  update(record: AlertRuleRecord): Promise<boolean>;
  /** What it fired stays in the history. False when there is no such rule. */
  remove(id: AlertRuleId): Promise<boolean>;
}

/** Alerts that are told of together, and whom. */
export interface AlertBatch {
  readonly messageId: AlertMessageId;
  readonly alerts: readonly AlertRecord[];
  /** One for each channel; none where nobody is to be told. */
  readonly deliveries: readonly AlertDeliveryRecord[];
}

export interface AlertFilter {
  readonly ruleId?: AlertRuleId | undefined;
  readonly kind?: AlertKind | undefined;
  readonly severity?: AlertSeverity | undefined;
  readonly isAcknowledged?: boolean | undefined;
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export interface AlertHistory {
  /** Of these keys, those of which the rule has an alert already. */
  findFired(ruleId: AlertRuleId, keys: readonly AlertKey[]): Promise<readonly AlertKey[]>;
  /**
   * One transaction: inserts the alerts of which their rule, subject and period has none yet, and the deliveries of each
   * batch of which at least one was new. Returns the ids of those that were. Of several processes at once one wins each.
   */
  fire(batches: readonly AlertBatch[]): Promise<readonly AlertId[]>;
  findById(id: AlertId): Promise<AlertRecord | undefined>;
  /** Newest first by (createdAt, id). */
  list(page: PageRequest, filter?: AlertFilter): Promise<Page<AlertRecord>>;
  /** The oldest of a message, and how many it has in all. */
  listOfMessage(
    id: AlertMessageId,
    limit: number,
  ): Promise<{ readonly alerts: readonly AlertRecord[]; readonly total: number }>;
  /** False when there is no such alert or it is acknowledged already. */
  acknowledge(
    id: AlertId,
    by: { readonly atMs: number; readonly actor: string; readonly note: string | null },
  ): Promise<boolean>;
}

export interface DeliveryAttempt {
  readonly id: AlertDeliveryId;
  /** How many attempts there were before this one: what another process has noted meanwhile stands. */
  readonly attemptsBefore: number;
  readonly atMs: number;
}

interface DueRequest {
  readonly nowMs: number;
  /** A next attempt further ahead was planned before the clock stepped back, and is due, too. */
  readonly horizonMs: number;
}

/** Every change is false, and has changed nothing, when the row is no more, or another attempt was noted meanwhile. */
export interface AlertDeliveryRepository {
  /** Channels that have something to deliver and are enabled. */
  listDueChannels(request: DueRequest): Promise<readonly AlertChannelId[]>;
  /** Oldest first. */
  listDue(
    channelId: AlertChannelId,
    request: DueRequest & { readonly limit: number },
  ): Promise<readonly AlertDeliveryRecord[]>;
  /** Attempts at deliveries through the channel since then that were the last of theirs. */
  countAttempted(channelId: AlertChannelId, sinceMs: number): Promise<number>;
  delivered(attempt: DeliveryAttempt): Promise<boolean>;
  postpone(
    attempt: DeliveryAttempt,
    change: { readonly problem: string; readonly nextAttemptAtMs: number },
  ): Promise<boolean>;
  giveUp(attempt: DeliveryAttempt, problem: string): Promise<boolean>;
  /** In the order of their channels' ages. */
  listOfMessage(id: AlertMessageId): Promise<readonly AlertDeliveryRecord[]>;
  /** Has what is not delivered of the message tried at once, also what was given up. Returns how many. */
  retry(id: AlertMessageId, nowMs: number): Promise<number>;
  /** By channel: what waits and has failed before, and what was given up. */
  countTroubles(): Promise<
    readonly {
      readonly channelId: AlertChannelId;
      readonly waiting: number;
      readonly givenUp: number;
    }[]
  >;
}

export interface AlertMuteRepository {
  insert(record: AlertMuteRecord): Promise<void>;
  findById(id: AlertMuteId): Promise<AlertMuteRecord | undefined>;
  /** Those that hold at that time; at most MAX_ALERT_MUTES. */
  listActive(nowMs: number): Promise<readonly AlertMuteRecord[]>;
  /** Newest first by (createdAt, id). */
  list(page: PageRequest): Promise<Page<AlertMuteRecord>>;
  /** False when there is no such mute or it has ended. */
  end(id: AlertMuteId, atMs: number): Promise<boolean>;
}

/** Work that one process does at a time, by name. By the database's clock, so that machines agree. */
export interface AlertLeaseRepository {
  /** Takes or renews it for so long; false while another holds it. */
  take(
    name: string,
    lease: { readonly leaseId: LeaseId; readonly leaseMs: number },
  ): Promise<boolean>;
  /** False when it is not held under this id. */
  release(name: string, leaseId: LeaseId): Promise<boolean>;
}

/** When provider keys were used last, to the minute or so. */
export interface ProviderKeyUseRepository {
  /** Keeps the latest of each key, in whichever order they come. */
  note(uses: readonly { readonly id: ProviderKeyId; readonly usedAtMs: number }[]): Promise<void>;
  /** Of these keys, those of which a use is known. */
  lastUsesOf(ids: readonly ProviderKeyId[]): Promise<ReadonlyMap<ProviderKeyId, number>>;
}

export interface AlertRepositories {
  readonly channels: AlertChannelRepository;
  readonly rules: AlertRuleRepository;
  readonly history: AlertHistory;
  readonly deliveries: AlertDeliveryRepository;
  readonly mutes: AlertMuteRepository;
  readonly leases: AlertLeaseRepository;
  readonly providerKeyUses: ProviderKeyUseRepository;
}
