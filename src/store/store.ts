/**
 * The store's contract: what Keyward keeps, and how it is asked for. One implementation per database in the
 * sub-folders; every one of them passes `store.contract.ts`. No SQL above this line, no rule below it.
 */
import type { Lending } from "../core/budgets/lease.ts";
import type {
  ClientTokenId,
  CustomerId,
  EnvironmentId,
  EventId,
  GatewayKeyId,
  LeaseId,
  LimitId,
  PriceOverrideId,
  ProcessId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
  RoutingRuleId,
} from "../core/ids/ids.ts";
import type {
  DataKeyRecord,
  RootKeyRecord,
  RootKeyReplacement,
} from "../core/keys/vault-records.ts";
import type { DecideUses, LimitUse, LimitUseKey } from "../core/limits/limit-use.ts";
import type { Picos } from "../core/money/picos.ts";
import type { ScopeKind } from "../core/scopes/scope.ts";
import type { PendingProblem } from "../core/usage/deferred-usage.ts";
import type { EventStatus, RefusalCount, UsageEvent } from "../core/usage/usage-event.ts";
import type { AccessRepositories, AdminTokenRepository } from "./access-repositories.ts";
import type { AccountDemandRepository } from "./account-demand-repository.ts";
import type { AccountViewRepository } from "./account-view-repository.ts";
import type { AlertRepositories } from "./alert-repositories.ts";
import type { AuditRepository } from "./audit-repository.ts";
import type { BudgetRepository } from "./budget-repository.ts";
import type { ExposureRepositories } from "./exposure-repositories.ts";
import type { GatewayKeyRepository } from "./gateway-key-repository.ts";
import type { Page, PageRequest } from "./paging.ts";
import type {
  ChangeRecord,
  CorrectionRecord,
  CustomerRecord,
  EnvironmentRecord,
  LimitRecord,
  NewProcess,
  PendingUsageRecord,
  PriceOverrideRecord,
  ProcessRecord,
  ProjectRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
  RoutingRuleRecord,
} from "./records.ts";
import type { RotationRepositories } from "./rotation-repositories.ts";

export type { Page, PageRequest };
export const MAX_PAGE_SIZE = 1000;
export const DEFAULT_PAGE_SIZE = 50;

/** A cursor that this store did not issue, or not for this list. The caller's fault. */
export class InvalidCursorError extends Error {}

/** A unique name, external id, hash or fingerprint is taken. `field` is the record's field. */
export class UniqueViolationError extends Error {
  readonly field: string;
  constructor(field: string, options?: ErrorOptions) {
    super(`${field} is already taken`, options);
    this.field = field;
  }
}

/** The database was migrated by a newer Keyward than this one. */
export class NewerSchemaError extends Error {
  readonly found: number;
  readonly supported: number;
  constructor(found: number, supported: number) {
    super(`the database is at schema ${found}, this Keyward knows ${supported}`);
    this.found = found;
    this.supported = supported;
  }
}

export interface ProjectRepository {
  insert(record: ProjectRecord): Promise<void>;
  findById(id: ProjectId): Promise<ProjectRecord | undefined>;
  findByName(name: string): Promise<ProjectRecord | undefined>;
  list(page: PageRequest): Promise<Page<ProjectRecord>>;
}

/** What changes in an environment; what is absent stays. */
export type EnvironmentChange = Partial<
  Pick<EnvironmentRecord, "unpricedPolicy" | "budgetCeilingPicos" | "policy">
>;

export interface EnvironmentRepository {
  insert(record: EnvironmentRecord): Promise<void>;
  findById(id: EnvironmentId): Promise<EnvironmentRecord | undefined>;
  findByName(name: string): Promise<EnvironmentRecord | undefined>;
  list(page: PageRequest): Promise<Page<EnvironmentRecord>>;
  /** False when there is no such environment. */
  update(id: EnvironmentId, change: EnvironmentChange): Promise<boolean>;
}

export interface ProviderAccountRepository {
  insert(record: ProviderAccountRecord): Promise<void>;
  findById(id: ProviderAccountId): Promise<ProviderAccountRecord | undefined>;
  findByName(name: string): Promise<ProviderAccountRecord | undefined>;
  list(page: PageRequest): Promise<Page<ProviderAccountRecord>>;
}

export interface ProviderKeyRepository {
  insert(record: ProviderKeyRecord): Promise<void>;
  findById(id: ProviderKeyId): Promise<ProviderKeyRecord | undefined>;
  /** Keys with this fingerprint that are not revoked, in any environment. */
  findActiveByFingerprint(fingerprint: string): Promise<readonly ProviderKeyRecord[]>;
  /** Keys of the environment that are not revoked, oldest first; at most MAX_PAGE_SIZE. */
  listActive(environmentId: EnvironmentId): Promise<readonly ProviderKeyRecord[]>;
  list(
    page: PageRequest,
    filter?: {
      readonly environmentId?: EnvironmentId | undefined;
      readonly accountId?: ProviderAccountId | undefined;
    },
  ): Promise<Page<ProviderKeyRecord>>;
  /** False when there is no such key. */
  setWeight(id: ProviderKeyId, weight: number): Promise<boolean>;
  /** Gives the key another secret. False, and nothing changed, when it is revoked or no longer has the one before. */
  replaceSecret(
    id: ProviderKeyId,
    secret: {
      readonly previousVersion: number;
    } & Pick<ProviderKeyRecord, "version" | "sealed" | "fingerprint" | "preview">,
  ): Promise<boolean>;
  /** False when there is no such key or it is already revoked. */
  revoke(id: ProviderKeyId, revokedAtMs: number): Promise<boolean>;
}

export interface RoutingRuleRepository {
  insert(record: RoutingRuleRecord): Promise<void>;
  findById(id: RoutingRuleId): Promise<RoutingRuleRecord | undefined>;
  /** In the order in which they are asked; at most MAX_PAGE_SIZE. */
  listOf(environmentId: EnvironmentId): Promise<readonly RoutingRuleRecord[]>;
  /** Everything but its environment and its age. False when there is no such rule. */
  update(record: RoutingRuleRecord): Promise<boolean>;
  /** False when there is no such rule. */
  remove(id: RoutingRuleId): Promise<boolean>;
}

export interface CustomerRepository {
  insert(record: CustomerRecord): Promise<void>;
  findById(id: CustomerId): Promise<CustomerRecord | undefined>;
  findByExternalId(externalId: string): Promise<CustomerRecord | undefined>;
  list(page: PageRequest): Promise<Page<CustomerRecord>>;
}

/** More are refused: every process holds them all in memory. */
export const MAX_PRICE_OVERRIDES = 10_000;

export interface PriceOverrideRepository {
  insert(record: PriceOverrideRecord): Promise<void>;
  findById(id: PriceOverrideId): Promise<PriceOverrideRecord | undefined>;
  /** All of them, also those that have ended, oldest first; at most MAX_PRICE_OVERRIDES. */
  listAll(): Promise<readonly PriceOverrideRecord[]>;
  list(
    page: PageRequest,
    filter?: { readonly provider?: string | undefined },
  ): Promise<Page<PriceOverrideRecord>>;
  /** Brings the end forward. False, and nothing changed, when there is no such override or it ends by then already. */
  end(
    id: PriceOverrideId,
    change: { readonly validUntilMs: number; readonly endedBy: string; readonly endedAtMs: number },
  ): Promise<boolean>;
}

export interface VaultKeyRepository {
  /** False, and nothing changed, when there is a current root key already. */
  insertRootKey(record: RootKeyRecord): Promise<boolean>;
  currentRootKey(): Promise<RootKeyRecord | undefined>;
  /**
   * False, and nothing changed, when the scope has a data key already or `rootKeyId` is not the current root key.
   * Serialised against `replaceRootKey`: a data key that slips past a rotation could never be opened again.
   */
  insertDataKey(record: DataKeyRecord): Promise<boolean>;
  findDataKey(id: DataKeyRecord["id"]): Promise<DataKeyRecord | undefined>;
  findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined>;
  listDataKeys(): Promise<readonly DataKeyRecord[]>;
  /**
   * One transaction: every data key gets its new wrapping, `root` becomes the one current root key. False, and
   * nothing changed, when `previousId` is not current any more or `rewrapped` does not name every data key there is.
   */
  replaceRootKey(change: RootKeyReplacement): Promise<boolean>;
}

export interface EventFilter {
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
  readonly projectId?: ProjectId | undefined;
  readonly environmentId?: EnvironmentId | undefined;
  readonly gatewayKeyId?: GatewayKeyId | undefined;
  readonly clientTokenId?: ClientTokenId | undefined;
  readonly customer?: string | undefined;
  readonly feature?: string | undefined;
  /** The served model, or the requested one where none was served. */
  readonly model?: string | undefined;
  readonly status?: EventStatus | undefined;
  readonly requestId?: string | undefined;
}

/** `model` is the served model, or the requested one where none was served. `hour` and `day` are UTC. */
export const SUMMARY_DIMENSIONS = [
  "project",
  "environment",
  "customer",
  "feature",
  "model",
  "key",
  "hour",
  "day",
] as const;
export type SummaryDimension = (typeof SUMMARY_DIMENSIONS)[number];

export interface SummaryRequest {
  /** In the order of the rows; may be empty: one row, the total. `hour` and `day` exclude each other. */
  readonly groupBy: readonly SummaryDimension[];
  /** Floored to the hour. */
  readonly fromMs?: number | undefined;
  /** Exclusive; raised to the hour. */
  readonly toMs?: number | undefined;
  readonly filter?:
    | Omit<EventFilter, "fromMs" | "toMs" | "status" | "requestId" | "clientTokenId">
    | undefined;
}

export interface SummaryRow {
  /** Ids for project, environment and key, ms of its start for hour and day; null = none named. Only the grouped dimensions. */
  readonly group: Readonly<Partial<Record<SummaryDimension, string | number | null>>>;
  readonly calls: number;
  readonly failedCalls: number;
  readonly interruptedCalls: number;
  readonly unknownCalls: number;
  readonly estimatedCalls: number;
  /** Of known usage. */
  readonly unpricedCalls: number;
  readonly usageUnknownCalls: number;
  readonly unmeteredCalls: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
  /** Sum over the calls that have a cost. */
  readonly costPicos: Picos;
  readonly pricePicos: Picos;
}

export interface EventBatch {
  readonly events: readonly UsageEvent[];
  readonly refusals: readonly RefusalCount[];
  /** Whose leases on budgets the events' calls were held from; absent: nobody's. */
  readonly lending?: Lending | undefined;
}

/** Calls of one key that were refused for one reason, or would have been. */
export interface KeyRefusals {
  readonly code: string;
  readonly gatewayKeyId: GatewayKeyId;
  readonly count: number;
}

export interface UsageRepository {
  /**
   * One transaction: inserts the events whose id is not there yet, and adds exactly those to the hourly rollups.
   * Returns how many were new. Safe to repeat with the same events (refusal counts are added each time), also by
   * several processes at once. Of events with one id the first is kept.
   *
   * No event is refused for its text, whoever sent it: empty text of an optional field is kept as null, NUL becomes
   * U+FFFD, and text of more than 256 UTF-16 units is kept as its beginning with a hash of the whole. Filters treat
   * what they are given in the same way. Times are kept in whole milliseconds.
   *
   * In the same transaction the `deferred` step of each new event goes to the pending usage: work that was begun becomes a
   * row there, unless the account's work of that id has one; work that has ended is looked at next. And each new event is
   * added to what the budgets that count it have spent, out of the lease it was held from where there is one; for work
   * that was begun, what was held stays set aside.
   */
  insertBatch(batch: EventBatch): Promise<{ readonly inserted: number }>;
  /** Newest first by (startedAt, id). */
  listEvents(page: PageRequest, filter?: EventFilter): Promise<Page<UsageEvent>>;
  /** From the hourly rollups, ordered by the grouped dimensions (nulls first). */
  summarize(page: PageRequest, request: SummaryRequest): Promise<Page<SummaryRow>>;
  /** Summed over hours, ordered by code; not what broke a rule that only warns, which is no refusal. */
  summarizeRefusals(range: {
    readonly fromMs?: number | undefined;
    readonly toMs?: number | undefined;
  }): Promise<readonly { readonly code: string; readonly count: number }[]>;
  /** Counts of these codes by key, from the hour of `fromMs` on; at most MAX_PAGE_SIZE, and none of calls without a key. */
  countRefusalsByKey(
    codes: readonly string[],
    fromMs: number,
    /** Only of its keys. */
    environmentId?: EnvironmentId,
  ): Promise<readonly KeyRefusals[]>;
}

export interface CorrectionRepository {
  /**
   * One transaction: inserts the corrections that are not there yet (by event and ordinal) and adds exactly those to the
   * rollups of their events' hours. Returns how many were new. Safe to repeat, and by several processes at once.
   */
  insert(
    corrections: readonly { readonly event: UsageEvent; readonly correction: CorrectionRecord }[],
  ): Promise<{ readonly inserted: number }>;
  /** The last correction of each of these events that has one; at most MAX_PAGE_SIZE ids. */
  lastOf(eventIds: readonly EventId[]): Promise<readonly CorrectionRecord[]>;
  /** Newest first by (createdAt, id). */
  list(
    page: PageRequest,
    filter?: { readonly eventId?: EventId | undefined },
  ): Promise<Page<CorrectionRecord>>;
}

export const PENDING_STATES = ["waiting", "given_up"] as const;
export type PendingState = (typeof PENDING_STATES)[number];

/** A lease on a row of pending usage: whoever holds it looks after the row, until a time. */
export interface PendingLease {
  readonly id: EventId;
  readonly leaseId: LeaseId;
}

/**
 * Usage that providers report later, a row for each piece of work; by the id of the event that began it. Rows are made
 * by `UsageRepository.insertBatch`. Everything that takes a lease is false, and has changed nothing, when the lease is
 * another's by now.
 */
export interface PendingUsageRepository {
  /**
   * Leases rows whose time has come and that nobody looks after, longest due first. A time further ahead than
   * `horizonMs` was set before the clock stepped back, and has come, too.
   */
  claim(request: {
    readonly leaseId: LeaseId;
    readonly nowMs: number;
    readonly leaseMs: number;
    readonly horizonMs: number;
    readonly limit: number;
  }): Promise<readonly PendingUsageRecord[]>;
  renew(lease: PendingLease, leasedUntilMs: number): Promise<boolean>;
  /** Gives the row back as it was. */
  release(lease: PendingLease): Promise<boolean>;
  /**
   * One transaction: removes the row and inserts the events that charge it. None is inserted where the first one's id is
   * there already: then the work was charged before, under another row.
   */
  settle(lease: PendingLease, events: readonly [UsageEvent, ...UsageEvent[]]): Promise<boolean>;
  /** Gives it back after the provider was asked. A row that has got a report meanwhile stays due. */
  postpone(
    lease: PendingLease,
    change: {
      readonly checkedAtMs: number;
      readonly problem: PendingProblem;
      readonly nextCheckAtMs: number;
    },
  ): Promise<boolean>;
  giveUp(
    lease: PendingLease,
    change: { readonly checkedAtMs: number; readonly problem: PendingProblem },
  ): Promise<boolean>;
  /** Has it looked at next, also when it was given up; its checks are counted anew. False when there is no such row. */
  retry(id: EventId, nowMs: number): Promise<boolean>;
  findById(id: EventId): Promise<PendingUsageRecord | undefined>;
  /** Newest first by (createdAt, id). */
  list(
    page: PageRequest,
    filter?: { readonly state?: PendingState | undefined },
  ): Promise<Page<PendingUsageRecord>>;
}

/** More are refused: every process holds them all in memory. */
export const MAX_LIMITS = 50_000;

export interface LimitRepository {
  insert(record: LimitRecord): Promise<void>;
  findById(id: LimitId): Promise<LimitRecord | undefined>;
  /** Those of them that are there; at most MAX_PAGE_SIZE ids. */
  findMany(ids: readonly LimitId[]): Promise<readonly LimitRecord[]>;
  list(
    page: PageRequest,
    filter?: {
      readonly scopeKind?: ScopeKind | undefined;
      /** Null: those for each one of the kind. */
      readonly scopeId?: string | null | undefined;
    },
  ): Promise<Page<LimitRecord>>;
  /** How many there are, of which at most `atMost` are counted. */
  count(atMost: number): Promise<number>;
  /** Everything but its scope and its age. False when there is no such limit. */
  update(record: LimitRecord): Promise<boolean>;
  /** With all that was taken of it. False when there is no such limit. */
  remove(id: LimitId): Promise<boolean>;
}

/** At most so many uses are changed at once: whoever waits for one of them waits for all. */
export const MAX_CHANGED_USES = 200;

/** What the processes have taken of limits. A use that is not there yet is one of which nothing was taken. */
export interface LimitUseRepository {
  /**
   * One transaction that reads the uses, has `decide` say what is to become of them, and writes that. Changes of one use
   * take turns, whoever makes them; changes of different uses need not. Each key once, at most MAX_CHANGED_USES.
   */
  change(keys: readonly LimitUseKey[], decide: DecideUses): Promise<void>;
  /** What is there of one limit, by subject; at most MAX_PAGE_SIZE. */
  listOf(limitId: LimitId, limit: number): Promise<readonly LimitUse[]>;
  /** Removes uses of which nothing counts any more; at most `limit`. Returns how many. */
  removeIdle(limit: number): Promise<number>;
}

export interface ChangeRepository {
  /** Written in the same transaction as the change itself by the repositories above; here to be read. */
  latestSequence(): Promise<number>;
  /** Changes after `sequence`, oldest first, at most `limit`. */
  listSince(sequence: number, limit: number): Promise<readonly ChangeRecord[]>;
}

/**
 * The processes that serve on this store, each with a heartbeat. Every time in here is the database's, taken by the
 * statement that writes or compares it, so that machines whose clocks differ agree on who is silent.
 */
export interface ProcessRepository {
  /** Once more for one that was ended and lives: it runs again, from its first start on. */
  register(process: NewProcess): Promise<void>;
  /** False when it was ended (somebody took it for dead) or is not there: what it held is no longer its own. */
  beat(id: ProcessId): Promise<boolean>;
  /** By itself when it stops, or by whoever has found it dead. False when it was ended already or is not there. */
  end(id: ProcessId): Promise<boolean>;
  findById(id: ProcessId): Promise<ProcessRecord | undefined>;
  /** Those that nobody has ended, longest silent first; at most MAX_PAGE_SIZE. */
  listRunning(): Promise<readonly ProcessRecord[]>;
  /** Of those, the ones whose last heartbeat is at least that old. */
  listSilent(silentForMs: number): Promise<readonly ProcessRecord[]>;
  /** Forgets those that were ended at least that long ago; returns how many. */
  removeStopped(stoppedForMs: number): Promise<number>;
}

export interface Repositories {
  readonly projects: ProjectRepository;
  readonly environments: EnvironmentRepository;
  readonly providerAccounts: ProviderAccountRepository;
  readonly providerKeys: ProviderKeyRepository;
  readonly routingRules: RoutingRuleRepository;
  readonly gatewayKeys: GatewayKeyRepository;
  readonly customers: CustomerRepository;
  readonly adminTokens: AdminTokenRepository;
  readonly access: AccessRepositories;
  readonly vaultKeys: VaultKeyRepository;
  readonly priceOverrides: PriceOverrideRepository;
  readonly usage: UsageRepository;
  readonly corrections: CorrectionRepository;
  readonly pendingUsage: PendingUsageRepository;
  readonly budgets: BudgetRepository;
  readonly alerts: AlertRepositories;
  readonly audit: AuditRepository;
  readonly rotation: RotationRepositories;
  readonly exposure: ExposureRepositories;
  readonly changes: ChangeRepository;
  readonly processes: ProcessRepository;
  readonly limits: LimitRepository;
  readonly limitUses: LimitUseRepository;
  readonly accountViews: AccountViewRepository;
  readonly accountDemand: AccountDemandRepository;
}

export interface ChangeWatch {
  /** Whether changes are announced at the moment. */
  isListening(): boolean;
  close(): Promise<void>;
}

export interface Store extends Repositories {
  /** `sqlite` or `postgres`; for people. */
  readonly kind: string;
  /** The schema this code knows. */
  readonly supportedSchema: number;
  /** 0 for an empty database. Changes nothing. */
  currentSchema(): Promise<number>;
  /** Brings the schema up to date; two processes may do it at once. Throws NewerSchemaError and changes nothing when it is ahead. */
  migrate(): Promise<void>;
  /**
   * All or nothing, one at a time among all processes. The work uses nothing of the store but the repositories it is
   * given: a write beside them would wait for the transaction's own end. An error of a repository must end the work
   * (Postgres takes no further statement after it). Keep it short; others wait.
   */
  transaction<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
  /**
   * Calls back soon after any process has committed a change, where the database announces that (Postgres); nowhere else
   * ever. No more than a hint: it may be missed, and it may come for nothing.
   */
  watchChanges(onChange: () => void): ChangeWatch;
  /** One round trip; throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
