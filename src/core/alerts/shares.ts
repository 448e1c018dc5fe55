/** Whether `count` is at least `percent` of `total`, and there are at least `minimum` in all. Exact for whole numbers. */
export function reachesShare(
  { count, total }: { readonly count: number; readonly total: number },
  { percent, minimum }: { readonly percent: number; readonly minimum: number },
): boolean {
  return count > 0 && total >= minimum && count * 100 >= total * percent;
}

/** In whole percents, rounded down; 0 of nothing. */
export function percentOf(count: number, total: number): number {
  return total === 0 ? 0 : Math.floor((count * 100) / total);
}
