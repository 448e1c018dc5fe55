/**
 * Many parameters on their way to another thread. Copying them one by one costs several times what one text costs, so
 * they are sent as JSON where that keeps them exactly, and as they are where it does not.
 */
export type PackedParameters = string | readonly unknown[];

/**
 * Values of one text, at most. V8 writes and reads a text that stays well below 128 KiB, from where on it is kept apart
 * from other objects, in a third of the time.
 */
const MAX_PACKED = 3000;

/** The parameters of many runs in packs of whole runs. */
export function packRuns(
  parameters: readonly unknown[],
  parametersPerRun: number,
): readonly PackedParameters[] {
  const size = Math.max(1, Math.floor(MAX_PACKED / parametersPerRun)) * parametersPerRun;
  const packs: PackedParameters[] = [];
  for (let start = 0; start < parameters.length; start += size) {
    packs.push(pack(parameters, start, Math.min(start + size, parameters.length)));
  }
  return packs;
}

/**
 * Into a list of its own, not by `slice`: Kysely freezes the parameters of a query, and V8 cuts a frozen list, or writes it
 * as JSON, by looking each of its members up by name.
 */
function pack(parameters: readonly unknown[], start: number, end: number): PackedParameters {
  const values: (string | number | null)[] = [];
  for (let index = start; index < end; index += 1) {
    const parameter = parameters[index];
    if (typeof parameter === "string" || parameter === null) {
      values.push(parameter);
      continue;
    }
    // What JSON does not keep: blobs, large integers, and fractions that might be bound otherwise.
    if (typeof parameter !== "number" && typeof parameter !== "bigint") {
      return parameters.slice(start, end);
    }
    const integer = Number(parameter);
    if (!Number.isSafeInteger(integer)) return parameters.slice(start, end);
    values.push(integer);
  }
  return JSON.stringify(values);
}

/** Integers come back as numbers, whatever they were: both are bound as integers. */
export function unpackParameters(packed: PackedParameters): readonly unknown[] {
  return typeof packed === "string" ? (JSON.parse(packed) as unknown[]) : packed;
}
