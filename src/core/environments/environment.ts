/** An environment is of one of three kinds; a custom one takes one of these. */
export const ENVIRONMENT_KINDS = ["development", "staging", "production"] as const;
export type EnvironmentKind = (typeof ENVIRONMENT_KINDS)[number];

/**
 * Whether the built-in simulator answers in an environment of this kind that has no provider key. Elsewhere such calls
 * are refused: made-up answers must never pass for real ones.
 */
export function hasSimulatorStandIn(kind: EnvironmentKind): boolean {
  return kind === "development";
}

export function isEnvironmentKind(value: string): value is EnvironmentKind {
  return (ENVIRONMENT_KINDS as readonly string[]).includes(value);
}
