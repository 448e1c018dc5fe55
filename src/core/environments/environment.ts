/** An environment is of one of three kinds; a custom one takes one of these. */
export const ENVIRONMENT_KINDS = ["development", "staging", "production"] as const;
export type EnvironmentKind = (typeof ENVIRONMENT_KINDS)[number];

export function isEnvironmentKind(value: string): value is EnvironmentKind {
  return (ENVIRONMENT_KINDS as readonly string[]).includes(value);
}
