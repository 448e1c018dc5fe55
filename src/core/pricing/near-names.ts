/** Longer names are not compared: the work grows with the square of the length. */
const MAX_NAME_CHARACTERS = 64;

/**
 * The names that could be meant by a mistyped one, the nearest first, each once: those that begin with it or that it
 * begins with, and those that a third of its letters makes the same.
 */
export function nearNames(wanted: string, names: readonly string[]): readonly string[] {
  const target = wanted.toLowerCase().slice(0, MAX_NAME_CHARACTERS);
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const name of new Set(names)) {
    const candidate = name.toLowerCase();
    if (candidate.length > MAX_NAME_CHARACTERS) continue;
    const distance = editDistance(target, candidate);
    const isRelated = candidate.startsWith(target) || target.startsWith(candidate);
    if (isRelated || distance <= target.length / 3) near.push({ name, distance });
  }
  return near
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** Letters to add, drop or change (Levenshtein), a row of the table at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const change = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
