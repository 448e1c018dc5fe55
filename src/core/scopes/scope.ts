/** Whose calls a budget or a limit counts. */
import type { CallIntent } from "../usage/usage-event.ts";

export const SCOPE_KINDS = [
  "organization",
  "project",
  "environment",
  "key",
  "customer",
  "feature",
  "providerAccount",
] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

export interface Scope {
  readonly kind: ScopeKind;
  /**
   * An id, the customer's external id, or the feature's name. Null: every call (`organization`), or each one of the
   * kind by itself (every customer has the same amount of its own).
   */
  readonly id: string | null;
}

/** What of a call decides about scopes. */
export type ScopedCall = Pick<
  CallIntent,
  "projectId" | "environmentId" | "gatewayKeyId" | "customer" | "feature" | "providerAccountId"
>;

const SUBJECTS: Readonly<Record<ScopeKind, (call: ScopedCall) => string | null>> = {
  organization: () => "",
  project: (call) => call.projectId,
  environment: (call) => call.environmentId,
  key: (call) => call.gatewayKeyId,
  customer: (call) => call.customer,
  feature: (call) => call.feature,
  providerAccount: (call) => call.providerAccountId,
};

/** The one of this kind whose call it is; null where it has none. The organization is `""`. */
export function subjectOf(kind: ScopeKind, call: ScopedCall): string | null {
  return SUBJECTS[kind](call);
}
