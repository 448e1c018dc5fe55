export type Environment = Readonly<Record<string, string | undefined>>;

/** A copy of the process environment, as it stands now. The one place that reads it. */
export function readProcessEnvironment(): Environment {
  return Object.freeze({ ...process.env });
}
