/**
 * The known name that a mistyped one most likely stands for, or none: at most a third of its letters may differ
 * (one for short names), counting a swap of neighbours as one; else the only name that begins with what was typed
 * (three letters or more). Upper and lower case and `-`, `_` do not count.
 */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  if (typed.length > MAX_LENGTH) return undefined;
  const plain = plainForm(typed);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(plain, plainForm(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  if (best !== undefined || plain.length < MIN_BEGINNING) return best;
  const [longer, ...others] = known.filter((name) => plainForm(name).startsWith(plain));
  return others.length === 0 ? longer : undefined;
}

/** Fewer letters say too little. */
const MIN_BEGINNING = 3;

/** Longer than any name we know; bounds the work on a hostile one. */
const MAX_LENGTH = 64;

function plainForm(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

/** Optimal string alignment distance, three rows at a time. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const isSame = left[i - 1] === right[j - 1];
      let cost = Math.min(at(row, j - 1) + 1, at(last, j) + 1, at(last, j - 1) + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, right.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
