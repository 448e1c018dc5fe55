/** A figure over several rounds. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { min: sorted[0] ?? NaN, median: percentileOf(sorted, 50), max: sorted.at(-1) ?? NaN };
}

/** Of ascending values. */
export function percentileOf(sorted: ArrayLike<number>, percent: number): number {
  if (sorted.length === 0) return NaN;
  const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
  return sorted[index] as number;
}
