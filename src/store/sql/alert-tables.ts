import type { ColumnType } from "kysely";
import type { AlertChannelKind } from "../../core/alerts/alert-channel.ts";
import type { AlertPeriod } from "../../core/alerts/alert-period.ts";
import type { AlertKind, AlertSeverity } from "../../core/alerts/alert-rule.ts";
import type {
  AlertChannelId,
  AlertDeliveryId,
  AlertId,
  AlertMessageId,
  AlertMuteId,
  AlertRuleId,
  DataKeyId,
  LeaseId,
  ProviderKeyId,
} from "../../core/ids/ids.ts";
import type { ScopeKind } from "../../core/scopes/scope.ts";
import type { AlertSubjectKind } from "../alert-records.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;
type NullableInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface AlertChannelTable {
  readonly id: AlertChannelId;
  readonly name: string;
  readonly kind: AlertChannelKind;
  readonly data_key_id: DataKeyId;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly preview: string;
  /** JSON array of strings. */
  readonly recipients: string;
  readonly sender: string | null;
  readonly is_enabled: Integer;
  readonly created_at_ms: Integer;
  readonly last_delivered_at_ms: NullableInteger;
  readonly last_failed_at_ms: NullableInteger;
  readonly last_problem: string | null;
}

export interface AlertRuleTable {
  readonly id: AlertRuleId;
  readonly name: string;
  readonly kind: AlertKind;
  /** JSON object, see SettingsByKind. */
  readonly settings: string;
  /** Null: the rule has no scope. */
  readonly scope_kind: ScopeKind | null;
  readonly scope_id: string | null;
  readonly repeat: AlertPeriod | null;
  /** JSON array of ids. */
  readonly channel_ids: string | null;
  readonly is_enabled: Integer;
  readonly created_at_ms: Integer;
}

export interface AlertTable {
  readonly id: AlertId;
  readonly rule_id: AlertRuleId;
  readonly rule_name: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  readonly subject_kind: AlertSubjectKind;
  readonly subject_id: string;
  readonly period: string;
  readonly title: string;
  /** JSON array, see AlertFact. */
  readonly facts: string;
  readonly command: string;
  readonly message_id: AlertMessageId;
  readonly mute_id: AlertMuteId | null;
  readonly created_at_ms: Integer;
  readonly acknowledged_at_ms: NullableInteger;
  readonly acknowledged_by: string | null;
  readonly note: string | null;
}

export interface AlertDeliveryTable {
  readonly id: AlertDeliveryId;
  readonly message_id: AlertMessageId;
  readonly channel_id: AlertChannelId;
  readonly created_at_ms: Integer;
  readonly attempts: Integer;
  readonly next_attempt_at_ms: Integer;
  readonly last_attempt_at_ms: NullableInteger;
  readonly problem: string | null;
  readonly delivered_at_ms: NullableInteger;
  readonly given_up_at_ms: NullableInteger;
}

export interface AlertMuteTable {
  readonly id: AlertMuteId;
  readonly rule_id: AlertRuleId | null;
  readonly subject_kind: AlertSubjectKind | null;
  readonly subject_id: string | null;
  readonly until_ms: Integer;
  readonly reason: string | null;
  readonly created_by: string;
  readonly created_at_ms: Integer;
  readonly ended_at_ms: NullableInteger;
}

/** The kinds of which the installation was given a rule once; what became of it is the team's. */
interface OfferedAlertKindTable {
  readonly kind: AlertKind;
}

interface AlertLeaseTable {
  readonly name: string;
  /** Null: nobody holds it. */
  readonly lease_id: LeaseId | null;
  readonly leased_until_ms: Integer;
}

interface ProviderKeyUseTable {
  readonly provider_key_id: ProviderKeyId;
  readonly last_used_at_ms: Integer;
}

/** What alerts of hard budgets go by. */
export interface BudgetRefusalTable {
  /** Of `budget_windows`. */
  readonly window_id: string;
  readonly count: Integer;
}

export interface AlertTables {
  readonly alert_channels: AlertChannelTable;
  readonly alert_rules: AlertRuleTable;
  readonly alerts: AlertTable;
  readonly alert_deliveries: AlertDeliveryTable;
  readonly alert_mutes: AlertMuteTable;
  readonly alert_leases: AlertLeaseTable;
  readonly offered_alert_kinds: OfferedAlertKindTable;
  readonly provider_key_uses: ProviderKeyUseTable;
  readonly budget_refusals: BudgetRefusalTable;
}
