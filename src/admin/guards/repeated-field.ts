import { walkJson } from "../../wire/json/walk-json.ts";

/**
 * Where a JSON text has a field twice in one object, `rules.limit` say; undefined: nowhere. A parser takes the last of
 * the two without a word, and whoever reads the request may take the first.
 */
export function findRepeatedField(json: string): string | undefined {
  const bytes = Buffer.from(json);
  const levels: Level[] = [];
  let found: string | undefined;
  const note = (name: string | null): void => {
    const level = levels.at(-1);
    // A name that is too long to be any field's comes as an empty one.
    if (name === null || name === "" || level === undefined) return;
    if (level.names.has(name)) found ??= [...level.path, name].join(".");
    level.names.add(name);
  };
  walkJson(
    bytes,
    { start: 0, end: bytes.length },
    {
      open: (name) => {
        note(name);
        const path = levels.at(-1)?.path ?? [];
        levels.push({ path: name === null ? path : [...path, name], names: new Set() });
        return true;
      },
      close: () => void levels.pop(),
      text: note,
      scalar: note,
    },
  );
  return found;
}

interface Level {
  readonly path: readonly string[];
  readonly names: Set<string>;
}
