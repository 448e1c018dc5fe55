/** The rows of alerts as the rest of the code sees them, see records.ts. */
import type { AlertChannelKind } from "../core/alerts/alert-channel.ts";
import type { AlertFact } from "../core/alerts/alert-content.ts";
import type { AlertPeriod } from "../core/alerts/alert-period.ts";
import type {
  AlertCondition,
  AlertKind,
  AlertScope,
  AlertSeverity,
} from "../core/alerts/alert-rule.ts";
import type {
  AlertChannelId,
  AlertDeliveryId,
  AlertId,
  AlertMessageId,
  AlertMuteId,
  AlertRuleId,
} from "../core/ids/ids.ts";
import type { SealedSecret } from "../core/keys/vault-records.ts";
import { SCOPE_KINDS } from "../core/scopes/scope.ts";

/** Where alerts are sent. */
export interface AlertChannelRecord {
  readonly id: AlertChannelId;
  readonly name: string;
  readonly kind: AlertChannelKind;
  /** What is secret of it, as JSON in a seal: URLs, the signing secret. */
  readonly sealed: SealedSecret;
  /** For people, of what is sealed: `hooks.slack.com/…9fQa`. */
  readonly preview: string;
  /** E-mail addresses; empty for other kinds. */
  readonly recipients: readonly string[];
  /** Null for other kinds. */
  readonly sender: string | null;
  readonly isEnabled: boolean;
  readonly createdAtMs: number;
  /** Of the attempts to deliver through it; null: none yet. */
  readonly lastDeliveredAtMs: number | null;
  readonly lastFailedAtMs: number | null;
  readonly lastProblem: string | null;
}

export interface AlertRuleRecord {
  readonly id: AlertRuleId;
  readonly name: string;
  readonly condition: AlertCondition;
  readonly scope: AlertScope;
  /** Null: by the periods of what it watches. */
  readonly repeat: AlertPeriod | null;
  /** Null = every channel. */
  readonly channelIds: readonly AlertChannelId[] | null;
  readonly isEnabled: boolean;
  readonly createdAtMs: number;
}

/** What an alert is about. */
export const ALERT_SUBJECT_KINDS = [...SCOPE_KINDS, "providerKey", "adminToken", "model"] as const;
export type AlertSubjectKind = (typeof ALERT_SUBJECT_KINDS)[number];

export interface AlertSubject {
  readonly kind: AlertSubjectKind;
  /** `""` for the organization. */
  readonly id: string;
}

/** By what an alert is known again: of one rule, one subject and one period there is one. */
export interface AlertKey extends AlertSubject {
  readonly period: string;
}

/** A rule that fired, as it was then: nothing of it changes but that it was acknowledged. */
export interface AlertRecord {
  readonly id: AlertId;
  readonly ruleId: AlertRuleId;
  readonly ruleName: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  readonly key: AlertKey;
  readonly title: string;
  readonly facts: readonly AlertFact[];
  readonly command: string;
  /** What it is sent in, maybe with others. */
  readonly messageId: AlertMessageId;
  /** The mute because of which it was not sent; null: none. */
  readonly muteId: AlertMuteId | null;
  readonly createdAtMs: number;
  readonly acknowledgedAtMs: number | null;
  readonly acknowledgedBy: string | null;
  readonly note: string | null;
}

export const DELIVERY_STATES = ["waiting", "delivered", "given_up"] as const;

/** One message to one channel. */
export interface AlertDeliveryRecord {
  readonly id: AlertDeliveryId;
  readonly messageId: AlertMessageId;
  readonly channelId: AlertChannelId;
  readonly createdAtMs: number;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly lastAttemptAtMs: number | null;
  /** Why the last attempt failed; null: it did not, or there was none. */
  readonly problem: string | null;
  readonly deliveredAtMs: number | null;
  readonly givenUpAtMs: number | null;
}

/** Keeps alerts from being sent, not from the history. */
export interface AlertMuteRecord {
  readonly id: AlertMuteId;
  /** Null = of every rule. */
  readonly ruleId: AlertRuleId | null;
  /** Null = about whatever. */
  readonly subject: AlertSubject | null;
  readonly untilMs: number;
  readonly reason: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
  /** When somebody ended it before its time; null: nobody. */
  readonly endedAtMs: number | null;
}
