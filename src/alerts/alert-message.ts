/**
 * Alerts that arrive: the contract of what is sent and of who sends it, and what all ways of sending have in common. Each
 * sub-folder is one kind of channel. Nothing here reads a store or decides whether something is worth an alert.
 */
import type { AlertFact, AlertFigures } from "../core/alerts/alert-content.ts";
import type { AlertKind, AlertSeverity } from "../core/alerts/alert-rule.ts";
import type { AlertId, AlertMessageId, AlertRuleId } from "../core/ids/ids.ts";

/** Alerts of a message that are told one by one; of more the number is told. */
export const MAX_ALERTS_A_MESSAGE = 20;

/** One alert, as it was when it fired. */
export interface AlertNotice {
  readonly id: AlertId;
  readonly severity: AlertSeverity;
  /** Names in the texts are as their owners chose them: each channel escapes them in its own way. */
  readonly title: string;
  readonly facts: readonly AlertFact[];
  /** Those of the facts, for programs. */
  readonly figures: AlertFigures;
  readonly command: string;
  /** `name`: what it is called now; its id where it has no name. */
  readonly subject: { readonly kind: string; readonly id: string; readonly name: string };
  readonly firedAtMs: number;
}

export interface AlertMessage {
  /** The same at every attempt, so that a receiver knows a repetition. */
  readonly id: AlertMessageId;
  readonly type: "alert.fired" | "alert.test";
  readonly rule: {
    readonly id: AlertRuleId;
    readonly name: string;
    readonly kind: AlertKind;
  } | null;
  /** At most MAX_ALERTS_A_MESSAGE; at least one. */
  readonly alerts: readonly AlertNotice[];
  /** How many fired together. */
  readonly total: number;
}

export type SendOutcome =
  | { readonly kind: "delivered" }
  | {
      readonly kind: "failed";
      /** For people. No secret, and nothing of what the receiver answered but a status. */
      readonly problem: string;
      /** What the receiver asked for. */
      readonly retryAfterMs: number | undefined;
    };

export interface AlertSender<Target> {
  /** Never rejects for what the receiver does. `signal` breaks it off. */
  send(message: AlertMessage, target: Target, signal: AbortSignal): Promise<SendOutcome>;
}

export function failed(problem: string, retryAfterMs?: number): SendOutcome {
  return { kind: "failed", problem, retryAfterMs };
}
