/** An environment is of one of three kinds; a custom one takes one of these. */
export const ENVIRONMENT_KINDS = ["development", "staging", "production"] as const;
export type EnvironmentKind = (typeof ENVIRONMENT_KINDS)[number];

/** What becomes of a call whose model has no price: it is made and told of, or it is refused before it is sent. */
export const UNPRICED_POLICIES = ["allow_and_alert", "refuse"] as const;
export type UnpricedPolicy = (typeof UNPRICED_POLICIES)[number];
export const DEFAULT_UNPRICED_POLICY: UnpricedPolicy = "allow_and_alert";

/**
 * Whether the built-in simulator answers in an environment of this kind that has no provider key. Elsewhere such calls
 * are refused: made-up answers must never pass for real ones.
 */
export function hasSimulatorStandIn(kind: EnvironmentKind): boolean {
  return kind === "development";
}

export function isUnpricedPolicy(value: string): value is UnpricedPolicy {
  return (UNPRICED_POLICIES as readonly string[]).includes(value);
}

export function isEnvironmentKind(value: string): value is EnvironmentKind {
  return (ENVIRONMENT_KINDS as readonly string[]).includes(value);
}
