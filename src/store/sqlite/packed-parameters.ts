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
  if (parameters.length <= size) return [packParameters(parameters)];
  const packs: PackedParameters[] = [];
  for (let start = 0; start < parameters.length; start += size) {
    packs.push(packParameters(parameters.slice(start, start + size)));
  }
  return packs;
}

export function packParameters(parameters: readonly unknown[]): PackedParameters {
  let values: unknown[] | undefined;
  // By index: there are hundreds of thousands in a second, and an iterator makes an object for each.
  for (let index = 0; index < parameters.length; index += 1) {
    const parameter = parameters[index];
    if (typeof parameter === "string" || parameter === null) continue;
    // What JSON does not keep: blobs, large integers, and fractions that might be bound otherwise.
    if (!isInteger(parameter) || !Number.isSafeInteger(Number(parameter))) return parameters;
    if (typeof parameter !== "bigint") continue;
    values ??= [...parameters];
    values[index] = Number(parameter);
  }
  return JSON.stringify(values ?? parameters);
}

/** Integers come back as numbers, whatever they were: both are bound as integers. */
export function unpackParameters(packed: PackedParameters): readonly unknown[] {
  return typeof packed === "string" ? (JSON.parse(packed) as unknown[]) : packed;
}

function isInteger(parameter: unknown): parameter is number | bigint {
  return typeof parameter === "bigint" || Number.isInteger(parameter);
}
