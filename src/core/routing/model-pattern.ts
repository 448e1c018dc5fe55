/** Which models a routing rule is for: one by its name, all whose name begins so, or (an empty prefix) every call. */
export interface ModelPattern {
  readonly text: string;
  readonly isPrefix: boolean;
}

/** `gpt-4o`, `gpt-4*`, `*`. Undefined for a star anywhere but at the end. */
export function parseModelPattern(pattern: string): ModelPattern | undefined {
  const isPrefix = pattern.endsWith("*");
  const text = isPrefix ? pattern.slice(0, -1) : pattern;
  return text.includes("*") || (text === "" && !isPrefix) ? undefined : { text, isPrefix };
}

/** `model` is null where the call names none, or stands where Keyward does not read it: only `*` is for those. */
export function matchesModel({ text, isPrefix }: ModelPattern, model: string | null): boolean {
  if (model === null) return isPrefix && text === "";
  return isPrefix ? model.startsWith(text) : model === text;
}
