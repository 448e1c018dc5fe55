/**
 * Alerts: what is worth telling somebody. Here are the rules and the arithmetic that decides whether one has fired; what
 * is read for it, where it is kept and how it is sent are elsewhere. Nothing in this folder knows the time by itself.
 */
import type { Scope } from "../scopes/scope.ts";
import type { AlertPeriod } from "./alert-period.ts";

export const ALERT_KINDS = [
  "budget_threshold",
  "budget_forecast",
  "spend_spike",
  "error_rate",
  "provider_key_failing",
  "account_limit_near",
  "unpriced_model",
  "provider_key_unused",
  "provider_key_old",
  "rotation_due",
  "rotation_failed",
  "estimated_usage",
  "browser_call_seen",
  "policy_violated",
  "key_leaked",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** What a rule of each kind can be told. Shares are whole percents. */
interface SettingsByKind {
  /** Fires as spending reaches each of these shares of a budget; the highest alone where it jumps over several. */
  readonly budget_threshold: { readonly percentages: readonly number[] };
  /** Not before this share of the period has passed: a forecast from the first minutes is a guess. */
  readonly budget_forecast: { readonly afterPercent: number };
  /** `percentOfUsual`: 300 = three times as much. `minUsd`: a decimal string; below it nothing is a spike. */
  readonly spend_spike: { readonly percentOfUsual: number; readonly minUsd: string };
  readonly error_rate: { readonly percent: number; readonly minCalls: number };
  /** How long a key must fail without an end; one that its provider refuses, or whose account has no money, at once. */
  readonly provider_key_failing: { readonly seconds: number };
  readonly account_limit_near: { readonly percent: number };
  readonly unpriced_model: Readonly<Record<string, never>>;
  readonly provider_key_unused: { readonly days: number };
  readonly provider_key_old: { readonly days: number };
  /** Days before a key is to be rotated by schedule; 0: when that time has come, and a person has to act. */
  readonly rotation_due: { readonly daysBefore: readonly number[] };
  readonly rotation_failed: Readonly<Record<string, never>>;
  readonly estimated_usage: { readonly percent: number; readonly minCalls: number };
  readonly browser_call_seen: Readonly<Record<string, never>>;
  readonly policy_violated: Readonly<Record<string, never>>;
  readonly key_leaked: Readonly<Record<string, never>>;
}

/** What a kind watches for, with its settings. */
export type AlertCondition = {
  [Kind in AlertKind]: { readonly kind: Kind; readonly settings: SettingsByKind[Kind] };
}[AlertKind];
export type ConditionOf<Kind extends AlertKind> = Extract<AlertCondition, { readonly kind: Kind }>;

/** How loudly it is said. */
export const ALERT_SEVERITIES = ["info", "warning", "critical"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/**
 * What a rule looks at: one of its kind, or each one by itself (`id` null). Null: everything that its kind can be about.
 */
export type AlertScope = Scope | null;

interface KindFacts<Kind extends AlertKind> {
  readonly summary: string;
  readonly defaults: SettingsByKind[Kind];
  /** The kinds of scope that a rule of it may name. */
  readonly scopeKinds: readonly Scope["kind"][];
  /** Where a rule names none. */
  readonly defaultScope: AlertScope;
  /** How often it may fire for one and the same thing; null: by the budget's own periods, or once for each leak. */
  readonly defaultRepeat: AlertPeriod | null;
}

const ROLLUP_SCOPES = [
  "organization",
  "project",
  "environment",
  "key",
  "customer",
  "feature",
] as const;
const EVERY_SCOPE = [...ROLLUP_SCOPES, "providerAccount"] as const;
const EACH_ENVIRONMENT: Scope = { kind: "environment", id: null };

export const ALERT_KIND_FACTS: { readonly [Kind in AlertKind]: KindFacts<Kind> } = {
  budget_threshold: {
    summary: "a budget has been used up to a share of it",
    defaults: { percentages: [50, 80, 100] },
    scopeKinds: EVERY_SCOPE,
    defaultScope: null,
    defaultRepeat: null,
  },
  budget_forecast: {
    summary: "at the pace so far a budget will not last until the end of its period",
    defaults: { afterPercent: 10 },
    scopeKinds: EVERY_SCOPE,
    defaultScope: null,
    defaultRepeat: null,
  },
  spend_spike: {
    summary: "far more was spent than is usual at that hour of the week",
    defaults: { percentOfUsual: 300, minUsd: "1" },
    scopeKinds: ROLLUP_SCOPES,
    defaultScope: EACH_ENVIRONMENT,
    defaultRepeat: "day",
  },
  error_rate: {
    summary: "many provider calls of an hour failed",
    defaults: { percent: 20, minCalls: 20 },
    scopeKinds: ROLLUP_SCOPES,
    defaultScope: EACH_ENVIRONMENT,
    defaultRepeat: "day",
  },
  provider_key_failing: {
    summary: "a provider key cannot be used",
    defaults: { seconds: 30 },
    scopeKinds: ["environment", "providerAccount"],
    defaultScope: null,
    defaultRepeat: "day",
  },
  account_limit_near: {
    summary: "a provider account's own limit is nearly used up",
    defaults: { percent: 80 },
    scopeKinds: ["providerAccount"],
    defaultScope: null,
    defaultRepeat: "day",
  },
  unpriced_model: {
    summary: "a model was called that has no price",
    defaults: {},
    scopeKinds: ["environment"],
    defaultScope: null,
    defaultRepeat: "week",
  },
  provider_key_unused: {
    summary: "a provider key has not been used for long",
    defaults: { days: 30 },
    scopeKinds: ["environment", "providerAccount"],
    defaultScope: null,
    defaultRepeat: "month",
  },
  provider_key_old: {
    summary: "a provider key should be replaced",
    defaults: { days: 180 },
    scopeKinds: ["environment", "providerAccount"],
    defaultScope: null,
    defaultRepeat: "month",
  },
  rotation_due: {
    summary: "a provider key is to be rotated by schedule soon",
    defaults: { daysBefore: [0, 1, 7] },
    scopeKinds: ["environment", "providerAccount"],
    defaultScope: null,
    // Once for each of the days before one and the same time.
    defaultRepeat: null,
  },
  rotation_failed: {
    summary:
      "the rotation of a provider key, or the making of one, failed or does not get on, or a stolen secret was not deleted at its provider",
    defaults: {},
    scopeKinds: ["environment", "providerAccount"],
    defaultScope: null,
    // Once for each of them and the state that it is in.
    defaultRepeat: null,
  },
  estimated_usage: {
    summary: "the usage of many calls had to be estimated, or is not known",
    defaults: { percent: 5, minCalls: 10 },
    scopeKinds: ROLLUP_SCOPES,
    defaultScope: EACH_ENVIRONMENT,
    defaultRepeat: "day",
  },
  browser_call_seen: {
    summary: "a browser sent a gateway key that is not made for browsers",
    defaults: {},
    scopeKinds: ["environment", "key"],
    defaultScope: null,
    defaultRepeat: "day",
  },
  policy_violated: {
    summary: "calls with a gateway key broke a rule of their environment",
    defaults: {},
    scopeKinds: ["environment", "key"],
    defaultScope: null,
    defaultRepeat: "day",
  },
  key_leaked: {
    summary: "a key or token of this installation was found where it should not be",
    defaults: {},
    scopeKinds: ["environment", "key"],
    defaultScope: null,
    defaultRepeat: null,
  },
};
