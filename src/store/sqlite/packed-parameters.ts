/**
 * Many parameters on their way to another thread. Copying them one by one costs several times what one text costs, so
 * they are sent as JSON where that keeps them exactly, and as they are where it does not.
 */
export type PackedParameters = string | readonly unknown[];

export function packParameters(parameters: readonly unknown[]): PackedParameters {
  const values = Array.from<unknown>({ length: parameters.length });
  // By index: there are hundreds of thousands in a second, and an iterator makes an object for each.
  for (let index = 0; index < values.length; index += 1) {
    const value = jsonValueOf(parameters[index]);
    if (value === undefined) return parameters;
    values[index] = value;
  }
  return JSON.stringify(values);
}

/** Integers come back as numbers, whatever they were: both are bound as integers. */
export function unpackParameters(packed: PackedParameters): readonly unknown[] {
  return typeof packed === "string" ? (JSON.parse(packed) as unknown[]) : packed;
}

/** Undefined for what JSON does not keep: blobs, large integers, -0 and fractions that might be bound otherwise. */
function jsonValueOf(parameter: unknown): string | number | null | undefined {
  if (typeof parameter === "string" || parameter === null) return parameter;
  if (typeof parameter === "number") {
    return Number.isSafeInteger(parameter) ? parameter : undefined;
  }
  if (typeof parameter !== "bigint") return undefined;
  const number = Number(parameter);
  return Number.isSafeInteger(number) ? number : undefined;
}
