import type { ColumnType } from "kysely";
import type { BudgetMeasure, Enforcement, TightBudgetAction } from "../../core/budgets/budget.ts";
import type { LeaseHolder } from "../../core/budgets/lease.ts";
import type { Period } from "../../core/budgets/periods.ts";
import type { EnvironmentKind, UnpricedPolicy } from "../../core/environments/environment.ts";
import type {
  ClientTokenId,
  BudgetId,
  BudgetIncreaseId,
  CorrectionId,
  CustomerId,
  DataDirectoryId,
  DataKeyId,
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
  RequestId,
  RootKeyId,
} from "../../core/ids/ids.ts";
import type { ScopeKind } from "../../core/scopes/scope.ts";
import type { DeferredKind, PendingProblem } from "../../core/usage/deferred-usage.ts";
import type { EventStatus, PricingState, UsageSource } from "../../core/usage/usage-event.ts";
import type { AccountKind, ChangeKind } from "../records.ts";
import type { AccessTables } from "./access/access-tables.ts";
import type { AccountTables } from "./account-tables.ts";
import type { AlertTables } from "./alert-tables.ts";
import type { AuditTables } from "./audit-tables.ts";
import type { ExposureTables } from "./exposure/exposure-tables.ts";
import type { GatewayKeyTables } from "./gateway-key-tables.ts";
import type { RotationTables } from "./rotation-tables.ts";

/** A 64-bit integer: both drivers hand it out as bigint, a whole number is taken as well. */
type Integer = ColumnType<bigint, bigint | number, bigint | number>;
type NullableInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface ProjectTable {
  readonly id: ProjectId;
  readonly name: string;
  readonly created_at_ms: Integer;
}

export interface EnvironmentTable {
  readonly id: EnvironmentId;
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly unpriced_policy: UnpricedPolicy;
  readonly budget_ceiling_micros: bigint | null;
  readonly budget_ceiling_rest_picos: bigint | null;
  /** JSON of PolicySettings; null: nothing was said. */
  readonly policy: string | null;
  readonly created_at_ms: Integer;
}

export interface ProviderAccountTable {
  readonly id: ProviderAccountId;
  readonly name: string;
  readonly provider: string;
  readonly kind: AccountKind;
  readonly base_url: string | null;
  readonly organization_id: string | null;
  readonly provider_project_id: string | null;
  readonly api_version: string | null;
  readonly priced_as: string | null;
  readonly created_at_ms: Integer;
}

export interface ProviderKeyTable {
  readonly id: ProviderKeyId;
  readonly account_id: ProviderAccountId;
  readonly environment_id: EnvironmentId;
  readonly name: string;
  readonly version: Integer;
  readonly data_key_id: DataKeyId;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly fingerprint: string;
  readonly weight: Integer;
  readonly preview: string;
  readonly created_at_ms: Integer;
  readonly revoked_at_ms: NullableInteger;
}

export interface RoutingRuleTable {
  readonly id: RoutingRuleId;
  readonly environment_id: EnvironmentId;
  readonly position: Integer;
  readonly model: string;
  readonly provider: string | null;
  readonly account_id: ProviderAccountId | null;
  readonly target_model: string | null;
  readonly created_at_ms: Integer;
}

export interface CustomerTable {
  readonly id: CustomerId;
  readonly external_id: string;
  readonly name: string | null;
  readonly created_at_ms: Integer;
}

export interface RootKeyTable {
  readonly id: RootKeyId;
  readonly fingerprint: string;
  readonly created_at_ms: Integer;
  /** 1 for exactly one row, 0 for the others. */
  readonly is_current: Integer;
}

export interface DataKeyTable {
  readonly id: DataKeyId;
  readonly scope: string;
  readonly root_key_id: RootKeyId;
  readonly nonce: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly created_at_ms: Integer;
}

interface ChangeLogTable {
  /** Given by the database; ascending in the order of commits. */
  readonly sequence: ColumnType<bigint, never, never>;
  readonly kind: ChangeKind;
  readonly entity_id: string;
}

/** An amount is kept in two columns, see money-columns.ts. */
export interface UsageEventTable {
  readonly id: EventId;
  readonly request_id: RequestId;
  readonly attempt: Integer;
  readonly started_at_ms: Integer;
  readonly project_id: ProjectId;
  readonly environment_id: EnvironmentId;
  readonly gateway_key_id: GatewayKeyId;
  readonly customer: string | null;
  readonly feature: string | null;
  /** The served model, or the requested one: what filters and rollups go by. */
  readonly model: string | null;
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly provider: string;
  readonly provider_account_id: ProviderAccountId | null;
  readonly provider_key_id: ProviderKeyId | null;
  readonly requested_model: string | null;
  readonly is_stream: Integer;
  readonly hold_micros: NullableInteger;
  readonly hold_rest_picos: NullableInteger;
  readonly status: EventStatus;
  readonly http_status: NullableInteger;
  readonly duration_ms: Integer;
  readonly first_byte_ms: NullableInteger;
  readonly provider_response_id: string | null;
  readonly sent_model: string | null;
  readonly served_model: string | null;
  readonly service_tier: string | null;
  readonly variant: string | null;
  readonly usage_source: UsageSource;
  /** JSON object: tokens by disjoint class. The four columns after it are sums of it, for people and exports. */
  readonly quantities: string;
  readonly input_tokens: Integer;
  readonly cached_input_tokens: Integer;
  readonly output_tokens: Integer;
  readonly reasoning_output_tokens: Integer;
  readonly pricing: PricingState;
  readonly cost_micros: NullableInteger;
  readonly cost_rest_picos: NullableInteger;
  readonly price_micros: NullableInteger;
  readonly price_rest_picos: NullableInteger;
  readonly price_row_id: string | null;
  readonly client_token_id: ClientTokenId | null;
}

export interface PriceOverrideTable {
  readonly id: PriceOverrideId;
  readonly provider: string;
  readonly model: string;
  readonly tier: string | null;
  readonly variant: string | null;
  /** JSON object: picos for one unit by class, as decimal strings. */
  readonly unit_prices: string | null;
  readonly discount_basis_points: NullableInteger;
  readonly valid_from_ms: Integer;
  readonly valid_until_ms: NullableInteger;
  readonly note: string | null;
  readonly created_by: string;
  readonly created_at_ms: Integer;
  readonly ended_by: string | null;
  readonly ended_at_ms: NullableInteger;
}

export interface UsageCorrectionTable {
  readonly id: CorrectionId;
  readonly event_id: EventId;
  readonly ordinal: Integer;
  readonly created_at_ms: Integer;
  readonly created_by: string;
  readonly difference_micros: Integer;
  readonly difference_rest_picos: Integer;
  readonly previous_pricing: "priced" | "unpriced";
  readonly previous_cost_micros: NullableInteger;
  readonly previous_cost_rest_picos: NullableInteger;
  readonly previous_price_row_id: string | null;
  readonly cost_micros: Integer;
  readonly cost_rest_picos: Integer;
  readonly price_row_id: string;
}

export interface PendingUsageTable {
  /** Of the event in `usage_events` that began the work. */
  readonly id: EventId;
  readonly created_at_ms: Integer;
  readonly kind: DeferredKind;
  /** `''` stands for null, so that the pair is unique. */
  readonly provider_account_id: string;
  readonly object_id: string;
  readonly path: string;
  /** JSON object, see UsageReport. */
  readonly report: string | null;
  readonly checks: Integer;
  readonly next_check_at_ms: Integer;
  readonly last_check_at_ms: NullableInteger;
  readonly problem: PendingProblem | null;
  readonly given_up_at_ms: NullableInteger;
  readonly lease_id: LeaseId | null;
  readonly leased_until_ms: Integer;
}

export interface LimitTable {
  readonly id: LimitId;
  readonly scope_kind: ScopeKind;
  readonly scope_id: string | null;
  readonly requests_per_minute: NullableInteger;
  readonly tokens_per_minute: NullableInteger;
  readonly concurrency: NullableInteger;
  readonly created_at_ms: Integer;
}

export interface LimitUseTable {
  readonly limit_id: LimitId;
  readonly subject: string;
  /** JSON array: second, amount, second, amount and so on. So are the tokens. */
  readonly requests: string;
  readonly tokens: string;
  /** JSON object: slots by process. */
  readonly slots: string;
  /** From then on the row can be done without, unless it holds slots. Rounded, so that it seldom changes. */
  readonly idle_at_ms: Integer;
}

/** One row an hour and combination of dimensions. `''` stands for null, so that the primary key holds. */
export interface UsageRollupTable {
  readonly hour_ms: Integer;
  readonly project_id: ProjectId;
  readonly environment_id: EnvironmentId;
  readonly gateway_key_id: GatewayKeyId;
  readonly customer: string;
  readonly feature: string;
  readonly model: string;
  readonly calls: Integer;
  readonly failed_calls: Integer;
  readonly interrupted_calls: Integer;
  readonly unknown_calls: Integer;
  readonly estimated_calls: Integer;
  readonly unpriced_calls: Integer;
  readonly usage_unknown_calls: Integer;
  readonly unmetered_calls: Integer;
  readonly input_tokens: Integer;
  readonly cached_input_tokens: Integer;
  readonly output_tokens: Integer;
  readonly reasoning_output_tokens: Integer;
  readonly cost_micros: Integer;
  readonly cost_rest_picos: Integer;
  readonly price_micros: Integer;
  readonly price_rest_picos: Integer;
}

/** `''` stands for null here too. */
export interface RefusalRollupTable {
  readonly hour_ms: Integer;
  readonly code: string;
  readonly gateway_key_id: string;
  readonly customer: string;
  readonly count: Integer;
}

export interface ProcessTable {
  readonly id: ProcessId;
  readonly data_directory_id: DataDirectoryId;
  readonly host_name: string;
  readonly pid: Integer;
  readonly version: string;
  readonly started_at_ms: Integer;
  readonly heartbeat_at_ms: Integer;
  readonly stopped_at_ms: NullableInteger;
}

export interface BudgetTable {
  readonly id: BudgetId;
  readonly name: string | null;
  readonly scope_kind: ScopeKind;
  readonly scope_id: string | null;
  readonly measure: BudgetMeasure;
  /** JSON array of patterns. */
  readonly models: string | null;
  readonly period: Period;
  readonly time_zone: string;
  readonly anchor: string | null;
  readonly rolls_over: Integer;
  readonly limit_micros: Integer;
  readonly limit_rest_picos: Integer;
  readonly enforcement: Enforcement;
  readonly on_tight_budget: TightBudgetAction;
  readonly paused_at_ms: NullableInteger;
  readonly archived_at_ms: NullableInteger;
  readonly created_by: string;
  readonly created_at_ms: Integer;
}

export interface BudgetIncreaseTable {
  readonly id: BudgetIncreaseId;
  readonly budget_id: BudgetId;
  readonly amount_micros: Integer;
  readonly amount_rest_picos: Integer;
  readonly from_ms: Integer;
  readonly until_ms: Integer;
  readonly reason: string | null;
  readonly created_by: string;
  readonly created_at_ms: Integer;
}

export interface BudgetWindowTable {
  /** See `windowIdOf`. */
  readonly id: string;
  readonly budget_id: BudgetId;
  readonly subject: string;
  readonly starts_at_ms: Integer;
  readonly ends_at_ms: NullableInteger;
  readonly spent_micros: Integer;
  readonly spent_rest_picos: Integer;
  /** The sum of its leases. */
  readonly leased_micros: Integer;
  readonly leased_rest_picos: Integer;
  readonly carried_micros: Integer;
  readonly carried_rest_picos: Integer;
}

export interface BudgetLeaseTable {
  readonly window_id: string;
  readonly holder: LeaseHolder;
  readonly leased_micros: Integer;
  readonly leased_rest_picos: Integer;
  /** Its process was lost, and nobody knows what of it was spent. */
  readonly lost_at_ms: NullableInteger;
}

interface BudgetEpochTable {
  readonly id: Integer;
  /** Another one, never seen before, whenever another set of budgets counts the ledger's rows. */
  readonly epoch: string;
}

interface KeywardSchemaTable {
  readonly version: Integer;
  readonly name: string;
}

/** Every table, as Kysely types its queries. Made by the migrations beside this file. */
export interface Tables
  extends
    AccessTables,
    AccountTables,
    AlertTables,
    AuditTables,
    ExposureTables,
    GatewayKeyTables,
    RotationTables {
  readonly projects: ProjectTable;
  readonly environments: EnvironmentTable;
  readonly provider_accounts: ProviderAccountTable;
  readonly provider_keys: ProviderKeyTable;
  readonly routing_rules: RoutingRuleTable;
  readonly customers: CustomerTable;
  readonly root_keys: RootKeyTable;
  readonly data_keys: DataKeyTable;
  readonly change_log: ChangeLogTable;
  readonly price_overrides: PriceOverrideTable;
  readonly usage_events: UsageEventTable;
  readonly usage_corrections: UsageCorrectionTable;
  readonly pending_usage: PendingUsageTable;
  readonly usage_rollups: UsageRollupTable;
  readonly refusal_rollups: RefusalRollupTable;
  readonly processes: ProcessTable;
  readonly budgets: BudgetTable;
  readonly budget_increases: BudgetIncreaseTable;
  readonly budget_windows: BudgetWindowTable;
  readonly budget_leases: BudgetLeaseTable;
  readonly budget_epoch: BudgetEpochTable;
  readonly limits: LimitTable;
  readonly limit_uses: LimitUseTable;
  readonly keyward_schema: KeywardSchemaTable;
}
