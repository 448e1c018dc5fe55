/** The rows of the store as the rest of the code sees them: plain, immutable, camelCase, times in ms since the epoch. */
import type { EnvironmentKind, UnpricedPolicy } from "../core/environments/environment.ts";
import type {
  CorrectionId,
  CustomerId,
  DataDirectoryId,
  EnvironmentId,
  EventId,
  GatewayKeyId,
  ProcessId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
  RoutingRuleId,
} from "../core/ids/ids.ts";
import type { SealedSecret } from "../core/keys/vault-records.ts";
import type { Limit } from "../core/limits/limit.ts";
import type { Picos } from "../core/money/picos.ts";
import type { PolicySettings } from "../core/policy/environment-policy.ts";
import type { PriceOverride } from "../core/pricing/price-override.ts";
import type { DeferredWork, PendingProblem } from "../core/usage/deferred-usage.ts";
import type { UsageEvent, UsageReport } from "../core/usage/usage-event.ts";

export interface ProjectRecord {
  readonly id: ProjectId;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface EnvironmentRecord {
  readonly id: EnvironmentId;
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly unpricedPolicy: UnpricedPolicy;
  /** What is held for a call without an upper bound that a hard budget counts; null: such a call is refused. */
  readonly budgetCeilingPicos: Picos | null;
  /** What was said of its policy; see `resolvePolicy` for what holds. */
  readonly policy: PolicySettings;
  readonly createdAtMs: number;
}

export const ACCOUNT_KINDS = ["personal", "organization"] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];

export interface ProviderAccountRecord {
  readonly id: ProviderAccountId;
  readonly name: string;
  /** A name in the provider registry: `openai`, `azure`, `anthropic`, `openai-compatible`. */
  readonly provider: string;
  readonly kind: AccountKind;
  /** Null = the provider's own. Without a trailing slash, with the version path: `https://api.openai.com/v1`. */
  readonly baseUrl: string | null;
  /** The organization and project at the provider, sent as its headers where set. */
  readonly organizationId: string | null;
  readonly providerProjectId: string | null;
  /** The dated version of the provider's API to call; null where it has none, or its current one is called. */
  readonly apiVersion: string | null;
  /** The price book's provider whose prices hold; null = by the provider or the base URL. */
  readonly pricedAs: string | null;
  readonly createdAtMs: number;
}

export interface ProviderKeyRecord {
  readonly id: ProviderKeyId;
  readonly accountId: ProviderAccountId;
  readonly environmentId: EnvironmentId;
  readonly name: string;
  /** Counts up with every replaced secret; bound into the seal. */
  readonly version: number;
  readonly sealed: SealedSecret;
  /** Keyed fingerprint (hex): equal for equal secrets, tells nothing of them. */
  readonly fingerprint: string;
  /** Its share of the environment's calls beside the other keys; 0 = only where no other is left. */
  readonly weight: number;
  /** For people: first characters up to the type prefix and the last four, `sk-proj-…9fQa`. */
  readonly preview: string;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
}

/** Sends an environment's calls for some models to some of its provider keys. */
export interface RoutingRuleRecord {
  readonly id: RoutingRuleId;
  readonly environmentId: EnvironmentId;
  /** Rules are asked in ascending order; two of one environment may share a position, then the older comes first. */
  readonly position: number;
  /** `gpt-4o`, `gpt-4*`, `*`. */
  readonly model: string;
  /** A name in the provider registry; null = any. */
  readonly provider: string | null;
  /** Null = any account. */
  readonly accountId: ProviderAccountId | null;
  /** What is sent upstream in the model's place; null = what the client asked for. */
  readonly targetModel: string | null;
  readonly createdAtMs: number;
}

export interface GatewayKeyRecord {
  readonly id: GatewayKeyId;
  readonly name: string;
  readonly projectId: ProjectId;
  readonly environmentId: EnvironmentId;
  readonly customerId: CustomerId | null;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  /** For people: prefix and last four, `kw_dev_…x7Qz`. */
  readonly preview: string;
  /** Null = every model. */
  readonly allowedModels: readonly string[] | null;
  /** See `parseEndpointPattern`; null = every endpoint. */
  readonly allowedEndpoints: readonly string[] | null;
  /** Networks as `10.1.0.0/16`; null = every address. */
  readonly allowedIps: readonly string[] | null;
  /** Made to be sent by browsers, where whoever looks can read it. */
  readonly isForBrowsers: boolean;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
}

export interface CustomerRecord {
  readonly id: CustomerId;
  /** The team's own name for the customer; unique, never changed: usage is attributed by it. */
  readonly externalId: string;
  readonly name: string | null;
  readonly createdAtMs: number;
}

/** An override and its history. Nothing of it ever changes but its end, which may be brought forward. */
export interface PriceOverrideRecord extends PriceOverride {
  readonly note: string | null;
  /** Who was asking: an admin token's name, or `local`. */
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** Who brought the end forward last, and when; null: nobody. */
  readonly endedBy: string | null;
  readonly endedAtMs: number | null;
}

/**
 * One ledger row that corrects the cost of one event: the event itself never changes. The n-th correction of an event
 * (`ordinal`, from 1) is made upon what the one before it left.
 */
export interface CorrectionRecord {
  readonly id: CorrectionId;
  readonly eventId: EventId;
  readonly ordinal: number;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** The new cost less the old one, which counts as 0 where there was none. May be negative. */
  readonly differencePicos: Picos;
  readonly previousPricing: "priced" | "unpriced";
  readonly previousCostPicos: Picos | null;
  readonly previousPriceRowId: string | null;
  readonly costPicos: Picos;
  readonly priceRowId: string;
}

/** Usage that a provider will report later. It is removed when it is charged. */
export interface PendingUsageRecord {
  /** The event of the call that began the work; who is charged is who made it. */
  readonly event: UsageEvent;
  readonly work: DeferredWork;
  /** What the provider told a client of it, so that it need not be asked; null = it must be. */
  readonly report: UsageReport | null;
  readonly createdAtMs: number;
  /** How often the provider was asked. */
  readonly checks: number;
  readonly nextCheckAtMs: number;
  readonly lastCheckAtMs: number | null;
  /** Null until it was asked. */
  readonly problem: PendingProblem | null;
  /** Null = it is still waited for. */
  readonly givenUpAtMs: number | null;
}

/** A process that serves, as it announces itself. */
export interface NewProcess {
  /** Also the name of its journal's folder. */
  readonly id: ProcessId;
  /** Where its journal lies: only a process on the same data directory can recover it. */
  readonly dataDirectoryId: DataDirectoryId;
  readonly hostName: string;
  /** As its machine counts, for people. */
  readonly pid: number;
  readonly version: string;
}

/** All times by the database's clock. */
export interface ProcessRecord extends NewProcess {
  readonly startedAtMs: number;
  readonly heartbeatAtMs: number;
  /** Time since the heartbeat, by the clock that it was written by. */
  readonly silentForMs: number;
  /** Null = nobody has ended it, itself included. */
  readonly stoppedAtMs: number | null;
}

/** A limit, as it is kept. Its scope never changes. */
export interface LimitRecord extends Limit {
  readonly createdAtMs: number;
}

/** The kinds of row whose changes travel to every process. */
const CHANGE_KINDS = [
  "gatewayKey",
  "clientToken",
  "providerKey",
  "providerAccount",
  "routingRule",
  "environment",
  "customer",
  "priceOverride",
  "budget",
  "limit",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface ChangeRecord {
  readonly sequence: number;
  readonly kind: ChangeKind;
  readonly entityId: string;
}
